"""Where to connect, in which dialect, with which kind of credential: decided here, without any I/O.

`resolve` reads the options of `rtnb.connect` and the environment, and either returns an `Endpoint` or raises with the
corrected form. URLs are exactly those of the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rtnb.client import addresses
from rtnb.client.addresses import hide_secrets, split
from rtnb.client.key_choice import BEARER, EPHEMERAL, NONE, azure_keys, choose_key, is_ephemeral, organization
from rtnb.client.options import ConnectOptions
from rtnb.errors import ConfigurationError
from rtnb.formatting import printable
from rtnb.protocol.catalog import AZURE, DEFAULT_MODEL, DEFAULT_TRANSCRIPTION_MODEL, OPENAI
from rtnb.protocol.dialects import Dialect, check_version, choose_dialect, dialect_of_request
from rtnb.protocol.urls import azure_url, is_loopback, local_url, realtime_url, url_form, with_query

OPENAI_BASE = "https://api.openai.com/v1"
_NAMING = {"model", "deployment", "api-version"}


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
        Model, or Azure deployment; empty for a running call, which has one.
    credential : str
        ``"API key"``, ``"ephemeral key"``, ``"bearer token"``, ``"Entra ID"``, ``"key in the URL"``,
        ``"key in headers="`` or ``"no credential"``.
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
    scope, authority : str
        Of an Entra ID token: what it is for, and the host that issues it (empty: the credential's own).
    query : mapping
        What the user added to the URL's query: secrets.
    named_by : str
        The environment variable that the address is from.
    """

    service: str
    url: str = field(repr=False)
    dialect: Dialect
    model: str
    credential: str = NONE
    api_version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_header: str = BEARER
    engines: str = ""
    not_imitated: Mapping[str, str] = field(default_factory=dict, repr=False)
    intent: str = ""
    call_id: str = ""
    scope: str = ""
    authority: str = ""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    named_by: str = ""

    @property
    def shown_url(self) -> str:
        """Return the URL with the secrets that its query or its user part may hold taken out."""
        return hide_secrets(self.url, self.query.keys())

    @property
    def secrets(self) -> list[str]:
        """Return the secrets that the URL holds, so that an echo of them can be taken out of the log."""
        return addresses.secrets_in(self.url, self.query.keys())

    @property
    def provider(self) -> str:
        """Return whose models these are: ``"azure"``, ``"openai"``, or empty where that is not known."""
        return self.service if self.service in (AZURE, OPENAI) else ""

    @property
    def words(self) -> str:
        """Return where this is, for people: ``Azure OpenAI at NAME.openai.azure.com``."""
        host = printable(urlsplit(self.url).netloc.rpartition("@")[2])
        names = {"local": "the local service", "azure": "Azure OpenAI", "openai": "OpenAI", "url": "a service"}
        return f"{names[self.service]} at {host}" if host else names[self.service]

    def __repr__(self) -> str:
        return f"<Endpoint {self.words}, {self.dialect.title}, {self.credential}, model {printable(self.model)}>"

    def at(self, base: str, engines: Mapping[str, str | None] = {}, not_imitated: Mapping[str, str] = {}) -> Endpoint:
        """Return the endpoint of a local service that listens at `base` (``ws://127.0.0.1:PORT``) and works with `engines`."""
        model = "" if self.intent or self.call_id else self.model
        kind = {"intent": self.intent, "call_id": self.call_id}
        url = local_url(base, self.dialect, model=model, api_version=self.api_version, **kind)
        made = ", ".join(f"{part} {engine or 'none'}" for part, engine in engines.items())
        return replace(self, url=with_query(url, self.query.items()), engines=made, not_imitated=dict(not_imitated))


