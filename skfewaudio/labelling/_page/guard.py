"""Checks of every request before the page sees it: token, host, origin, method and size."""

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 4096  # bytes; an answer has a few hundred
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Refused(Exception):  # noqa: N818  # a decision, not a fault
    """A request that is not answered.

    Parameters
    ----------
    status : int
        HTTP status.
    reason : str
        Message for the sender.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Guard:
    """ASGI application that passes on the requests of the page, and refuses all others.

    A web page opened elsewhere in the browser does not know the token. It cannot learn it by a name that is
    made to lead to this machine (DNS rebinding), because the host is checked, and it cannot post an answer,
    because the origin is.

    Parameters
    ----------
    app : ASGI application
        Receives requests without the token in the path.
    token : str
        First part of every path.
    hosts : set of str
        Allowed values of the header Host.
    """

    def __init__(self, app: App, token: str, hosts: set[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            inner = self._check(scope)
            body = await self._read(scope, receive)
        except Refused as refusal:
            await _refuse(send, refusal)
            return
        await self._app(inner, _replay(body), _with_headers(send))

    def _check(self, scope: Scope) -> Scope:
        """Return the scope without the token."""
        headers = _unique_headers(scope)
        if headers.get("host", "") not in self._hosts:
            raise Refused(421, "wrong host")
        _, _, rest = scope["path"].partition("/")
        token, separator, path = rest.partition("/")
        if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token) or not separator:
            raise Refused(404, "not found")
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            raise Refused(403, "wrong origin")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise Refused(403, "request from another site")
        if scope["method"] == "POST":
            if origin is None:
                raise Refused(403, "no origin")
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                raise Refused(415, "expected JSON")
        elif scope["method"] != "GET":
            raise Refused(405, "expected GET or POST")
        return {
            **scope,
            "path": f"/{path}",
            "raw_path": f"/{path}".encode("utf-8", "surrogatepass"),
            "root_path": "",
        }

    @staticmethod
    async def _read(scope: Scope, receive: Receive) -> bytes:
        """Read the body, up to its limit."""
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "incomplete")
            body += message.get("body", b"")
            if len(body) > (MAX_BODY if scope["method"] == "POST" else 0):
                raise Refused(413, "too large")
            if not message.get("more_body", False):
                return body


def _unique_headers(scope: Scope) -> dict[str, str]:
    """Return the headers; one of those that are checked must not occur twice."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in found and key in ("host", "origin", "content-type", "sec-fetch-site"):
            raise Refused(400, f"several headers {key}")
        found[key] = value.decode("latin-1")
    return found


def _replay(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_header_list()]}
        await send(message)

    return guarded


def _header_list() -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in HEADERS.items()]


async def _refuse(send: Send, refusal: Refused) -> None:
    body = json.dumps({"error": refusal.reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), *_header_list()]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
