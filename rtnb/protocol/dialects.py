"""The two dialects of the realtime protocol, as two values of one class.

``GA`` is today's protocol; ``PREVIEW`` is the one of api-version ``2024-10-01-preview`` and its successors, which the
quickstarts of March 2025 speak. Everything above this module works with GA's names and shapes; a `Dialect` translates on
the way to the wire and back, for the client and for the local service alike. No other module asks which dialect it is:
each difference is a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rtnb.errors import ConfigurationError
from rtnb.protocol import dialect_tables as tables
from rtnb.protocol.config import Path, copy_tree, look, put
from rtnb.protocol.item_shapes import ITEMS, PREVIEW_ITEMS
from rtnb.protocol.names import GA_NAME, PREVIEW_NAME, PREVIEW_TRANSCRIPTION_NAME, Kind
from rtnb.protocol.value_shapes import Tagged

BETA_HEADER = ("OpenAI-Beta", "realtime=v1")
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
DEFAULT_PREVIEW_VERSION = "2024-10-01-preview"
_TRANSCRIPT_DELTAS_SINCE = "2025-04-01-preview"
_PREVIEW_PATH = "/openai/realtime"
_PREVIEW_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}-preview")
_V1_NAMES = ("v1", "preview", "latest")  # the names of Azure's v1 API, which is GA's: its URLs take none of them


@dataclass(frozen=True)
class Dialect:
    """One dialect: its names, its payload shapes, its URLs.

    Attributes
    ----------
    name : str
        ``"ga"`` or ``"preview"``.
    title : str
        For people.
    entra_scope : str
        The scope of an Entra ID token for Azure (from Microsoft's samples of each time).
    azure_path, local_path : str
        Path on Azure, and on a server of both dialects.
    model_word : str
        What the query of these calls the model or deployment.
    api_version : str
        The api-version of Azure's URLs where none is given; empty for a dialect whose URLs take none.
    openai_headers : mapping
        Headers that choose this dialect at OpenAI.
    choice : str
        What a user writes to choose this dialect.
    marks : frozenset of str
        Fields by which a session object of this dialect is known.
    retired : bool
        Whether the services have announced its end, which the local service can play.
    wire_names : mapping
        GA event names that are spelled otherwise.
    transcription_names : mapping
        GA event names that are spelled otherwise in a transcription session.
    unsent : frozenset of str
        GA's server events that do not exist. It differs by api-version, within one dialect.
    unsent_fields : frozenset of tuple of str
        Fields of GA's server events that do not exist.
    paths : mapping
        The settings that are flat, and where GA nests them.
    typed_session : bool
        Whether a session has a type, which each `session.update` must give.
    session_type : str
        The type of the only sessions that speak it; empty for a dialect of realtime and transcription sessions.
    one_modality : bool
        Whether a response is either audio with its transcript or text, never both.
    takes_images : bool
        Whether a user message may have images.
    item_parts : mapping
        GA's types of an assistant's content parts that are spelled otherwise.
    item_shape : Tagged
        What a conversation item may be.
    unknown_settings : mapping
        GA settings that do not exist, and what to do instead.
    session_settings, transcription_settings, response_settings : mapping
        The settings that a client may send, as a tree; the second are those of a transcription session.
    session_defaults : mapping
        What a new session has besides the settings that both dialects share.
    response_spelling : mapping
        Fields of a response object that the service spells otherwise than the client does.
    """

    name: str
    title: str
    entra_scope: str
    azure_path: str
    local_path: str
    model_word: str = field(repr=False)
    api_version: str = field(repr=False)
    openai_headers: Mapping[str, str] = field(repr=False)
    choice: str = field(repr=False)
    marks: frozenset[str] = field(repr=False)
    retired: bool = field(repr=False)
    wire_names: Mapping[str, str] = field(repr=False)
    transcription_names: Mapping[str, str] = field(repr=False)
    unsent: frozenset[str] = field(repr=False, compare=False)
    unsent_fields: frozenset[Path] = field(repr=False)
    paths: Mapping[str, Path] = field(repr=False)
    typed_session: bool = field(repr=False)
    session_type: str = field(repr=False)
    one_modality: bool = field(repr=False)
    takes_images: bool = field(repr=False)
    item_parts: Mapping[str, str] = field(repr=False)
    item_shape: Tagged = field(repr=False)
    unknown_settings: Mapping[str, str] = field(repr=False)
    session_settings: Mapping[str, Any] = field(repr=False)
    transcription_settings: Mapping[str, Any] = field(repr=False)
    response_settings: Mapping[str, Any] = field(repr=False)
    session_defaults: Mapping[str, Any] = field(repr=False)
    response_spelling: Mapping[str, str] = field(repr=False)

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
        if self.session_type or config.get("type") == "transcription":
            only = self.session_type or "transcription"
            settings = self.session_settings if self.session_type else self.transcription_settings
            if refusal := tables.outside(config, settings, self.wire_path):
                raise ConfigurationError(f"{refusal[0]} has no meaning in a {only} session; it takes {refusal[1]}.")
            return
        for name, advice in self.unknown_settings.items():
            if name in config:
                raise ConfigurationError(f"{name}= does not exist in the {self.title}: {advice}")
        modalities = config.get("output_modalities")
        if self.one_modality and modalities is not None and len(modalities) > 1:
            raise ConfigurationError(
                f"output_modalities={modalities!r}: the {self.title} takes one of them; write "
                "output_modalities=['audio'] (the transcript always comes with it) or ['text']."
            )

    def encode(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Translate a client event, or one server event, from GA to this dialect."""
        name = str(event.get("type", ""))
        wire = {**event, "type": self.wire_name(name)}
        if name in self.transcription_names and look(event, ("session", "type")) == "transcription":
            wire["type"] = self.transcription_names[name]
        for key in ("session", "response"):
            if isinstance(event.get(key), Mapping):
                wire[key] = self.flattened(event[key])
        if isinstance(event.get("item"), Mapping):
            wire["item"] = self.wire_item(event["item"])
        return wire

    def encode_all(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Translate a server event; an event that does not exist in this dialect vanishes."""
        if event.get("type") in self.unsent:
            return []
        wire = self.encode(event)
        for path in self.unsent_fields:
            tables.remove(wire, path)
        if isinstance(response := wire.get("response"), dict):
            wire["response"] = {self.response_spelling.get(key, key): value for key, value in response.items()}
        return [wire]

    def decode(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Translate an event of this dialect to GA: its name, and the shapes of session, response and item."""
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
        """Return whether an event's name alone says that its session is a transcription session."""
        return name in self.transcription_names.values()

    def nested(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a session's or response's settings of this dialect in GA's nested form."""
        tree: dict[str, Any] = {}
        for key, value in config.items():
            path = self.paths.get(key)
            if path is None:
                tree[key] = copy_tree(value)
            else:
                put(tree, path, tables.TO_GA.get(path[-1], copy_tree)(value))
        for key in ("output", "input"):
            if isinstance(tree.get(key), list):
                tree[key] = [self.ga_item(item) if isinstance(item, Mapping) else item for item in tree[key]]
        return tree

    def flattened(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings in GA's nested form as this dialect writes them."""
        if not self.paths:
            return dict(copy_tree(config))
        names = {path: name for name, path in self.paths.items()}
        wire: dict[str, Any] = {}
        for path, value in tables.settings_of(config):
            name = names.get(path, path[-1] if len(path) == 1 else "")
            if name and path != ("type",):
                wire[name] = tables.TO_PREVIEW.get(path[-1], copy_tree)(value)
        for key in ("output", "input"):
            if isinstance(wire.get(key), list):
                wire[key] = [self.wire_item(item) if isinstance(item, Mapping) else item for item in wire[key]]
        return wire

    def wire_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return a conversation item with its assistant content parts named as this dialect names them."""
        return tables.renamed_parts(item, self.item_parts)

    def ga_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return a conversation item with its assistant content parts named as GA names them."""
        return tables.renamed_parts(item, {wire: ga for ga, wire in self.item_parts.items()})

    def wire_path(self, path: Path) -> str:
        """Return what this dialect calls the setting at a path of GA's tree: dotted, as in an error's ``param``."""
        for name, nested in self.paths.items():
            if path[: len(nested)] == nested:
                return ".".join((name, *path[len(nested) :]))
        return ".".join(path)


GA = Dialect(
    name="ga",
    title="GA dialect",
    entra_scope="https://ai.azure.com/.default",
    azure_path="/openai/v1/realtime",
    local_path="/v1/realtime",
    model_word="model",
    api_version="",
    openai_headers={},
    choice="dialect='ga' (on Azure leave api_version= and OPENAI_API_VERSION out)",
    marks=frozenset({"audio", "output_modalities"}),
    retired=False,
    wire_names={},
    transcription_names={},
    unsent=frozenset(),
    unsent_fields=frozenset(),
    paths={},
    typed_session=True,
    session_type="",
    one_modality=True,
    takes_images=True,
    item_parts={},
    item_shape=ITEMS,
    unknown_settings={"temperature": "leave it out, or connect with dialect='preview'."},
    session_settings=tables.GA_SESSION,
    transcription_settings=tables.GA_TRANSCRIPTION,
    response_settings=tables.GA_RESPONSE,
    session_defaults=tables.GA_DEFAULTS,
    response_spelling={},
)

PREVIEW = Dialect(
    name="preview",
    title="preview dialect",
    entra_scope="https://cognitiveservices.azure.com/.default",
    azure_path=_PREVIEW_PATH,
    local_path=_PREVIEW_PATH,
    model_word="deployment",
    api_version=DEFAULT_PREVIEW_VERSION,
    openai_headers=dict([BETA_HEADER]),
    choice=f"dialect='preview' (on Azure with a dated api_version={DEFAULT_PREVIEW_VERSION!r} or later)",
    marks=frozenset({"modalities", "input_audio_format", "output_audio_format"}),
    retired=True,
    wire_names=PREVIEW_NAME,
    transcription_names=PREVIEW_TRANSCRIPTION_NAME,
    unsent=tables.PREVIEW_UNSENT,
    unsent_fields=frozenset(
        ("response", "usage", "input_token_details", key) for key in ("cached_tokens_details", "image_tokens")
    ),
    paths=tables.PREVIEW_PATHS,
    typed_session=False,
    session_type="",
    one_modality=False,
    takes_images=False,
    item_parts={"output_text": "text", "output_audio": "audio"},
    item_shape=PREVIEW_ITEMS,
    unknown_settings=tables.PREVIEW_UNKNOWN,
    session_settings=tables.PREVIEW_SESSION,
    transcription_settings=tables.PREVIEW_TRANSCRIPTION,
    response_settings=tables.PREVIEW_RESPONSE,
    session_defaults=tables.PREVIEW_DEFAULTS,
    response_spelling={"max_response_output_tokens": "max_output_tokens"},
)

PREVIEW_WITH_DELTAS = replace(PREVIEW, unsent=PREVIEW.unsent - {Kind.INPUT_TRANSCRIPTION_DELTA})
"""The preview dialect from api-version 2025-04-01-preview on; strict clients of the earlier ones end at such a delta."""

DIALECTS: dict[str, Dialect] = {"ga": GA, "preview": PREVIEW}


def ga_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that were written in either dialect, as a service's answers may be, in GA's nested form."""
    return (PREVIEW if any(key in config for key in PREVIEW.paths) else GA).nested(config)


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
    return PREVIEW if azure and is_preview_version(api_version) else GA


def is_preview_version(api_version: str | None) -> bool:
    """Return whether an api-version is one of the preview dialect: a dated one, like ``2024-10-01-preview``."""
    return _PREVIEW_VERSION.fullmatch(api_version or "") is not None


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
    return preview if "/v1/" not in target.path and is_preview_version(version) else GA


def squeeze_slashes(path: str) -> str:
    """Collapse repeated slashes of a request target's path (an endpoint that ends in one makes them)."""
    bare, question, query = path.partition("?")
    while "//" in bare:
        bare = bare.replace("//", "/")
    return bare + question + query


def check_version(dialect: Dialect, api_version: str | None) -> None:
    """Refuse an api-version, given as an argument, that contradicts the dialect.

    Raises
    ------
    ConfigurationError
        With the corrected form.
    """
    if api_version is None or (api_version in _V1_NAMES and not dialect.api_version):
        return
    if not dialect.api_version:
        raise ConfigurationError(
            f"api_version={api_version!r} does not go with the {dialect.title}, whose URL takes none (Azure answers "
            f"401): leave it out, or write dialect='preview' with api_version={DEFAULT_PREVIEW_VERSION!r}."
        )
    if not is_preview_version(api_version):
        raise ConfigurationError(
            f"api_version={api_version!r} is no dated preview, and dialect={dialect.name!r} needs one; "
            f"write api_version={dialect.api_version!r}."
        )
