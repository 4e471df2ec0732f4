"""The page as an ASGI application, and the server that runs it."""

import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from jinja2 import Environment, PackageLoader, StrictUndefined

from skfewaudio.exceptions import AudioLoadError

from .._labeller import ActiveLabeller
from .guard import Guard
from .messages import parse_action
from .session import PageSession

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

ADDRESS = "127.0.0.1"
INSTALL = "the page needs Starlette and uvicorn: pip install 'skfewaudio[label]'"


class LabellingPage:
    """A page on this machine that asks the questions of an :class:`ActiveLabeller`.

    The page is served on the loopback address only. Its address holds a random token; requests without it,
    from another host name or from another origin are refused.

    Parameters
    ----------
    labeller : ActiveLabeller
        Asks the questions.
    model_path : path-like
        File that the model is saved to.
    table : path-like, default=None
        Table of labels, which the commands on the page name.
    folder : path-like, default="."
        Folder of the recordings, which names are shown relative to.
    port : int, default=0
        Port. 0 chooses a free one.

    Attributes
    ----------
    url : str
        Address of the page.
    app : ASGI application
        The page.

    Raises
    ------
    ImportError
        If Starlette or uvicorn is not installed.
    OSError
        If the port is taken.
    """

    def __init__(
        self,
        labeller: ActiveLabeller,
        *,
        model_path: str | os.PathLike[str],
        table: str | os.PathLike[str] | None = None,
        folder: str | os.PathLike[str] = ".",
        port: int = 0,
    ) -> None:
        try:
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
        except ImportError as error:
            raise ImportError(INSTALL) from error
        self.session = PageSession(labeller, model_path=model_path, table=table, folder=folder)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((ADDRESS, port))
            self._socket.listen(64)  # requests wait until the server runs
        except OSError:
            self._socket.close()
            raise
        self.port = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(24)
        self.url = f"http://{ADDRESS}:{self.port}/{token}/"
        hosts = {f"{ADDRESS}:{self.port}", f"localhost:{self.port}"}
        self.app = Guard(make_app(self.session), token, hosts)
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve the page until the process is interrupted."""
        with contextlib.suppress(KeyboardInterrupt):  # which the server raises again after its end
            self._make_server().run(sockets=[self._socket])
        self._socket.close()
        self.session.finish()

    def start(self) -> None:
        """Serve the page in a thread, such as from a notebook."""
        server = self._make_server()
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [self._socket]}, name="labelling-page", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._socket.close()
        self.session.finish()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make_server(self) -> Any:
        import uvicorn

        config = uvicorn.Config(
            self.app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            limit_concurrency=64,
            h11_max_incomplete_event_size=16384,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        return self._server


def make_app(session: PageSession) -> "Starlette":
    """Make the ASGI application behind the guard.

    Parameters
    ----------
    session : PageSession
        Content and actions of the page.

    Returns
    -------
    starlette.applications.Starlette
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    def clip_of(request: "Request") -> int:
        text = request.path_params["clip"]
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise ValueError("clip: expected an index")
        return int(text)

    reads: dict[str, Callable[[Any], Any]] = {
        "/next": lambda request: session.next(),
        "/state": lambda request: session.state(),
        "/review": lambda request: session.review(),
        "/outlook": lambda request: session.outlook(),
        "/clip/{clip}": lambda request: session.show(clip_of(request)),
        "/sound/{clip}": lambda request: ("audio/wav", session.sound(clip_of(request))),
        "/spectrogram/{clip}": lambda request: (
            "application/octet-stream",
            session.spectrogram(clip_of(request)),
        ),
        "/": lambda request: ("text/html; charset=utf-8", render_page()),
        "/label.css": lambda request: ("text/css; charset=utf-8", read_asset("label.css")),
        "/label.js": lambda request: ("text/javascript; charset=utf-8", read_asset("label.js")),
    }
    routes = [Route(path, _answer(read), methods=["GET"]) for path, read in reads.items()]
    routes.append(Route("/answer", _post(session), methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})
    app.router.redirect_slashes = False
    return app


def _answer(read: Callable[[Any], Any]) -> Callable[["Request"], Awaitable["Response"]]:
    """Make an endpoint; files are read and clips decoded in a thread."""

    async def endpoint(request: "Request") -> "Response":
        return await _respond(lambda: read(request))

    return endpoint


def _post(session: PageSession) -> Callable[["Request"], Awaitable["Response"]]:
    async def endpoint(request: "Request") -> "Response":
        body = await request.body()
        return await _respond(lambda: session.act(parse_action(body)))

    return endpoint


async def _respond(work: Callable[[], Any]) -> "Response":
    """Return the result of some work; errors become messages without a traceback."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, Response

    try:
        result = await run_in_threadpool(work)
    except (ValueError, TypeError) as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    except (AudioLoadError, OSError) as error:
        return JSONResponse({"error": f"{error}"}, status_code=500)
    if isinstance(result, tuple):
        kind, content = result
        return Response(content, media_type=kind)
    return JSONResponse(result)


async def _not_found(request: "Request", error: Exception) -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse({"error": "not found"}, status_code=404)


@cache
def render_page() -> str:
    """Render the page, which its script fills."""
    environment = Environment(
        loader=PackageLoader("skfewaudio.labelling._page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("label.html.jinja").render(speeds=("0.25", "0.5", "1", "1.5", "2"))


@cache
def read_asset(name: str) -> str:
    """Read the style sheet or the script."""
    return (files("skfewaudio.labelling._page") / "templates" / name).read_text(encoding="utf-8")
