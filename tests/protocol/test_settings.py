"""The table of settings: every other list of them is read from it."""

from __future__ import annotations

from collections import Counter

import pytest

from rtnb.protocol.catalog import TRANSCRIPTION, TRANSLATION
from rtnb.protocol.config import SESSION_SETTINGS
from rtnb.protocol.dialect_tables import PREVIEW_UNKNOWN
from rtnb.protocol.dialects import GA, PREVIEW, Dialect
from rtnb.protocol.settings import ABSENT, RESPONSE, SESSION, SETTINGS, Setting
from rtnb.service.session.checks import check

OWNERS = (SESSION, TRANSCRIPTION, TRANSLATION, RESPONSE)


@pytest.mark.parametrize("dialect", ["ga", "preview"])
@pytest.mark.parametrize("owner", OWNERS)
def test_a_setting_has_one_place_and_a_place_one_setting(dialect: str, owner: str) -> None:
    """In each dialect, for whatever has settings."""
    forms = [(each, getattr(each, dialect)) for each in SETTINGS]
    places = Counter(form.name or ".".join(each.path) for each, form in forms if form and owner in form.of)
    assert [place for place, count in places.items() if count > 1] == []


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_a_default_is_a_value_that_may_be_sent(setting: Setting) -> None:
    """In GA, where it has the same form as in a session object; and what a user writes is described."""
    assert bool(setting.says) == setting.written
    if setting.ga is not None and setting.ga.default not in (ABSENT, None):
        check(setting.ga.shape, setting.ga.default, "default")


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
def test_a_new_session_of_each_dialect_may_be_sent_back(dialect: Dialect) -> None:
    """The defaults, as the dialect writes them, pass its own checks."""
    check(dialect.session_settings, dialect.flattened(dialect.session_defaults), "session")


def test_what_a_dialect_does_not_have_is_refused_with_advice() -> None:
    """The settings that users write and that one of the dialects has not are those that a session refuses there."""

    def missing(dialect: str) -> set[str]:
        forms = [(each.name, getattr(each, dialect)) for each in SETTINGS if each.name in SESSION_SETTINGS]
        return {name for name, _ in forms} - {name for name, form in forms if form and SESSION in form.of}

    assert missing("ga") == set(GA.unknown_settings)
    assert missing("preview") - {"type", "prompt"} == set(PREVIEW_UNKNOWN) - {"prompt"}
