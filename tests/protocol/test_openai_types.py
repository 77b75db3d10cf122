"""What the installed ``openai`` package's types have, rtnb knows, or leaves out on purpose.

Where a test here fails after an upgrade of ``openai``, it names what is new: take it into the shapes of `rtnb.protocol` and
do something with it, or write down in `deliberately_left_out` why not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import openai
import pytest
from deliberately_left_out import (
    DELIBERATELY_LEFT_OUT,
    NOT_READ_BY_THE_MIRROR,
    NOT_SENT_BY_THE_CLIENT,
    NOT_SENT_BY_THE_SERVICE,
    NOT_TAKEN_BY_THE_SERVICE,
)
from openai_types import UNIONS, models, unknown, unknown_in
from pydantic import BaseModel

import rtnb
from rtnb.protocol.names import Kind, kind_of
from rtnb.protocol.value_shapes import STRING, ListOf, Shape, Tagged, either, fields, fields_of_kind, one_of

VERSION = f"openai {openai.__version__}"
CLIENT, SERVER = (
    {kind_of(name) for union, (events, _) in UNIONS.items() if union.endswith(side) for name in models(events)}
    for side in ("client", "server")
)


def left_out(path: str) -> list[str]:
    return [pattern for pattern in DELIBERATELY_LEFT_OUT if fnmatchcase(path, pattern)]


@pytest.mark.parametrize("union", UNIONS)
def test_every_event_field_and_value_is_known_or_left_out(union: str) -> None:
    """Whatever the types of this dialect have is in rtnb's shapes, or has a reason not to be."""
    new = [path for path in dict.fromkeys(unknown(union)) if not left_out(f"{union}: {path}")]
    assert not new, "\n".join([f"{VERSION} has what rtnb does not know:", *new])


def test_whatever_is_left_out_is_in_the_types() -> None:
    """A pattern that leaves nothing out any more is deleted: rtnb knows it now, or the types have lost it."""
    found = {pattern for union in UNIONS for path in unknown(union) for pattern in left_out(f"{union}: {path}")}
    stale = [pattern for pattern in DELIBERATELY_LEFT_OUT if pattern not in found]
    assert not stale, "\n".join([f"{VERSION} needs none of these:", *stale])


def kinds_in(*places: str) -> set[str]:
    """Return the events that modules of rtnb speak of; a place is a folder, or a module."""
    root, found = Path(rtnb.__file__).parent, set[str]()
    for place in places:
        for path in [root / place] if place.endswith(".py") else (root / place).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Kind":
                    found.add(str(Kind[node.attr]))
    return found


@pytest.mark.parametrize(
    ("side", "events", "places", "reasons"),
    [
        ("client sends", CLIENT, ("client", "protocol/commands.py"), NOT_SENT_BY_THE_CLIENT),
        ("service takes", CLIENT, ("service",), NOT_TAKEN_BY_THE_SERVICE),
        ("service sends", SERVER, ("service",), NOT_SENT_BY_THE_SERVICE),
        ("mirror reads", SERVER, ("conversation", "timeline", "client", "protocol/events.py"), NOT_READ_BY_THE_MIRROR),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_side_has_every_event_or_a_reason(
    side: str, events: set[str], places: Iterable[str], reasons: Mapping[str, str]
) -> None:
    """The client sends it, the service takes or sends it, the mirror or the table reads it; or it is written down why not."""
    missing = events - kinds_in(*places)
    new, stale = sorted(missing - set(reasons)), sorted(set(reasons) - missing)
    assert not new, "\n".join([f"{VERSION}, which the {side} nothing of:", *new])
    assert not stale, "\n".join([f"the {side} these now, so that the reasons why not are out of date:", *stale])


class Sun(BaseModel):
    type: Literal["sun"]
    shines: Literal["bright", "dim"] | None = None


class Rain(BaseModel):
    type: Literal["rain"]
    drops: list[Sun] | None = None


class Weather(BaseModel):
    model: str | Literal["a", "b"]
    sky: Sun | Rain


SKY = Tagged(
    {"sun": fields_of_kind("sun", shines=one_of("bright", "dim")), "rain": fields_of_kind("rain", drops=STRING)}
)
RAIN = SKY.kinds["rain"].with_fields(drops=ListOf(SKY))
KNOWN = fields(model=one_of("a", "b"), sky=Tagged({**SKY.kinds, "rain": RAIN}))


@pytest.mark.parametrize(
    ("shape", "new"),
    [
        (KNOWN, []),
        (fields(model=STRING, sky=KNOWN.fields["sky"]), ["w.model = 'a'", "w.model = 'b'"]),
        (fields(model=one_of("a"), sky=KNOWN.fields["sky"]), ["w.model = 'b'"]),
        (fields(model=one_of("a", "b")), ["w.sky"]),
        (KNOWN.with_fields(sky=STRING), ["w.sky", "w.sky"]),
        (KNOWN.with_fields(sky=Tagged({"sun": SKY.kinds["sun"]})), ["w.sky<rain>"]),
        (KNOWN.with_fields(sky=Tagged({"sun": fields_of_kind("sun"), "rain": RAIN})), ["w.sky<sun>.shines"]),
        (
            KNOWN.with_fields(sky=Tagged({"sun": fields_of_kind("sun", shines=one_of("dim")), "rain": RAIN})),
            ["w.sky<sun>.shines = 'bright'"],
        ),
        (KNOWN.with_fields(sky=either(STRING, SKY)), ["w.sky<rain>.drops"]),
    ],
)
def test_what_is_new_is_named(shape: Shape, new: list[str]) -> None:
    """A field, a value, a kind of object or a whole object that the shapes do not have is named by its path."""
    assert list(unknown_in(Weather, shape, "w")) == new
