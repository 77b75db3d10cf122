"""The exceptions of rtnb, as a tree.

::

    RtnbError
    ├── ConfigurationError (ValueError)   settings are missing or contradict one another; nothing was sent
    ├── AudioError (ValueError)           samples or a file that cannot be read as audio
    ├── ImageError (ValueError)           an image that cannot be read, or that no message can carry
    ├── RecordingError (ValueError)       a file that is no recording, or cannot be recorded into
    ├── ConnectError (ConnectionError)    no session could be opened: status, body, retry_after
    │   └── AuthError                     the service refused the credential, or there is none
    ├── SessionClosed (ConnectionError)   the session has ended: code, reason, who, last_activity
    ├── ServerError                       the service refused this call: type, code, param, event_id
    ├── ProtocolError                     the peer broke the protocol: frame
    ├── SessionBusy                       a response is in progress, and the caller chose not to wait
    └── ResponseTimeout (TimeoutError)    a timeout has run out: waited_for, timeout

Each has its details as attributes, and a message that ends in what to do next.
"""

from __future__ import annotations

from typing import Any


class RtnbError(Exception):
    """Base of every error that rtnb raises on purpose."""


class ConfigurationError(RtnbError, ValueError):
    """Settings are missing or contradict one another. Raised before anything is sent."""


class AudioError(RtnbError, ValueError):
    """Samples, a rate or a file that cannot be read as audio."""


class ImageError(RtnbError, ValueError):
    """An image that cannot be read, or that no message can carry. Raised before anything is sent."""


class RecordingError(RtnbError, ValueError):
    """A file that is no recording, or that cannot be recorded into."""


class ConnectError(RtnbError, ConnectionError):
    """No session could be opened.

    Attributes
    ----------
    status : int or None
        HTTP status of a refused handshake.
    body : str
        The body of the service's answer, shortened.
    retry_after : float or None
        Seconds that the service wants to be left alone.
    """

    def __init__(
        self, message: str, *, status: int | None = None, body: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.retry_after = retry_after


class AuthError(ConnectError):
    """The service refused the credential, or there is none."""


class SessionClosed(RtnbError, ConnectionError):
    """The session has ended.

    Attributes
    ----------
    code : int or None
        WebSocket close code (RFC 6455, 7.4); 1006 where the connection broke without a close frame.
    reason : str
        The close frame's reason, or what broke the connection.
    who : str
        ``"service"``, ``"client"`` or ``"network"``: what ended it.
    last_activity : float or None
        Seconds since the session opened at which the last frame was recorded.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        reason: str = "",
        who: str = "",
        last_activity: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.who = who
        self.last_activity = last_activity


class ServerError(RtnbError):
    """The service answered a call with an ``error`` event that names it.

    Attributes
    ----------
    type, code, param : str or None
        As in the event's ``error`` object.
    event_id : str or None
        The client event that the error names.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str | None = None,
        code: str | None = None,
        param: str | None = None,
        event_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.code = code
        self.param = param
        self.event_id = event_id

    @classmethod
    def from_error(cls, error: dict[str, Any]) -> ServerError:
        """Make the exception from an ``error`` event's ``error`` object; every field of it may be missing."""

        def text(key: str) -> str | None:
            value = error.get(key)
            return None if value is None else str(value)

        label = text("code") or text("type") or "error"
        message = text("message") or "the service gave no message"
        hint = f" (parameter {text('param')})" if text("param") else ""
        return cls(
            f"{label}: {message}{hint}",
            type=text("type"),
            code=text("code"),
            param=text("param"),
            event_id=text("event_id"),
        )


class ProtocolError(RtnbError):
    """The peer broke the protocol.

    Attributes
    ----------
    frame : bytes
        The beginning of the frame that could not be read.
    """

    def __init__(self, message: str, *, frame: bytes = b"") -> None:
        super().__init__(message)
        self.frame = frame


class SessionBusy(RtnbError):
    """A response is in progress, and the call was made with ``when_busy="raise"``."""


class ResponseTimeout(RtnbError, TimeoutError):
    """A timeout has run out.

    Attributes
    ----------
    waited_for : str
        What the call waited for, in words.
    timeout : float
        Seconds that were allowed.
    """

    def __init__(self, message: str, *, waited_for: str = "", timeout: float = float("nan")) -> None:
        super().__init__(message)
        self.waited_for = waited_for
        self.timeout = timeout
