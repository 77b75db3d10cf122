"""From a client's wish for a response to the plan of one: its settings, its context, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rtnb.protocol.config import Path, copy_tree, look, put
from rtnb.protocol.dialects import Dialect
from rtnb.service import refusals
from rtnb.service.items import HeldItem, ItemList
from rtnb.service.ladder import ResponsePlan
from rtnb.service.replies import Turn
from rtnb.service.settings import VOICE, Settings
from rtnb.service.usage import text_tokens
from rtnb.service.values import MOST_OUTPUT_TOKENS, RESPONSE_SETTINGS, checked, metadata, one_of
from rtnb.service.voice import SpokenWord

Reply = Callable[..., str]
Speak = Callable[..., Iterator[SpokenWord]]


class Planner:
    """Plans the responses of one session.

    Parameters
    ----------
    dialect : Dialect
        Whose names the errors use.
    settings : Settings
        Of the session; a response may differ from them.
    items : ItemList
        The conversation.
    conversation_id : str
    read_item : callable
        Checks an item of the client's own ``input``.
    reply, speak : callable
        Who writes and who speaks.
    seed : int
        For `speak`.
    clock : callable
        Returns Unix time in seconds, for `reply`.
    """

    def __init__(
        self,
        dialect: Dialect,
        settings: Settings,
        items: ItemList,
        conversation_id: str,
        read_item: Callable[[Any, str], dict[str, Any]],
        *,
        reply: Reply,
        speak: Speak,
        seed: int,
        clock: Callable[[], float],
    ) -> None:
        self._dialect = dialect
        self._settings = settings
        self._items = items
        self._conversation_id = conversation_id
        self._read_item = read_item
        self._reply = reply
        self._speak = speak
        self._seed = seed
        self._clock = clock

    def plan(self, given: Mapping[str, Any]) -> ResponsePlan:
        """Return the plan of a response.

        Parameters
        ----------
        given : mapping
            What ``response.create`` asks for, in GA's nested form.

        Raises
        ------
        Refusal
            Something asked for is not possible.
        """
        tree = self._tree(given)
        joins = self._joins(given)
        if joins and self._items.heard_audio and look(tree, VOICE) != self._settings.get(*VOICE):
            raise refusals.voice_is_fixed(self._spell(VOICE))
        context = self._context(given)
        tokens = [held.tokens() for held in context]
        prompt, history = _prompt(context, given)
        instructions, voice = tree["instructions"], look(tree, VOICE)
        speed = self._settings.get("audio", "output", "speed")
        limit = tree["max_output_tokens"]
        return ResponsePlan(
            shown=self._shown(tree, given, joins=joins),
            write=lambda: self._reply(prompt, history=history, instructions=instructions, voice=voice, now=self._now()),
            speak=lambda text: self._speak(text, voice, seed=self._seed, speed=speed),
            most_tokens=MOST_OUTPUT_TOKENS if limit == "inf" else limit,
            text_in=text_tokens(instructions) + sum(text for text, _ in tokens),
            audio_in=sum(audio for _, audio in tokens),
            conversation=self._items if joins else None,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock()).astimezone()

    def _tree(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The session's settings with the response's own over them; null means the session's."""
        tree: dict[str, Any] = copy_tree(self._settings.tree)
        for path, value in checked(given, RESPONSE_SETTINGS, self._spell):
            if value is not None:
                put(tree, path, value)
        return tree

    def _joins(self, given: Mapping[str, Any]) -> bool:
        named = given.get("conversation")
        return named is None or one_of("auto", "none")(named, "response.conversation") == "auto"

    def _context(self, given: Mapping[str, Any]) -> list[HeldItem]:
        """The items that the response sees: the conversation's, or those that the client lists."""
        listed = given.get("input")
        if listed is None:
            return list(self._items)
        if not isinstance(listed, list):
            raise refusals.invalid_type(listed, "a list of items", "response.input")
        return [self._listed(item, f"response.input[{index}]") for index, item in enumerate(listed)]

    def _listed(self, item: Any, param: str) -> HeldItem:
        if not isinstance(item, Mapping) or item.get("type") != "item_reference":
            return HeldItem(self._read_item(item, param))
        held = self._items.get(item.get("id"))
        if held is None:
            raise refusals.unknown_item("retrieve", item.get("id"), f"{param}.id")
        return held

    def _shown(self, tree: Mapping[str, Any], given: Mapping[str, Any], *, joins: bool) -> dict[str, Any]:
        given_metadata = given.get("metadata")
        shown = {
            "conversation_id": self._conversation_id if joins else None,
            "output_modalities": tree["output_modalities"],
            "max_output_tokens": tree["max_output_tokens"],
            "audio": {"output": {"format": look(tree, ("audio", "output", "format")), "voice": look(tree, VOICE)}},
            "metadata": None if given_metadata is None else metadata(given_metadata, "response.metadata"),
        }
        return {**shown, **{key: tree[key] for key in ("temperature",) if key in tree}}

    def _spell(self, path: Path) -> str:
        return f"response.{self._dialect.wire_path(path)}"


def _prompt(context: Iterable[HeldItem], given: Mapping[str, Any]) -> tuple[str, tuple[Turn, ...]]:
    """Return what is to be answered, and what was said before.

    It is the last message, where that is the user's; else the response's own instructions. Azure's out-of-band examples
    give the question as a plain ``prompt``.
    """
    turns = [Turn(held.role, held.text) for held in context if held.role in ("user", "assistant") and held.text]
    if isinstance(given.get("prompt"), str):
        return given["prompt"], tuple(turns)
    if turns and turns[-1].role == "user":
        return turns[-1].text, tuple(turns[:-1])
    return given.get("instructions") or "", tuple(turns)
