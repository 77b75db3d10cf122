"""The two dialects of the realtime protocol, as two values of one class.

``GA`` is today's protocol; ``PREVIEW`` is the one of api-version ``2024-10-01-preview`` and its successors, which the
quickstarts of March 2025 speak. Everything above this module thinks in GA; a `Dialect` translates on the way to the wire
and back, for the client and for the local service alike. No other file asks which dialect it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from rtnb.errors import ConfigurationError
from rtnb.protocol.config import copy_tree, look, put
from rtnb.protocol.names import GA_NAME, PREVIEW_NAME, PREVIEW_TRANSCRIPTION_NAME, Kind
from rtnb.protocol.shapes import TO_GA, TO_PREVIEW, remove, renamed_parts, settings_of
from rtnb.protocol.words import (
    GA_RESPONSE,
    GA_SESSION,
    GA_TRANSCRIPTION,
    PREVIEW_RESPONSE,
    PREVIEW_SESSION,
    PREVIEW_TRANSCRIPTION,
)

Path = tuple[str, ...]
BETA_HEADER = ("OpenAI-Beta", "realtime=v1")
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
DEFAULT_PREVIEW_VERSION = "2024-10-01-preview"
_TRANSCRIPT_DELTAS_SINCE = "2025-04-01-preview"


@dataclass(frozen=True)
class Dialect:
    """One dialect: its names, its payload shapes, its URL.

    Attributes
    ----------
    name : str
        ``"ga"`` or ``"preview"``.
    title : str
        For people.
    entra_scope : str
        The scope of an Entra ID token for Azure (Microsoft's samples of each time).
    url_form : str
        The path and query of an Azure URL, for messages.
    session_words, transcription_words, response_words : mapping
        The settings that a client may send, as a tree; a word whose value is None takes anything. The second are those of
        a session that only transcribes.
    transcription_names : mapping
        GA names that are spelled otherwise in a session that only transcribes.
    session_defaults : mapping
        What a fresh session of this dialect has besides the settings that both share.
    response_spelling : mapping
        Words of a response object that the service spells otherwise than the client does.
    unsent_fields : frozenset of tuple of str
        Where GA's server events have a field that this dialect's do not.
    """

    name: str
    title: str
    entra_scope: str
    url_form: str
    wire_names: Mapping[str, str] = field(repr=False)
    flat: Mapping[str, Path] = field(repr=False)
    item_parts: Mapping[str, str] = field(repr=False)
    unsent: frozenset[str] = field(repr=False, compare=False)  # differs by api-version, in the one dialect
    unknown_words: Mapping[str, str] = field(repr=False)
    typed_session: bool = field(repr=False)
    session_words: Mapping[str, Any] = field(repr=False)
    transcription_words: Mapping[str, Any] = field(repr=False)
    transcription_names: Mapping[str, str] = field(repr=False)
    response_words: Mapping[str, Any] = field(repr=False)
    session_defaults: Mapping[str, Any] = field(repr=False)
    response_spelling: Mapping[str, str] = field(repr=False)
    unsent_fields: frozenset[Path] = field(repr=False)

    def __str__(self) -> str:
        return self.name

    def wire_name(self, kind: str) -> str:
        """Return how this dialect spells the GA name `kind`."""
        return self.wire_names.get(kind, kind)

    def check(self, config: Mapping[str, Any]) -> None:
        """Refuse settings (GA's nested form) that this dialect cannot carry.

        Raises
        ------
        ConfigurationError
            With the corrected form.
        """
        for word, advice in self.unknown_words.items():
            if word in config:
                raise ConfigurationError(f"{word}= does not exist in the {self.title}: {advice}")
        modalities = config.get("output_modalities")
        if self.typed_session and modalities is not None and len(modalities) > 1:
            raise ConfigurationError(
                f"output_modalities={modalities!r}: the GA dialect takes one of them; write output_modalities=['audio'] "
                "(the transcript always comes with it) or ['text']."
            )

    def encode(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Translate a client event or one server event from GA to this dialect."""
        name = str(event.get("type", ""))
        wire = {**event, "type": self.wire_name(name)}
        if name in self.transcription_names and look(event, ("session", "type")) == "transcription":
            wire["type"] = self.transcription_names[name]
        for key, translate in self._translations().items():
            if isinstance(event.get(key), Mapping):
                wire[key] = translate(event[key])
        return wire

    def encode_all(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Translate a server event; an event that this dialect does not have vanishes."""
        if event.get("type") in self.unsent:
            return []
        wire = self.encode(event)
        for path in self.unsent_fields:
            remove(wire, path)
        if isinstance(response := wire.get("response"), dict):
            wire["response"] = {self.response_spelling.get(key, key): value for key, value in response.items()}
        return [wire]

    def decode(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Translate an event of this dialect to GA: names, session, response and item shapes."""
        name = str(event.get("type", ""))
        ga = {**event, "type": GA_NAME.get(name, name)}
        for key in ("session", "response"):
            if isinstance(event.get(key), Mapping):
                ga[key] = self.nested(event[key])
        if isinstance(event.get("item"), Mapping):
            ga["item"] = self.ga_item(event["item"])
        if self.only_transcribes(name) and isinstance(ga.get("session"), dict):
            ga["session"]["type"] = "transcription"
        return ga

    def only_transcribes(self, name: str) -> bool:
        """Return whether an event's name alone tells that its session only transcribes."""
        return name in self.transcription_names.values()

    def nested(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a session's or response's settings of this dialect in GA's nested form."""
        tree: dict[str, Any] = {}
        for key, value in config.items():
            path = self.flat.get(key)
            if path is None:
                tree[key] = copy_tree(value)
            else:
                put(tree, path, TO_GA.get(path[-1], copy_tree)(value))
        for key in ("output", "input"):
            if isinstance(tree.get(key), list):
                tree[key] = [self.ga_item(item) if isinstance(item, Mapping) else item for item in tree[key]]
        return tree

    def flattened(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings in GA's nested form as this dialect writes them."""
        if not self.flat:
            return dict(copy_tree(config))
        spelled = {path: key for key, path in self.flat.items()}
        wire: dict[str, Any] = {}
        for path, value in settings_of(config):
            key = spelled.get(path, path[-1] if len(path) == 1 else "")
            if key and path != ("type",):
                wire[key] = TO_PREVIEW.get(path[-1], copy_tree)(value)
        for key in ("output", "input"):
            if isinstance(wire.get(key), list):
                wire[key] = [self.wire_item(item) if isinstance(item, Mapping) else item for item in wire[key]]
        return wire

    def wire_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return a conversation item with its assistant content parts named as this dialect names them."""
        return renamed_parts(item, self.item_parts)

    def ga_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return a conversation item with its assistant content parts named as GA names them."""
        return renamed_parts(item, {wire: ga for ga, wire in self.item_parts.items()})

    def wire_path(self, path: Path) -> str:
        """Return what this dialect calls the setting at a path of GA's tree: dotted, as in an error's ``param``."""
        for key, nested in self.flat.items():
            if path[: len(nested)] == nested:
                return ".".join((key, *path[len(nested) :]))
        return ".".join(path)

    def _translations(self) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        return {"session": self.flattened, "response": self.flattened, "item": self.wire_item}


_SERVER_VAD: dict[str, Any] = {
    **{"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300},
    **{"create_response": True, "interrupt_response": True},
}

GA = Dialect(
    name="ga",
    title="GA dialect",
    entra_scope="https://ai.azure.com/.default",
    url_form="/openai/v1/realtime?model=NAME",
    wire_names={},
    flat={},
    item_parts={},
    unsent=frozenset(),
    unknown_words={"temperature": "leave it out, or connect with dialect='preview'."},
    typed_session=True,
    session_words=GA_SESSION,
    response_words=GA_RESPONSE,
    transcription_words=GA_TRANSCRIPTION,
    transcription_names={},
    session_defaults={
        **{"include": None, "prompt": None, "tracing": None, "truncation": "auto"},
        "audio": {"input": {"turn_detection": {**_SERVER_VAD, "silence_duration_ms": 500, "idle_timeout_ms": None}}},
    },
    response_spelling={},
    unsent_fields=frozenset(),
)

PREVIEW = Dialect(
    name="preview",
    title="preview dialect",
    entra_scope="https://cognitiveservices.azure.com/.default",
    url_form="/openai/realtime?api-version=…-preview&deployment=NAME",
    wire_names=PREVIEW_NAME,
    flat={
        "modalities": ("output_modalities",),
        "voice": ("audio", "output", "voice"),
        "speed": ("audio", "output", "speed"),
        "output_audio_format": ("audio", "output", "format"),
        "input_audio_format": ("audio", "input", "format"),
        "turn_detection": ("audio", "input", "turn_detection"),
        "input_audio_transcription": ("audio", "input", "transcription"),
        "input_audio_noise_reduction": ("audio", "input", "noise_reduction"),
        "max_response_output_tokens": ("max_output_tokens",),
    },
    item_parts={"output_text": "text", "output_audio": "audio"},
    unsent=frozenset(
        {
            Kind.ITEM_DONE,
            Kind.INPUT_TIMEOUT,
            Kind.INPUT_TRANSCRIPTION_DELTA,
            Kind.INPUT_TRANSCRIPTION_SEGMENT,
            Kind.INPUT_DTMF,
        }
    ),
    unknown_words={
        "truncation": "leave it out, or connect with dialect='ga'.",
        "prompt": "write instructions=, or connect with dialect='ga'.",
        "reasoning": "leave it out, or connect with dialect='ga'.",
        "parallel_tool_calls": "leave it out, or connect with dialect='ga'.",
        "include": "leave it out, or connect with dialect='ga'.",
    },
    typed_session=False,
    session_words=PREVIEW_SESSION,
    response_words=PREVIEW_RESPONSE,
    transcription_words=PREVIEW_TRANSCRIPTION,
    transcription_names=PREVIEW_TRANSCRIPTION_NAME,
    session_defaults={
        "temperature": 0.8,
        "audio": {"input": {"turn_detection": {**_SERVER_VAD, "silence_duration_ms": 200}}},
    },
    response_spelling={"max_response_output_tokens": "max_output_tokens"},
    unsent_fields=frozenset(
        ("response", "usage", "input_token_details", key) for key in ("cached_tokens_details", "image_tokens")
    ),
)

PREVIEW_WITH_DELTAS = replace(PREVIEW, unsent=PREVIEW.unsent - {Kind.INPUT_TRANSCRIPTION_DELTA})
"""The preview dialect from api-version 2025-04-01-preview on; strict clients of the earlier ones end at such a delta."""

DIALECTS: dict[str, Dialect] = {"ga": GA, "preview": PREVIEW}


def choose_dialect(asked: str | Dialect | None, *, azure: bool, api_version: str | None) -> Dialect:
    """Return the dialect that a client speaks: the one rule, applied once per connection.

    An explicit choice wins; else Azure with an api-version that names a preview speaks PREVIEW; else GA.

    Raises
    ------
    ConfigurationError
        If `asked` is no dialect.
    """
    if isinstance(asked, Dialect):
        return asked
    if asked is not None:
        if asked.lower() not in DIALECTS:
            raise ConfigurationError(f"dialect={asked!r} is not known; write dialect='ga' or dialect='preview'.")
        return DIALECTS[asked.lower()]
    return PREVIEW if azure and "preview" in (api_version or "") else GA


def dialect_of_request(path: str, headers: Mapping[str, str]) -> Dialect:
    """Return the dialect that a client asked the service for, by its URL and headers.

    Parameters
    ----------
    path : str
        Request target, with its query.
    headers : mapping
        Request headers; names in any case.
    """
    given = {name.lower(): value for name, value in headers.items()}
    offered = [name.strip() for name in given.get("sec-websocket-protocol", "").split(",")]
    target = urlsplit(squeeze_slashes(path))
    version = parse_qs(target.query).get("api-version", [""])[0]
    preview = PREVIEW if "" < version < _TRANSCRIPT_DELTAS_SINCE else PREVIEW_WITH_DELTAS
    if BETA_HEADER[1] in given.get("openai-beta", "") or BETA_SUBPROTOCOL in offered:
        return preview
    return preview if "/v1/" not in target.path and "preview" in version else GA


def squeeze_slashes(path: str) -> str:
    """Collapse repeated slashes of a request target's path (an endpoint that ends in one makes them)."""
    bare, question, query = path.partition("?")
    while "//" in bare:
        bare = bare.replace("//", "/")
    return bare + question + query


def azure_url(host: str, dialect: Dialect, *, deployment: str, api_version: str | None) -> str:
    """Return the documented Azure URL of a deployment, e.g. for ``host="wss://NAME.openai.azure.com"``."""
    if dialect.typed_session:
        return f"{host}/openai/v1/realtime?{urlencode({'model': deployment})}"
    version = api_version if "preview" in (api_version or "") else DEFAULT_PREVIEW_VERSION
    return f"{host}/openai/realtime?{urlencode({'api-version': version, 'deployment': deployment})}"


def openai_url(host: str, *, model: str) -> str:
    """Return the documented OpenAI URL of a model; both dialects share it."""
    return f"{host}/v1/realtime?{urlencode({'model': model})}"


def local_url(host: str, dialect: Dialect, *, model: str, api_version: str | None) -> str:
    """Return the URL at which a server of both dialects, like the local service, speaks `dialect`."""
    if dialect.typed_session:
        return openai_url(host, model=model)
    return azure_url(host, dialect, deployment=model, api_version=api_version)


def check_version(dialect: Dialect, api_version: str | None) -> None:
    """Refuse an api-version, given as an argument, that contradicts the dialect.

    Raises
    ------
    ConfigurationError
        With the corrected form.
    """
    if api_version is None:
        return
    if dialect.typed_session:
        raise ConfigurationError(
            f"api_version={api_version!r} does not go with the GA dialect, whose URL takes none (Azure answers 401): "
            f"leave it out, or write dialect='preview' with api_version={DEFAULT_PREVIEW_VERSION!r}."
        )
    if "preview" not in api_version:
        raise ConfigurationError(
            f"api_version={api_version!r} is no preview, and dialect='preview' needs one; "
            f"write api_version={DEFAULT_PREVIEW_VERSION!r}."
        )


def openai_headers(dialect: Dialect) -> dict[str, str]:
    """Return the headers that choose the dialect on an OpenAI URL."""
    return {} if dialect.typed_session else dict([BETA_HEADER])
