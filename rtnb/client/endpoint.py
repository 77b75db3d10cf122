"""Where to connect, in which dialect, with which kind of credential: decided here, without any I/O.

`resolve` reads the options of `rtnb.connect` and the environment, and either returns an `Endpoint` or raises with the
corrected form. URLs are exactly those of the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from rtnb.client.options import ConnectOptions
from rtnb.errors import ConfigurationError
from rtnb.formatting import printable
from rtnb.protocol.catalog import DEFAULT_MODEL
from rtnb.protocol.dialects import (
    Dialect,
    azure_url,
    check_version,
    choose_dialect,
    dialect_of_request,
    local_url,
    openai_url,
)
from rtnb.protocol.session_types import (
    TRANSCRIPTION,
    TRANSLATION,
    dialect_of_session,
    session_url,
    type_of_url,
    watched_call,
)

OPENAI_HOST = "wss://api.openai.com"
AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".openai.azure.us")
_LOOPBACK = re.compile(r"^(localhost|127(\.\d+){3}|\[?::1\]?)$")
_SECRET_QUERY = ("api-key", "api_key", "apikey", "authorization", "key", "token", "access_token", "sig", "code")

KEY, ENTRA, IN_URL, NONE = "API key", "Entra ID", "key in the URL", "no credential"


@dataclass(frozen=True)
class Endpoint:
    """A place to connect to. Holds no secret except, where a person put one there, in the URL's query: never shown.

    Attributes
    ----------
    service : str
        ``"local"``, ``"azure"``, ``"openai"`` or ``"url"``.
    url : str
        What is dialled; empty for a local service that has yet to be started.
    model : str
        Model, or Azure deployment.
    credential : str
        ``"API key"``, ``"Entra ID"``, ``"key in the URL"`` or ``"no credential"``.
    headers : mapping
        Headers without secrets.
    key_header : str
        The header that a key goes into.
    engines : str
        Of the local service: which engine makes what, for people.
    not_imitated : mapping
        Of the local service: the settings that change nothing there, and what happens instead.
    intent, call_id : str
        ``"transcription"`` for a session that only transcribes; the running call that is joined.
    """

    service: str
    url: str = field(repr=False)
    dialect: Dialect
    model: str
    credential: str = NONE
    api_version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_header: str = "Authorization"
    engines: str = ""
    not_imitated: Mapping[str, str] = field(default_factory=dict, repr=False)
    intent: str = ""
    call_id: str = ""

    @property
    def shown_url(self) -> str:
        """Return the URL with the secrets that its query or its user part may hold taken out."""
        return hide_secrets(self.url)

    @property
    def words(self) -> str:
        """Return where this is, for people: ``Azure OpenAI at NAME.openai.azure.com``."""
        host = printable(urlsplit(self.url).netloc.rpartition("@")[2])
        names = {"local": "the local service", "azure": "Azure OpenAI", "openai": "OpenAI", "url": "a service"}
        return f"{names[self.service]} at {host}" if host else names[self.service]

    def __repr__(self) -> str:
        return f"<Endpoint {self.words}, {self.dialect.title}, {self.credential}, model {printable(self.model)}>"

    def at(
        self,
        base: str,
        engines: Mapping[str, str | None] | None = None,
        not_imitated: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """Return the endpoint of a local service that listens at `base` (``ws://127.0.0.1:PORT``) and works with `engines`."""
        url = local_url(base, self.dialect, model=self.model, api_version=self.api_version)
        url = session_url(url, intent=self.intent)
        made = ", ".join(f"{part} {engine or 'none'}" for part, engine in (engines or {}).items())
        return replace(self, url=url, engines=made, not_imitated=dict(not_imitated or {}))


def resolve(options: ConnectOptions, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    """Return where to connect, and the API key to use there (None for Entra ID and for no credential).

    Raises
    ------
    ConfigurationError
        If something is missing or contradicts something else; the message has the corrected form.
    """
    if options.intent not in (None, "", TRANSCRIPTION):
        raise ConfigurationError(
            f"intent={options.intent!r} is not known; write intent='transcription', or leave it out."
        )
    place, key = _resolve(options, environ)
    intent, call_id = options.intent or "", options.call_id or ""
    url = session_url(place.url, intent=intent, call_id=call_id)
    intent, call_id = intent or type_of_url(url).replace(TRANSLATION, ""), watched_call(url) or call_id
    if intent or call_id:
        place = replace(place, model=options.deployment or options.model or "")
    return replace(place, url=url, intent=intent, call_id=call_id), key


def _resolve(options: ConnectOptions, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    target = options.target or _target_of(options, environ)
    if options.api_key is not None and options.credential is not None:
        raise ConfigurationError(
            "api_key= and credential= contradict one another; give api_key= for a key, or credential= for Entra ID."
        )
    if target == "local":
        return _local(options), None
    if target == "azure":
        return _azure(options, options.endpoint or environ.get("AZURE_OPENAI_ENDPOINT", ""), environ)
    if target == "openai":
        return _openai(options, environ)
    if _split(target).scheme in ("ws", "wss", "http", "https"):
        return _url(options, target, environ)
    raise ConfigurationError(
        f"target {target!r} is not known; write 'local', 'azure', 'openai', or a ws://, wss://, http:// or https:// URL."
    )


def _target_of(options: ConnectOptions, environ: Mapping[str, str]) -> str:
    if options.endpoint or environ.get("AZURE_OPENAI_ENDPOINT"):
        return "azure"
    return "openai" if environ.get("OPENAI_API_KEY") else "local"


def _local(options: ConnectOptions) -> Endpoint:
    for name in ("endpoint", "credential", "api_key"):
        if getattr(options, name) is not None:
            raise ConfigurationError(
                f"{name}= has no meaning for the local service, which takes no account; leave it out, or name the "
                "service: rtnb.connect('azure', …) or rtnb.connect('openai', …)."
            )
    # The local service has a preview URL of its own, so an api-version says the dialect here as it does on Azure.
    dialect = choose_dialect(options.dialect, azure=True, api_version=options.api_version)
    check_version(dialect, options.api_version)
    return Endpoint("local", "", dialect, _model(options, DEFAULT_MODEL), api_version=options.api_version)


def _azure(options: ConnectOptions, endpoint: str, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    if not endpoint:
        raise ConfigurationError(
            "Azure needs the resource's endpoint: rtnb.connect('azure', endpoint='https://NAME.openai.azure.com', "
            f"deployment={DEFAULT_MODEL!r}), or set AZURE_OPENAI_ENDPOINT."
        )
    model = _model(options, environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", ""))
    if not model and not options.intent and not options.call_id:
        raise ConfigurationError(
            f"Azure needs the name of a deployment: rtnb.connect('azure', deployment={DEFAULT_MODEL!r}), "
            "or set AZURE_OPENAI_DEPLOYMENT_NAME."
        )
    version = options.api_version or environ.get("OPENAI_API_VERSION")
    dialect = choose_dialect(options.dialect, azure=True, api_version=version)
    check_version(dialect, options.api_version)
    key = None if options.credential is not None else options.api_key or environ.get("AZURE_OPENAI_API_KEY")
    made = Endpoint(
        service="azure",
        url=azure_url(_azure_host(endpoint), dialect, deployment=model, api_version=version),
        dialect=dialect,
        model=model,
        credential=KEY if key else ENTRA,
        api_version=version,
        key_header="api-key",
    )
    return _safe(made), key


def _openai(options: ConnectOptions, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    for name, instead in (("credential", "api_key="), ("deployment", "model="), ("endpoint", "a URL as the target")):
        if getattr(options, name) is not None:
            raise ConfigurationError(f"{name}= belongs to Azure; for OpenAI give {instead}.")
    if options.api_version is not None:
        raise ConfigurationError("api_version= belongs to Azure; for OpenAI leave it out.")
    key = options.api_key or environ.get("OPENAI_API_KEY")
    if not key:
        raise ConfigurationError(
            "OpenAI needs a key: set OPENAI_API_KEY, or rtnb.connect('openai', api_key=…). "
            "Without an account, rtnb.connect('local') works at once."
        )
    dialect = choose_dialect(options.dialect, azure=False, api_version=None)
    model = _model(options, DEFAULT_MODEL)
    headers = dict(dialect.openai_headers)
    return Endpoint("openai", openai_url(OPENAI_HOST, model=model), dialect, model, KEY, None, headers), key


def _url(options: ConnectOptions, target: str, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    parts = _split(target)
    host = parts.hostname or ""
    if not host:
        raise ConfigurationError(f"{hide_secrets(target)!r} names no host; write wss://HOST/v1/realtime?model=NAME.")
    if options.endpoint is not None:
        raise ConfigurationError("The target is a URL already, so endpoint= has no place; give one of the two.")
    is_azure = host.endswith(AZURE_HOSTS)
    if is_azure and "realtime" not in parts.path:
        return _azure(options, target, environ)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    query = dict(parse_qsl(parts.query))
    model = _model_of_url(options, query)
    base = urlunsplit((scheme, parts.netloc, "", "", ""))
    if "realtime" in parts.path:
        url = urlunsplit((scheme, parts.netloc, parts.path, parts.query, ""))
        dialect = _dialect_of_url(options, parts.path, parts.query)
        named = query.keys() & {"model", "deployment"} or type_of_url(url) == TRANSCRIPTION
        if (options.model or options.deployment) and not named:
            name = "deployment" if "api-version" in query else "model"
            url += ("&" if parts.query else "?") + urlencode({name: model})
    else:
        dialect = choose_dialect(options.dialect, azure=True, api_version=options.api_version)
        local = Endpoint("local", "", dialect, model, api_version=options.api_version)
        url = local.at(base + parts.path.rstrip("/")).url
    has_own = bool(secrets_in(target))
    from_environ = is_azure and options.credential is None and not has_own
    key = options.api_key or (environ.get("AZURE_OPENAI_API_KEY") if from_environ else None)
    keyless = options.credential is not None or (from_environ and not key)
    made = Endpoint(
        service="azure" if is_azure else "url",
        url=url,
        dialect=dialect,
        model=model,
        credential=KEY if key else ENTRA if keyless else IN_URL if has_own else NONE,
        api_version=query.get("api-version"),
        headers={} if "/openai/" in parts.path else dict(dialect.openai_headers),
        key_header="api-key" if is_azure else "Authorization",
    )
    return _safe(made), key


def _dialect_of_url(options: ConnectOptions, path: str, query: str) -> Dialect:
    """Return the dialect that a full URL stands for; refuse a choice that its path contradicts."""
    by_url = dialect_of_session(dialect_of_request(f"{path}?{query}", {}), type_of_url(path))
    if by_url.session_type:
        return by_url
    asked = choose_dialect(options.dialect or by_url, azure=True, api_version=None)
    if asked is not by_url and "/openai/" in path:
        raise ConfigurationError(
            f"dialect={asked.name!r} contradicts the URL, whose form is the {by_url.title}'s; "
            f"leave dialect= out, or write the URL as wss://HOST{asked.url_form}."
        )
    return asked


def _model(options: ConnectOptions, default: str) -> str:
    if options.model and options.deployment and options.model != options.deployment:
        raise ConfigurationError(
            f"model={options.model!r} and deployment={options.deployment!r} contradict one another; on Azure the "
            "deployment is the model: give deployment= alone."
        )
    return options.deployment or options.model or default


def _model_of_url(options: ConnectOptions, query: Mapping[str, str]) -> str:
    in_url = query.get("model") or query.get("deployment")
    asked = _model(options, in_url or DEFAULT_MODEL)
    if in_url and asked != in_url:
        raise ConfigurationError(
            f"The URL names {in_url!r}, and the arguments name {asked!r}; say it once: leave one of the two out."
        )
    version = query.get("api-version")
    if options.api_version is not None and version and options.api_version != version:
        raise ConfigurationError(
            f"The URL has api-version={version}, and api_version={options.api_version!r} was given; leave one out."
        )
    return asked


def _azure_host(endpoint: str) -> str:
    """Return ``wss://HOST`` for an endpoint in any of the forms that people paste."""
    parts = _split(endpoint if "//" in endpoint else f"https://{endpoint}")
    schemes = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}
    if parts.scheme not in schemes or not parts.netloc:
        raise ConfigurationError(
            f"endpoint={hide_secrets(endpoint)!r} is no address; write endpoint='https://NAME.openai.azure.com'."
        )
    return f"{schemes[parts.scheme]}://{parts.netloc}"


def _split(address: str) -> SplitResult:
    """Return the parts of an address; refuse one that has none, or a port that cannot be."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # reading it is what checks it
    except ValueError as error:
        raise ConfigurationError(
            f"{hide_secrets(address)!r} is no address ({error}); write e.g. wss://HOST:PORT/v1/realtime?model=NAME."
        ) from None
    return parts


def _safe(endpoint: Endpoint) -> Endpoint:
    """Refuse to send a secret in clear over a network."""
    parts = urlsplit(endpoint.url)
    if parts.scheme == "ws" and endpoint.credential != NONE and not _LOOPBACK.match(parts.hostname or ""):
        raise ConfigurationError(
            f"{endpoint.words} would get the credential in clear over {parts.scheme}://; write wss:// or https://."
        )
    return endpoint


def secrets_in(url: str) -> list[str]:
    """Return the values of secret query parameters, and of a password in the user part."""
    parts = urlsplit(url)
    named = [value for name, value in parse_qsl(parts.query) if name.lower() in _SECRET_QUERY]
    return [*named, unquote(parts.password)] if parts.password else named


def hide_secrets(url: str) -> str:
    """Return `url` with the values of secret query parameters and its user part replaced by ``***``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    query = [(name, "***" if name.lower() in _SECRET_QUERY else value) for name, value in parse_qsl(parts.query)]
    host = f"***@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe="*"), ""))
