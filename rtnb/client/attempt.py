"""`Attempt`: the facts of one attempt to connect, for the error that it may end in. Pure; no secret is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from rtnb.client.addresses import has_azure_path
from rtnb.client.endpoint import Endpoint
from rtnb.errors import ServerError
from rtnb.formatting import one_line
from rtnb.protocol.catalog import AZURE, REALTIME, TRANSCRIPTION, unknown_model

_ABOUT_A_MODEL = re.compile(r"model|deployment", re.IGNORECASE)
_QUOTED = re.compile(r"'([^']+)'")
_OF_A_DEPLOYMENT = "On Azure a deployment has a name of its own, to be found among the resource's deployments; "


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was dialled, and how.

    Attributes
    ----------
    endpoint : Endpoint
    credential : str
        The kind of credential.
    proxy : tuple of str or None
        Its address without its password, and the variable that names it.
    certificates : str
        ``SSL_CERT_FILE``, where that is set.
    """

    endpoint: Endpoint
    credential: str
    proxy: tuple[str, str] | None = None
    certificates: str = ""

    @classmethod
    def of(
        cls, endpoint: Endpoint, credential: str, proxy: tuple[str, str] | None, environ: Mapping[str, str]
    ) -> Attempt:
        """Return the facts of an attempt in this environment."""
        return cls(endpoint, credential, proxy, environ.get("SSL_CERT_FILE", ""))

    @property
    def facts(self) -> str:
        """Return what was dialled, and how, as a sentence."""
        place = self.endpoint
        named = "deployment" if has_azure_path(urlsplit(place.url).path) else "model"
        words = [
            f"Dialled {one_line(place.shown_url, 400)}" + (f" (from {place.named_by})" if place.named_by else ""),
            f"{named} {one_line(place.model, 80)!r}" if place.model else "",
            self.credential,
        ]
        if self.proxy is not None:
            address, variable = self.proxy
            words.append(f"through the proxy {one_line(address, 120)} (from {variable or 'the system settings'})")
        return f"{', '.join(filter(None, words))}."

    @property
    def trust(self) -> str:
        """Return which certificates are trusted, as a sentence."""
        if self.certificates:
            return f"SSL_CERT_FILE={one_line(self.certificates, 200)} names the certificates that are trusted, and no others are."
        return (
            "Where a company's proxy, or a service of one's own, signs for itself, set SSL_CERT_FILE to the file with its "
            "certificate."
        )

    def model_hint(self, said: str, today: date, status: int | None = None) -> str:
        """Return a sentence about the model, where what the service `said`, or its HTTP status, is about that; else nothing."""
        place = self.endpoint
        if not place.provider or not place.model or not (_ABOUT_A_MODEL.search(said) or status == 404):
            return ""
        return _unknown(place.model, place.provider, today, TRANSCRIPTION if place.intent else REALTIME)


def refused_model(provider: str, error: ServerError, today: date) -> str:
    """Return a sentence about a transcription model that a service refused in a session's settings; else nothing."""
    named = _QUOTED.search(str(error).partition(" (parameter ")[0])
    if not provider or named is None or not (error.param or "").endswith("transcription.model"):
        return ""
    return _unknown(named[1], provider, today, TRANSCRIPTION)


def _unknown(name: str, provider: str, today: date, use: str) -> str:
    words = unknown_model(name, provider, today, use)
    return f"{_OF_A_DEPLOYMENT}{words}." if provider == AZURE else f"{words[0].upper()}{words[1:]}."
