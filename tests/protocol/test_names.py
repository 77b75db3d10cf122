"""The vocabulary: one GA name for each spelling."""

from __future__ import annotations

import typing

import openai.types.beta.realtime as preview_types
import openai.types.realtime as ga_types
import pytest

from rtnb.protocol.names import CLIENT_KINDS, GA_NAME, PREVIEW_NAME, Kind, kind_of


def official_names(union: typing.Any) -> set[str]:
    members = typing.get_args(typing.get_args(union)[0]) or typing.get_args(union)
    models = [member for member in members if isinstance(member, type)]
    return {name for model in models for name in typing.get_args(model.model_fields["type"].annotation)}


@pytest.mark.parametrize("types", [ga_types, preview_types], ids=["ga", "preview"])
def test_every_official_server_event_has_a_kind(types: typing.Any) -> None:
    """Whatever the official client's types name, in either dialect, is a Kind."""
    kinds = {kind.value for kind in Kind}
    for name in official_names(types.RealtimeServerEvent):
        assert kind_of(name) in kinds


@pytest.mark.parametrize("types", [ga_types, preview_types], ids=["ga", "preview"])
def test_every_official_client_event_is_known_as_one(types: typing.Any) -> None:
    """What a client may send, in either dialect, is in CLIENT_KINDS."""
    for name in official_names(types.RealtimeClientEvent):
        assert kind_of(name) in CLIENT_KINDS


def test_an_unknown_type_is_its_own_kind() -> None:
    """A name from the future passes through."""
    assert kind_of("response.hologram.delta") == "response.hologram.delta"


def test_the_renames_undo_one_another() -> None:
    """A preview name leads to its GA name and back."""
    for ga, preview in PREVIEW_NAME.items():
        assert GA_NAME[preview] == ga
        assert kind_of(preview) == kind_of(ga) == ga
