"""Which requests are accepted: those of this computer's own programs, and of no web page of another site. Pure.

A browser lets every page open WebSockets to loopback, and says in ``Origin`` which page it is. A page whose own name was
made to point to this computer (DNS rebinding) shows in ``Host``: it says the page's name, not this computer's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rtnb.formatting import one_line
from rtnb.protocol.urls import is_loopback


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What follows from the address that the service is bound to for the requests that it accepts."""

    host: str  # the address or name that the service is bound to
    names: frozenset[str] = frozenset()  # other names of this computer, by which an open service may be reached

    @property
    def is_open(self) -> bool:
        """Return whether other computers can reach the service."""
        return not is_loopback(self.host)

    def refusal(self, headers: Mapping[str, str]) -> str:
        """Return why a request with these headers is refused, and what to do; empty where it is accepted."""
        given = {name.lower(): value for name, value in headers.items()}
        host = _host_of(f"//{given.get('host', '')}")
        if not self._is_own(host):
            return (
                f"The request is for the host {_shown(given.get('host', ''))}, and this service is not it: a web page may "
                "have been made to point here (DNS rebinding). Use http://127.0.0.1 or http://localhost with the port"
                + ("." if self.is_open else ", or start the service with --host to open it to a network.")
            )
        origin = given.get("origin")
        if origin is not None and not self._is_own_page(origin, host):
            return (
                f"The request comes from a web page of {_shown(origin)}, and the service talks to no page of another site. "
                "Open the page from http://localhost or http://127.0.0.1, or use a client that is not a browser; those "
                "send no Origin header."
            )
        return ""

    def _is_own(self, host: str) -> bool:
        """Return whether `host` names this service. An open service accepts any address, which cannot be rebound."""
        if is_loopback(host):
            return True
        return self.is_open and (host in self.names or host == self.host.lower() or _is_address(host))

    def _is_own_page(self, origin: str, host: str) -> bool:
        if not origin.lower().startswith(("http://", "https://")):
            return False
        page = _host_of(origin)
        return is_loopback(page) or (self.is_open and page == host)

    def warning(self) -> str:
        """Return the warning for a service that is open to the network; empty for one that is not."""
        if not self.is_open:
            return ""
        return (
            f"WARNING: --host {one_line(self.host)} opens the service to the network.\n"
            "Any computer that reaches this one by its name or address can use it:\n"
            "it asks for no key and no password. Without --host it is for this computer alone."
        )

    def certificate_hosts(self) -> tuple[str, ...]:
        """Return the addresses and names that the service's certificate must have."""
        own = ["localhost", "127.0.0.1", "::1"]
        if self.is_open:
            own += sorted(self.names)
            if not (_is_address(self.host) and ipaddress.ip_address(self.host).is_unspecified):
                own.append(self.host)
        return tuple(dict.fromkeys(own))

    def url_host(self) -> str:
        """Return the host to write in a URL of the service, seen from this computer."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]" if ":" in host else host


def names_of(*names: str) -> frozenset[str]:
    """Return a computer's names as requests spell them: also with ``.local``, in lower case."""
    known = {name.rstrip(".").lower() for name in names if name}
    return frozenset(known | {f"{name}.local" for name in known if "." not in name})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host_of(url: str) -> str:
    """Return the host of a URL without its port, in lower case; "" if the URL has more than that, or cannot be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        return ""
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return (parts.hostname or "").rstrip(".") if plain else ""


def _shown(value: str) -> str:
    return repr(one_line(value, 100))
