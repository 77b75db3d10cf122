"""What a response is to be: its settings, the items that it sees, the engines' tasks for it, and its token limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from rtnb.protocol.catalog import reasons
from rtnb.protocol.config import Path, copy_tree, look, put
from rtnb.protocol.dialects import Dialect
from rtnb.service.engines.tasks import Message, NamedTool, Say, ToolSpec, Write
from rtnb.service.session import error_events
from rtnb.service.session.context import Context
from rtnb.service.session.items import ItemList, StoredItem
from rtnb.service.session.mcp_servers import OfferedTool, offered
from rtnb.service.session.settings import (
    OUTPUT_FORMAT,
    SPEED,
    VOICE,
    ServiceSettings,
    check_limits,
    settings_in,
    voice_name,
)
from rtnb.service.session.truncation import Truncation
from rtnb.service.session.usage import InputTokens, text_tokens

_PATIENCE = 6.0  # seconds that a response waits for a transcript: the transcriber may still be starting
_PATIENCE_EACH = 1.0  # and more for each second of speech: a busy laptop transcribes at half its usual pace
_MOST_PATIENCE = 30.0
_TOO_LONG = {
    "type": "invalid_request_error",
    "code": "context_length_exceeded",
    "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
}


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What a response is to be.

    `compose` returns what is said first, and the task that writes the rest (None: there is no more). It is to be called
    when the plan is :meth:`ready`, since it needs the transcript of what the user said. `say` returns the task to speak.
    """

    shown: dict[str, Any]  # the settings that the response object shows, in GA's form
    compose: Callable[[], tuple[str, Write | None]]
    say: Callable[[str], Say]
    speaks: bool  # audio, or else text
    most_tokens: int  # of output; then it ends incomplete
    most_calls: int  # of functions
    tokens_in: InputTokens
    tools: list[dict[str, Any]]  # as the settings have them
    remote: Mapping[str, OfferedTool]  # the tools of MCP servers, by the names that the writer has for them
    conversation: ItemList | None  # where its items are added; None for an out-of-band response
    transcribing: tuple[StoredItem, ...]  # the items whose transcripts it waits for …
    patience: float | None  # … and until when, in Unix time; None where it waits for nothing
    phases: bool  # whether its messages are a preamble or the answer
    problem: dict[str, Any] | None  # why it fails: code, message and type of the error

    def ready(self, now: float) -> bool:
        """Return whether the response can begin: every transcript is there, or was waited for long enough."""
        return self.patience is None or now >= self.patience or not any(item.transcribing for item in self.transcribing)


