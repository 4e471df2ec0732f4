"""Requests that the page must refuse: forged, malformed and oversized ones."""

import asyncio
import http.client
import json
import random
import socket

import pytest

from skfewaudio.labelling import ActiveLabeller, LabellingPage

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
JSON = "application/json"


class Client:
    """Send requests to the application without a network."""

    def __init__(self, page):
        self.page = page
        self.host = f"127.0.0.1:{page.port}"
        self.token = page.url.split("/")[3]
        self.loop = asyncio.new_event_loop()

    def send(self, method, path, headers=(), body=b"", *, token=None):
        """Return the status, the headers and the body of the response."""
        token = self.token if token is None else token
        path = path if token == "" else f"/{token}{path}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "server": ("127.0.0.1", self.page.port),
            "client": ("127.0.0.1", 1),
        }
        parts = [{"type": "http.request", "body": body, "more_body": False}]
        sent = []

        async def receive():
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def respond(message):
            sent.append(message)

        self.loop.run_until_complete(self.page.app(scope, receive, respond))
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), content

    def get(self, path, *headers, **options):
        return self.send("GET", path, [("Host", self.host), *headers], **options)

    def post(self, body, *, origin=True, kind=JSON):
        headers = [("Host", self.host), ("Content-Type", kind)]
        headers += [("Origin", f"http://{self.host}")] if origin else []
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", "/answer", headers, body)


@pytest.fixture(scope="module")
def page(sounds, tmp_path_factory):
    """The page of twelve sounds, of which one is labelled; it is not served."""
    folder = tmp_path_factory.mktemp("session")
    paths = sorted(map(str, sounds.iterdir()))
    labeller = ActiveLabeller(paths, table=folder / "labels.csv", background=False, cache=False)
    labeller.tell("tone", clip=0)
    page = LabellingPage(
        labeller, model_path=folder / "sounds.model", table=folder / "labels.csv", folder=sounds
    )
    page.table = folder / "labels.csv"
    yield page
    page.stop()


@pytest.fixture
def client(page):
    client = Client(page)
    yield client
    client.loop.close()


@pytest.fixture(autouse=True)
def nothing_is_lost(page):
    """Check that no request of a test has changed an answer."""
    before = page.table.read_bytes(), page.session.labeller.answers()
    yield
    assert (page.table.read_bytes(), page.session.labeller.answers()) == before


def test_page_and_its_parts_are_served_with_a_policy(client):
    for path, kind in (("/", b"text/html"), ("/label.js", b"text/javascript"), ("/label.css", b"text/css")):
        status, headers, content = client.get(path)
        assert status == 200
        assert headers[b"content-type"].startswith(kind)
        assert b"default-src 'none'" in headers[b"content-security-policy"]
        assert headers[b"referrer-policy"] == b"no-referrer"
        assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"https://" not in content


@pytest.mark.parametrize("token", ["x", "..", "%2e%2e", "", "a" * 5000, "é", "\udc80"])
def test_wrong_token_is_refused(client, token):
    for path in ("/", "/next", "/sound/0", "/label.js"):
        status, _, content = client.get(path, token=token)
        assert status == 404
        assert content == b'{"error": "not found"}'


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:{}.evil.example",
        "",
        "[::1]:{}",
    ],
)
def test_wrong_host_is_refused(client, host):
    found = client.send("GET", "/next", [("Host", host.format(client.page.port))])
    assert found[0] == 421


def test_missing_and_repeated_host_is_refused(client):
    assert client.send("GET", "/next")[0] == 421
    assert client.send("GET", "/next", [("Host", client.host), ("Host", "evil.example")])[0] == 400


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{}", "http://127.0.0.1:1", ""]
)
def test_wrong_origin_is_refused(client, origin):
    header = ("Origin", origin.format(client.page.port))
    assert client.get("/next", header)[0] == 403
    body = b'{"action": "label", "clip": 1, "label": "evil"}'
    headers = [("Host", client.host), ("Content-Type", JSON), header]
    assert client.send("POST", "/answer", headers, body)[0] == 403


def test_posts_of_other_sites_are_refused(client):
    body = b'{"action": "label", "clip": 1, "label": "evil"}'
    assert client.post(body, origin=False)[0] == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert client.post(body, kind=kind)[0] == 415
    for site in ("cross-site", "same-site"):
        assert client.get("/sound/1", ("Sec-Fetch-Site", site))[0] == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "CONNECT", "X"])