def resolve(options: ConnectOptions, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    """Return where to connect, and the API key to use there (None for Entra ID and for no credential).

    Raises
    ------
    ConfigurationError
        If something is missing or contradicts something else; the message has the corrected form.
    """
    options.check()
    environ = {name: value.strip() for name, value in environ.items() if value.strip()}
    target = options.target or _target_of(options, environ)
    if target == "local":
        return _local(options)
    if target == "azure":
        named_by = "" if options.endpoint else "AZURE_OPENAI_ENDPOINT"
        return _azure(options, options.endpoint or environ.get("AZURE_OPENAI_ENDPOINT", ""), environ, named_by)
    if target == "openai":
        named_by = "OPENAI_BASE_URL" if "OPENAI_BASE_URL" in environ else ""
        return _openai(options, environ.get("OPENAI_BASE_URL", OPENAI_BASE), environ, named_by)
    if addresses.is_address(target):
        return _url(options, target, environ)
    raise ConfigurationError(
        f"target {target!r} is not known; write 'local', 'azure', 'openai', or a ws://, wss://, http:// or https:// URL."
    )


def _target_of(options: ConnectOptions, environ: Mapping[str, str]) -> str:
    if options.endpoint or "AZURE_OPENAI_ENDPOINT" in environ:
        return "azure"
    return "openai" if environ.keys() & {"OPENAI_API_KEY", "OPENAI_BASE_URL"} else "local"


def _local(options: ConnectOptions) -> tuple[Endpoint, str | None]:
    granted = is_ephemeral(options.api_key)  # the one kind of key that it takes
    for name in ("endpoint", "credential", *([] if granted else ["api_key"]), "scope"):
        if getattr(options, name) is not None:
            raise ConfigurationError(
                f"{name}= has no meaning for the local service, which takes no account; leave it out, or name the "
                "service: rtnb.connect('azure', …) or rtnb.connect('openai', …)."
            )
    # The local service has a preview URL of its own, so an api-version says the dialect here as it does on Azure.
    dialect = choose_dialect(options.dialect, azure=True, api_version=options.api_version)
    check_version(dialect, options.api_version)
    version, kind = options.api_version if dialect.api_version else None, EPHEMERAL if granted else NONE
    made = Endpoint("local", "", dialect, _model(options, _usual_model(options)), kind, version, query=options.query)
    return replace(made, intent=options.intent or "", call_id=options.call_id or ""), options.api_key


def _azure(
    options: ConnectOptions, endpoint: str, environ: Mapping[str, str], named_by: str, key: str | None = None
) -> tuple[Endpoint, str | None]:
    """Return the endpoint of a resource, or of a gateway before it; `key` is one that came with the address."""
    if not endpoint:
        raise ConfigurationError(
            "Azure needs the resource's endpoint: rtnb.connect('azure', endpoint='https://NAME.openai.azure.com', "
            f"deployment={DEFAULT_MODEL!r}), or set AZURE_OPENAI_ENDPOINT."
        )
    parts = split(endpoint if "//" in endpoint else f"https://{endpoint}")
    if not (addresses.is_address(parts.geturl()) and parts.hostname):
        raise ConfigurationError(
            f"endpoint={hide_secrets(endpoint)!r} is no address; write endpoint='https://NAME.openai.azure.com'."
        )
    if addresses.is_session_path(parts.path):  # the "target URI" of the portal
        return _session(options, parts, environ, azure=True, named_by=named_by)
    kind = options.intent or options.call_id
    model = _model(options, _usual_model(options) if kind else environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", ""))
    if not model and not kind:
        raise ConfigurationError(
            f"Azure needs the name of a deployment: rtnb.connect('azure', deployment={DEFAULT_MODEL!r}), "
            "or set AZURE_OPENAI_DEPLOYMENT_NAME."
        )
    version = options.api_version or environ.get("OPENAI_API_VERSION")
    dialect = choose_dialect(options.dialect, azure=True, api_version=version)
    check_version(dialect, options.api_version)
    base = addresses.base_of(parts, addresses.without_azure_tail(parts.path))
    url = azure_url(base, dialect, deployment="" if kind else model, api_version=version, **_asked(options))
    url = with_query(url, [pair for pair in parse_qsl(parts.query) if pair[0] not in _NAMING])
    made = Endpoint(
        "azure", url, dialect, model, api_version=version if dialect.api_version else None, named_by=named_by
    )
    return _with_credential(made, options, environ, azure=True, keys=(*azure_keys(environ), key), entra=True)


def _openai(
    options: ConnectOptions, base: str, environ: Mapping[str, str], named_by: str
) -> tuple[Endpoint, str | None]:
    """Return the endpoint of OpenAI, or of what ``OPENAI_BASE_URL`` names, as OpenAI's own client finds it."""
    parts = split(base)
    if not (addresses.is_address(base) and parts.hostname):
        raise ConfigurationError(
            f"OPENAI_BASE_URL is {hide_secrets(base)!r}, which is no address; set it to {OPENAI_BASE}, or unset it."
        )
    key = environ.get("OPENAI_API_KEY")
    if addresses.is_azure_host(parts.hostname):
        return _azure(options, base, environ, named_by, key)
    for name, instead in (("credential", "api_key="), ("deployment", "model="), ("endpoint", "a URL as the target")):
        if getattr(options, name) is not None:
            raise ConfigurationError(f"{name}= belongs to Azure; for OpenAI give {instead}.")
    for name in ("api_version", "scope"):
        if getattr(options, name) is not None:
            raise ConfigurationError(f"{name}= belongs to Azure; for OpenAI leave it out.")
    if addresses.is_session_path(parts.path):
        return _session(options, parts, environ, named_by=named_by)
    own = addresses.is_openai_host(parts.hostname)
    dialect = choose_dialect(options.dialect, azure=False, api_version=None)
    model = _model(options, _usual_model(options))
    url = realtime_url(addresses.base_of(parts, parts.path), model=_named_model(options, model, own), **_asked(options))
    url = with_query(url, parse_qsl(parts.query))
    headers = {**dialect.openai_headers, **organization(environ)}
    made = Endpoint("openai" if own else "url", url, dialect, model, headers=headers, named_by=named_by)
    return _with_credential(made, options, environ, keys=(key,))


def _url(options: ConnectOptions, target: str, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    """Return the endpoint that a URL names: that of a session as it is written, that of a service with the path it lacks."""
    parts = split(target)
    host = parts.hostname or ""
    if not host:
        raise ConfigurationError(f"{hide_secrets(target)!r} names no host; write wss://HOST/v1/realtime?model=NAME.")
    if options.endpoint is not None:
        raise ConfigurationError("The target is a URL already, so endpoint= has no place; give one of the two.")
    azure = addresses.is_azure_host(host)
    if addresses.is_session_path(parts.path):
        return _session(options, parts, environ, azure=azure)
    if azure:
        return _azure(options, target, environ, "")
    if addresses.is_openai_host(host):
        return _openai(options, target if parts.path.strip("/") else parts._replace(path="/v1").geturl(), environ, "")
    return _service(options, parts, environ)


def _service(options: ConnectOptions, parts: SplitResult, environ: Mapping[str, str]) -> tuple[Endpoint, str | None]:
    """Return the endpoint of the user's own service, or of a gateway, by the path that its address has."""
    azure, version = addresses.has_azure_path(parts.path), options.api_version
    dialect = choose_dialect(options.dialect, azure=True, api_version=version)
    check_version(dialect, version)
    model = _model(options, _usual_model(options))
    named, asked = _named_model(options, model, own=False), _asked(options)
    base = addresses.base_of(parts, parts.path)
    if azure:
        base = addresses.base_of(parts, addresses.without_azure_tail(parts.path))
        url = azure_url(base, dialect, deployment=named, api_version=version, **asked)
    elif base.endswith("/v1"):
        url = realtime_url(base, model=named, **asked)
    else:
        url = local_url(base, dialect, model=named, api_version=version, **asked)
    url = with_query(url, parse_qsl(parts.query))
    headers = {} if azure else dict(dialect.openai_headers)
    made = Endpoint("url", url, dialect, model, api_version=version if dialect.api_version else None, headers=headers)
    return _with_credential(made, options, environ, azure=azure)


def _session(
    options: ConnectOptions, parts: SplitResult, environ: Mapping[str, str], *, azure: bool = False, named_by: str = ""
) -> tuple[Endpoint, str | None]:
    """Return the endpoint of a session's full URL, as it is written; `azure` says that it is one of Azure's services."""
    own = addresses.is_openai_host(parts.hostname or "")
    azure_path = azure or addresses.has_azure_path(parts.path)
    query = dict(parse_qsl(parts.query))
    dialect = _dialect_of_url(options, parts.path, parts.query)
    model = _model_of_url(options, query)
    asked = {name: value for name, value in _asked(options).items() if query.get(name) != value}
    for name in asked.keys() & query.keys():
        if asked[name]:
            raise ConfigurationError(
                f"The URL has {name}={query[name]}, and {name}={asked[name]!r} was given; leave one out."
            )
    url = with_query(addresses.socket_url(parts, parts.path), asked.items())
    if (options.model or options.deployment) and not query.keys() & {"model", "deployment"}:
        word = "deployment" if "api-version" in query else "model"
        url = with_query(url, [(word, _named_model(options, model, own or azure))])
    account = organization(environ) if own or named_by else {}
    made = Endpoint(
        service="azure" if azure else "openai" if own else "url",
        url=url,
        dialect=dialect,
        model=model,
        api_version=query.get("api-version"),
        headers={**({} if azure_path else dialect.openai_headers), **account},
        intent=query.get("intent", ""),
        call_id=query.get("call_id", ""),
        named_by=named_by,
    )
    keys = azure_keys(environ) if azure else (environ.get("OPENAI_API_KEY"),) if own or named_by else ()
    return _with_credential(made, options, environ, azure=azure_path, keys=keys, entra=azure)


def _with_credential(
    made: Endpoint,
    options: ConnectOptions,
    environ: Mapping[str, str],
    *,
    azure: bool = False,
    keys: Iterable[str | None] = (),
    entra: bool = False,
) -> tuple[Endpoint, str | None]:
    """Return an endpoint with what the user adds to any, and the key to use there.

    `azure` says that a key goes into Azure's header, `keys` are those of the environment that belong to this service, and
    `entra` says that without any the service takes Entra ID.
    """
    url = addresses.with_own_query(made.url, options.query)
    chosen = choose_key(options, url, azure=azure, keys=keys, entra=entra)
    if made.service == OPENAI and chosen.kind == NONE:
        raise ConfigurationError(
            "OpenAI needs a key: set OPENAI_API_KEY, or rtnb.connect('openai', api_key=…). "
            "Without an account, rtnb.connect('local') works at once."
        )
    cloud = addresses.cloud_of(urlsplit(url).hostname or "", environ.get("AZURE_AUTHORITY_HOST", ""))
    settled = replace(
        made,
        url=url,
        credential=chosen.kind,
        key_header=chosen.header,
        query=options.query,
        intent=made.intent or options.intent or "",
        call_id=made.call_id or options.call_id or "",
        scope=options.scope or cloud.scope(made.dialect.entra_scope),
        authority="" if "AZURE_AUTHORITY_HOST" in environ else cloud.authority,
    )
    return _safe(settled, options), chosen.key


def _asked(options: ConnectOptions) -> dict[str, str]:
    return {"intent": options.intent or "", "call_id": options.call_id or ""}


def _usual_model(options: ConnectOptions) -> str:
    """Return the model where the user names none; a running call has its own."""
    return "" if options.call_id else DEFAULT_TRANSCRIPTION_MODEL if options.intent else DEFAULT_MODEL


def _named_model(options: ConnectOptions, model: str, own: bool) -> str:
    """Return the model that the URL names: none for a running call, nor for a transcription session of the clouds (`own`).

    There the session's settings name it; another server gets it in the URL if the user names one.
    """
    if options.call_id or (options.intent and (own or not (options.model or options.deployment))):
        return ""
    return model


def _dialect_of_url(options: ConnectOptions, path: str, query: str) -> Dialect:
    """Return the dialect that a full URL stands for; refuse a choice that its path contradicts."""
    by_url = dialect_of_request(f"{path}?{query}", {})
    asked = choose_dialect(options.dialect or by_url, azure=True, api_version=None)
    if asked is not by_url and "/openai/" in path:
        raise ConfigurationError(
            f"dialect={asked.name!r} contradicts the URL, whose form is the {by_url.title}'s; "
            f"leave dialect= out, or write the URL as wss://HOST{url_form(asked)}."
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
    usual = "" if "call_id" in query else DEFAULT_TRANSCRIPTION_MODEL if "intent" in query else _usual_model(options)
    asked = _model(options, in_url or usual)
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


def _safe(endpoint: Endpoint, options: ConnectOptions) -> Endpoint:
    """Refuse to send a secret in clear over a network."""
    parts = urlsplit(endpoint.url)
    secret = endpoint.credential != NONE or options.headers or options.query
    if parts.scheme == "ws" and secret and not is_loopback(parts.hostname or ""):
        what = "the credential" if endpoint.credential != NONE else "headers= and query=, whose values are secrets,"
        raise ConfigurationError(f"{endpoint.words} would get {what} in clear over ws://; write wss:// or https://.")
    return endpoint
