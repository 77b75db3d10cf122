"""`client_secret`: ask a service for a key of a few minutes, with one POST."""

from __future__ import annotations

import inspect
import ssl
from typing import Any

from rtnb.client.client_secret import ClientSecret, granted_secret, secret_request, secret_url
from rtnb.client.loop import loop_thread
from rtnb.client.options import ConnectOptions
from rtnb.client.tools import with_definitions
from rtnb.connecting import Preparation, prepare
from rtnb.errors import ConnectError
from rtnb.formatting import one_line, seconds

_NOT_OF_A_SECRET = ("record", "reconnect", "call_id")


def client_secret(target: str | None = None, *, expires: float = 600.0, **options: Any) -> ClientSecret:
    """Ask a service for a key that lives a few minutes, to hand out in place of the real one.

    A teacher makes one, and thirty laptops connect with it: ``rtnb.connect("openai", api_key=secret.value)``. Its sessions
    begin with the settings that are given here.

    Parameters
    ----------
    target : str, optional
        As for `rtnb.connect`.
    expires : float
        Seconds until it expires, 10 to 7,200.
    **options
        The service, its credential and the settings of the sessions, as for `rtnb.connect`: ``api_key=``, ``endpoint=``,
        ``deployment=``, ``model=``, ``intent="transcription"``, ``timeout=``, ``voice=``, ``instructions=`` …

    Raises
    ------
    ConfigurationError
        Something is missing or contradictory; nothing was sent. The message has the corrected form.
    ConnectError, AuthError
        The service granted none, and what to do.
    """
    connecting = ConnectOptions(target, **options)
    prepared = prepare(connecting)
    return loop_thread().call(_granted(prepared, expires, connecting.timeout))


vars(client_secret)["__signature__"] = inspect.signature(client_secret).replace(
    parameters=[
        *(each for each in inspect.signature(client_secret).parameters.values() if each.name != "options"),
        *(
            each
            for each in inspect.signature(ConnectOptions).parameters.values()
            if each.name not in ("target", *_NOT_OF_A_SECRET)
        ),
    ]
)


async def _granted(prepared: Preparation, expires: float, timeout: float) -> ClientSecret:
    """Ask for a secret; on the I/O loop."""
    import httpx

    _, config = with_definitions(prepared.config)
    secret_url(prepared.place), secret_request(prepared.place, config, expires)  # refused before a service is started
    place, _ = await prepared.started()
    url, credential = secret_url(place), prepared.credential
    headers = {**place.headers, **await credential.headers()}
    try:
        async with httpx.AsyncClient(
            timeout=timeout, verify=ssl.create_default_context(), trust_env=place.service != "local"
        ) as client:
            # Redirects are not followed: they would take the credential elsewhere.
            answer = await client.post(url, json=secret_request(place, config, expires), headers=headers)
    except httpx.TimeoutException:
        raise ConnectError(
            f"{place.words} granted no client secret within {seconds(timeout)}; give timeout= more seconds."
        ) from None
    except httpx.HTTPError as error:
        said = credential.scrub(one_line(error, 200).rstrip(".").encode()).decode()
        raise ConnectError(
            f"{place.words} cannot be reached for a client secret: {type(error).__name__} {said}; check that it runs and "
            "its address."
        ) from None
    return granted_secret(answer.status_code, credential.scrub(answer.content), place)