class ResponsePlanner:
    """Plans the responses of one session, from its settings and its conversation.

    ``read_item(given, param)`` checks an item of a response's own ``input``, and has its audio transcribed. `seed` is for
    the voice; `clock` returns Unix time in seconds.
    """

    def __init__(
        self,
        dialect: Dialect,
        settings: ServiceSettings,
        items: ItemList,
        conversation_id: str,
        read_item: Callable[[Any, str], StoredItem],
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
        """Return the plan for a ``response.create``, given in GA's nested form.

        Raises
        ------
        InvalidRequest
            Something in it is not possible.
        """
        tree = self._tree(given)
        joins = given.get("conversation") != "none"
        limit, most, voice = tree["max_output_tokens"], self._settings.most_tokens, look(tree, VOICE)
        if joins and self._items.has_assistant_audio and voice != self._settings.get(VOICE):
            raise error_events.voice_is_fixed(param=self._spell(VOICE))
        remote = offered(tree["tools"])
        tools, choice = _tools(tree, remote)
        shown = self._shown(tree, given, joins=joins)
        fixed = text_tokens(tree["instructions"]) + sum(
            text_tokens(orjson.dumps(each).decode()) for each in tree["tools"]
        )
        truncation = Truncation.of(tree.get("truncation"), self._settings.most_input - fixed)
        context = self._context(given, truncation)
        transcribing = context.transcribing
        patience = _PATIENCE + _PATIENCE_EACH * max((item.seconds for item in transcribing), default=0.0)
        speed = self._settings.get(SPEED)
        return ResponsePlan(
            shown=shown,
            compose=lambda: self._compose(context, given, tree, tools, choice),
            say=lambda text: Say(text, voice_name(voice), None, self._seed, speed),
            speaks="audio" in tree["output_modalities"],
            most_tokens=most if limit == "inf" else limit,
            most_calls=1 if tree.get("parallel_tool_calls") is False else most,
            tokens_in=InputTokens(fixed) + context.tokens,
            tools=tree["tools"],
            remote=remote,
            conversation=self._items if joins else None,
            transcribing=transcribing,
            patience=self._clock() + min(_MOST_PATIENCE, patience) if transcribing else None,
            phases=self._phases,
            problem=_TOO_LONG if truncation.keep is None and context.tokens.total > truncation.limit else None,
        )

    @property
    def _phases(self) -> bool:
        """Return whether the model thinks, and the client's dialect has words for it."""
        return reasons(self._settings.model) and "reasoning" in self._dialect.response_settings

    def _compose(
        self,
        context: Context,
        given: Mapping[str, Any],
        tree: Mapping[str, Any],
        tools: tuple[ToolSpec, ...],
        choice: str | NamedTool,
    ) -> tuple[str, Write | None]:
        asked, history = _asked(context, given)
        preface, answerable = _preface(asked) if isinstance(asked, StoredItem) else ("", True)
        forced = bool(tools) and choice not in ("auto", "none")
        if not answerable and not forced:
            return preface, None
        thinks = self._phases and not preface
        task = Write(
            prompt=asked.text if isinstance(asked, StoredItem) else asked,
            history=history,
            instructions=tree["instructions"],
            voice=voice_name(look(tree, VOICE)),
            now=datetime.fromtimestamp(self._clock()).astimezone(),
            tools=tools,
            tool_choice=choice,
            speaks="audio" in tree["output_modalities"],
            effort=(tree.get("reasoning") or {}).get("effort") or "" if thinks else "",
        )
        return "" if forced else preface, task

    def _tree(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the session's settings with the response's own over them; null means the session's."""
        tree: dict[str, Any] = copy_tree(self._settings.tree)
        for path, value in settings_in(given, of_response=True):
            if value is not None:
                check_limits(path, value, self._settings.model, self._spell(path))
                put(tree, path, value)
        return tree

    def _context(self, given: Mapping[str, Any], truncation: Truncation) -> Context:
        """Return what the response sees: what is remembered of the conversation, or of the items that the client lists."""
        listed = given.get("input")
        if listed is None:
            context = self._items.context()
            if truncation.keep is None or context.tokens.total <= truncation.limit:
                return context
            self._items.forget(truncation.keep)
            return self._items.context()
        items = [self._listed(each, f"response.input[{index}]") for index, each in enumerate(listed)]
        context = Context.of(items)
        if truncation.keep is None or context.tokens.total <= truncation.limit:
            return context
        while context.tokens.total > truncation.keep and len(items) > 1:
            context = Context.of(items := items[1:])
        return context

    def _listed(self, given: Any, param: str) -> StoredItem:
        if given["type"] == "item_reference":
            return self._items.find(given.get("id"), "retrieve", f"{param}.id")
        return self._read_item(given, param)

    def _shown(self, tree: Mapping[str, Any], given: Mapping[str, Any], *, joins: bool) -> dict[str, Any]:
        shown = {
            "conversation_id": self._conversation_id if joins else None,
            "output_modalities": tree["output_modalities"],
            "max_output_tokens": tree["max_output_tokens"],
            "audio": {"output": {"format": look(tree, OUTPUT_FORMAT), "voice": look(tree, VOICE)}},
            "metadata": given.get("metadata"),
        }
        return {**shown, **{key: tree[key] for key in ("temperature",) if key in tree}}

    def _spell(self, path: Path) -> str:
        return f"response.{self._dialect.wire_path(path)}"


def _asked(context: Context, given: Mapping[str, Any]) -> tuple[StoredItem | str, tuple[Message, ...]]:
    """Return what is to be answered, and what was said before it.

    It is the latest turn, where that is the user's (whatever the system said after it); after a function's output, or an MCP tool's, it
    is nothing new; else it is the response's own instructions. Azure's out-of-band examples give the question as a plain
    ``prompt``.
    """
    if isinstance(given.get("prompt"), str):
        return given["prompt"], context.history()
    latest = context.latest
    if latest is not None and latest.role == "user":
        return latest, context.history(besides=latest)
    if latest is not None and latest.role in ("function_call_output", "mcp_call"):
        return "", context.history()
    return given.get("instructions") or "", context.history()


def _preface(item: StoredItem) -> tuple[str, bool]:
    """Return what is said before an answer to a user's message, and whether there is anything to answer then.

    It admits what the service cannot do: look at an image, or understand speech that has no transcript.
    """
    said = ""
    if item.images:
        said = f"I cannot see the image{'' if item.images == 1 else 's'}: this local service has no eyes. "
    if item.has_audio and not item.text and item.transcribing:
        said += f"I heard {item.seconds:.1f} seconds of speech, but it was not written down in time. "
        return f"{said}Please say it again, in shorter pieces.", False
    if item.has_audio and not item.text and item.problem:
        return said + item.problem, False
    return said, bool(item.text or not item.images)


def _tools(tree: Mapping[str, Any], remote: Mapping[str, OfferedTool]) -> tuple[tuple[ToolSpec, ...], str | NamedTool]:
    """Return the tools and the tool choice, for the engine; `remote` are those of MCP servers."""
    functions = [
        ToolSpec(tool["name"], tool.get("description") or "", tool.get("parameters") or {})
        for tool in tree["tools"]
        if tool["type"] == "function"
    ]
    tools = (*functions, *(each.spec(name) for name, each in remote.items()))
    choice = tree["tool_choice"]
    if isinstance(choice, str):
        return tools, choice
    label, named = choice.get("server_label"), choice.get("name")
    of_server = {
        name for name, each in remote.items() if each.server_label == label and named in (None, each.tool.name)
    }
    chosen = of_server if choice["type"] == "mcp" else {tool.name for tool in functions if tool.name == named}
    if not chosen:
        raise error_events.unknown_tool(named or label)
    if named is None:  # any of a server's
        return tuple(tool for tool in tools if tool.name in chosen), "required"
    return tools, NamedTool(chosen.pop())