def test_other_methods_are_refused(client, method):
    assert client.send(method, "/answer", [("Host", client.host)])[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/../../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/label.js/../app.py", "/app.py"),
        *("/templates/label.js", "/sound", "/sound/", "/sound/..", "/sound/-1", "/sound/1e1", "/sound/99"),
        *("/sound/0/../1", "/sound/%00", "/sound/٣", f"/sound/{'9' * 6000}", "/spectrogram/x", "/clip/99"),
        *("/answer", "/next/", "/\x00", "/\udc80", "/sound/0.wav", "/docs", "/openapi.json"),
    ],
)
def test_no_other_path_is_served(client, path):
    status, _, content = client.get(path)
    assert status in (400, 404)
    assert set(json.loads(content)) == {"error"}


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"x",
            b"[]",
            b"null",
            b"\xff",
            b"[" * 4000,
            b'{"action": "label"}',
            b'{"action": "undo", "clip": 1}',
        ),
        b'{"action": "label", "clip": 1, "label": "x", "path": "/etc/passwd"}',
        b'{"action": "label", "clip": NaN, "label": "x"}',
        *(
            {"action": "label", "clip": clip, "label": "x"}
            for clip in (-1, 12, 1e9, 1.0, True, "1", None, [1], 10**40)
        ),
        *(
            {"action": "label", "clip": 1, "label": label}
            for label in ("", " ", "\0", "=x", "x" * 65, 1, None, ["x"], {})
        ),
        *({"action": action} for action in ("", "evil", None, 1, ["undo"], "__init__")),
        *(
            {"action": "label", "clip": 1, "label": "x", "start": start, "end": 0.2}
            for start in (-1, "0", True, 9, 10**400)
        ),
        {"action": "bad", "clip": 1, "start": 0.1, "end": 0.2},
        {"action": "undo", "label": "x"},
    ],
)
def test_malformed_answers_are_refused(client, body):
    status, _, content = client.post(body)
    assert status == 400
    assert set(json.loads(content)) == {"error"}
    assert b"Traceback" not in content


def test_large_bodies_are_refused(client):
    assert client.post(b" " * 5000)[0] == 413
    assert client.get("/next", body=b"x")[0] == 413


def malform(rng, client):
    """Return a random request with at least one fault."""
    headers = [("Host", client.host), ("Origin", f"http://{client.host}"), ("Content-Type", JSON)]
    body = bytearray(b'{"action": "label", "clip": 1, "label": "evil"}')
    for _ in range(rng.randint(1, 8)):
        body[rng.randrange(len(body))] = rng.choice(b'"{}[]:,0\x00\xff\\')
    # The first bytes are the name of the first field, which must not be right.
    body[2:8] = bytes(rng.choice(b'abcxyz\x00\xff"{') for _ in range(6))
    path = rng.choice(
        ["/answer", "/sound/-1", "/clip/x", "/state/..", "/" + "%2e" * rng.randint(1, 30), "/\u202e"]
    )
    fault = rng.randrange(4)
    if fault == 0:
        headers[0] = ("Host", "".join(rng.choices("abc.:\x01é", k=rng.randint(0, 20))))
    elif fault == 1:
        headers[1] = ("Origin", "".join(rng.choices("htp:/.x\xff", k=rng.randint(0, 20))))
    elif fault == 2:
        headers += [(rng.choice(["Host", "X", "Sec-Fetch-Site"]), "x" * rng.randint(0, 3000))]
    method = rng.choice(["GET", "POST", "POST", "PUT", "\x00"])
    return method, path, headers, bytes(body[: rng.randint(0, len(body))])


def refuse_all(client, n_requests):
    rng = random.Random(0)
    for _ in range(n_requests):
        method, path, headers, body = malform(rng, client)
        status, _, content = client.send(method, path, headers, body)
        assert 400 <= status < 500
        assert b"Traceback" not in content
    assert client.get("/state")[0] == 200


def test_malformed_requests_are_refused(client):
    refuse_all(client, 300)


@pytest.mark.long
def test_ten_thousand_malformed_requests_are_refused(client):
    refuse_all(client, 10_000)


@pytest.fixture(scope="module")
def served(page):
    page.start()
    return page


def test_garbage_on_the_wire_is_refused_and_the_page_stays(served):
    rng = random.Random(0)
    for _ in range(60):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as wire:
            start = rng.choice(
                [b"", b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n"]
            )
            wire.sendall(start + rng.randbytes(rng.randint(1, 2000)) + b"\r\n\r\n")
            wire.shutdown(socket.SHUT_WR)
            answer = wire.recv(4096)
        assert not answer or answer.split(b" ")[1][:1] == b"4"
        assert b"Traceback" not in answer
    client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    client.request("GET", served.url.removeprefix(f"http://127.0.0.1:{served.port}") + "state")
    assert client.getresponse().status == 200
    client.close()


def test_page_listens_on_the_loopback_address_alone(served):
    assert served.url.startswith("http://127.0.0.1:")
    assert served._socket.getsockname()[0] == "127.0.0.1"
