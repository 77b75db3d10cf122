"""From a client's wish for a response to the plan of one: its settings, its context, and what is to be answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from rtnb.protocol.config import Path, copy_tree, look, put
from rtnb.protocol.dialects import Dialect
from rtnb.service.engines.tasks import Message, NamedTool, Say, ToolSpec, Write
from rtnb.service.session import refusals
from rtnb.service.session.excuses import excuse
from rtnb.service.session.held_item import HeldItem
from rtnb.service.session.items import ItemList
from rtnb.service.session.settings import VOICE, Settings
from rtnb.service.session.usage import InputTokens, text_tokens
from rtnb.service.session.values import MOST_OUTPUT_TOKENS, RESPONSE_SETTINGS, checked, metadata, one_of

_PATIENCE = 6.0  # seconds that an answer waits for the words of a short speech: the transcriber may still be starting
_PATIENCE_EACH = 1.0  # and more for each second of it: a laptop with much to do listens at half its usual pace
_MOST_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response consists of.

    Attributes
    ----------
    preface : str
        Said before anything else.
    task : Write or None
        Gives the rest; None: there is no more.
    """

    preface: str
    task: Write | None


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What a response is to be.

    Attributes
    ----------
    shown : dict
        The settings that the response object shows, in GA's form.
    compose : callable
        Returns the `Answer`, when it is `ready`: what the user said may only then be known.
    say : callable
        ``say(text)`` returns the order to speak it.
    speaks : bool
        Whether it is heard.
    most_tokens, most_calls : int
        Where it ends incomplete; how many functions it may call.
    tokens_in : InputTokens
    conversation : ItemList or None
        Where its items belong; None for an out-of-band response.
    awaited : tuple of HeldItem
        Whose words it waits for.
    patience : float or None
        Until when, in Unix time; None where it waits for nothing.
    """

    shown: dict[str, Any]
    compose: Callable[[], Answer]
    say: Callable[[str], Say]
    speaks: bool
    most_tokens: int
    most_calls: int
    tokens_in: InputTokens
    conversation: ItemList | None
    awaited: tuple[HeldItem, ...]
    patience: float | None

    def ready(self, now: float) -> bool:
        """Return whether it can be answered: everything said is written down, or was waited for long enough."""
        return self.patience is None or now >= self.patience or not any(held.pending for held in self.awaited)


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
        Checks an item of the client's own ``input``, and listens to it.
    seed : int
        For the voice.
    clock : callable
        Returns Unix time in seconds.
    """

    def __init__(
        self,
        dialect: Dialect,
        settings: Settings,
        items: ItemList,
        conversation_id: str,
        read_item: Callable[[Any, str], HeldItem],
        *,
        seed: int,
        clock: Callable[[], float],
    ) -> None:
        self._dialect = dialect
        self._settings = settings
        self._items = items
        self._conversation_id = conversation_id
        self._read_item = read_item
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
        limit, voice = tree["max_output_tokens"], look(tree, VOICE)
        tools, choice = _tools(tree), _choice(tree)
        shown = self._shown(tree, given, joins=joins)
        context = self._context(given)
        awaited = tuple(held for held in context if held.pending)
        speed = self._settings.get("audio", "output", "speed")
        return ResponsePlan(
            shown=shown,
            compose=lambda: self._compose(context, given, tree, tools, choice),
            say=lambda text: Say(text, voice, None, self._seed, speed),
            speaks="audio" in tree["output_modalities"],
            most_tokens=MOST_OUTPUT_TOKENS if limit == "inf" else limit,
            most_calls=1 if tree.get("parallel_tool_calls") is False else MOST_OUTPUT_TOKENS,
            tokens_in=sum((held.tokens() for held in context), InputTokens(_fixed_tokens(tree))),
            conversation=self._items if joins else None,
            awaited=awaited,
            patience=self._clock() + _patience(awaited) if awaited else None,
        )

    def _compose(
        self,
        context: Sequence[HeldItem],
        given: Mapping[str, Any],
        tree: Mapping[str, Any],
        tools: tuple[ToolSpec, ...],
        choice: str | NamedTool,
    ) -> Answer:
        asked, before = _asked(context, given)
        preface, answerable = excuse(asked) if isinstance(asked, HeldItem) else ("", True)
        forced = bool(tools) and choice not in ("auto", "none")
        if not answerable and not forced:
            return Answer(preface, None)
        prompt = asked.text if isinstance(asked, HeldItem) else asked
        task = Write(
            prompt=prompt,
            history=tuple(turn for turn in (held.turn() for held in before) if turn != Message(turn.role, "")),
            instructions=tree["instructions"],
            voice=look(tree, VOICE),
            now=datetime.fromtimestamp(self._clock()).astimezone(),
            tools=tools,
            tool_choice=choice,
            speaks="audio" in tree["output_modalities"],
        )
        return Answer("" if forced else preface, task)

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
            return self._read_item(item, param)
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


def _asked(context: Sequence[HeldItem], given: Mapping[str, Any]) -> tuple[HeldItem | str, Sequence[HeldItem]]:
    """Return what is to be answered, and what came before it.

    It is the last message, where that is the user's (whatever the system said after it); after a function's output it is
    nothing new; else it is the response's own instructions. Azure's out-of-band examples give the question as a plain
    ``prompt``.
    """
    if isinstance(given.get("prompt"), str):
        return given["prompt"], context
    last = next((index for index in reversed(range(len(context))) if context[index].role != "system"), None)
    if last is not None and context[last].role == "user":
        return context[last], [held for held in context if held is not context[last]]
    if last is not None and context[last].role == "function_call_output":
        return "", context
    return given.get("instructions") or "", context


def _patience(awaited: Sequence[HeldItem]) -> float:
    return min(_MOST_PATIENCE, _PATIENCE + _PATIENCE_EACH * max(held.seconds for held in awaited))


def _fixed_tokens(tree: Mapping[str, Any]) -> int:
    """Count what every response of the session is given: instructions and tools."""
    return text_tokens(tree["instructions"]) + sum(text_tokens(orjson.dumps(tool).decode()) for tool in tree["tools"])


def _tools(tree: Mapping[str, Any]) -> tuple[ToolSpec, ...]:
    return tuple(
        ToolSpec(tool["name"], tool.get("description") or "", tool.get("parameters") or {}) for tool in tree["tools"]
    )


def _choice(tree: Mapping[str, Any]) -> str | NamedTool:
    choice = tree["tool_choice"]
    if isinstance(choice, str):
        return choice
    if choice["name"] not in {tool["name"] for tool in tree["tools"]}:
        raise refusals.unknown_tool(choice["name"])
    return NamedTool(choice["name"])
