"""Requests that are no GET, as bytes: however they come, there is one answer, and then the end."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from rtnb.service.server.http_exchange import LARGEST_BODY, HttpExchange
from rtnb.service.server.routes import json_page

POST = b"POST /v1/x?a=1 HTTP/1.1\r\nHost: h\r\nX-Two: a\r\nX-Two: b\r\n"


def exchange(given=None):
    """An exchange that answers with what it was asked."""

    def answer(request):
        if given is not None:
            given.append(request)
        return json_page(
            HTTPStatus.OK, {"method": request.method, "target": request.target, "body": request.body.decode()}
        )

    return HttpExchange(answer)


def read(said):
    head, _, body = said.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return status, head.decode().lower(), body


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 4\r\n\r\nbody",
        POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    ],
)
def test_a_body_in_pieces_is_one_request(sent, size):
    """Split anywhere, with its length or in chunks, a request is answered once and when it is complete."""
    given = []
    http = exchange(given)
    said = [http.receive(sent[i : i + size]) for i in range(0, len(sent), size)]
    status, head, body = read(b"".join(said))
    assert status == 200
    assert json.loads(body) == {"method": "POST", "target": "/v1/x?a=1", "body": "body"}
    assert f"content-length: {len(body)}" in head
    assert "connection: close" in head
    assert "cache-control: no-store" in head
    assert http.over
    assert not any(said[:-1])
    assert len(given) == 1
    assert given[0].headers["x-two"] == "a, b"


def test_a_client_that_asks_before_it_sends():
    """Expect: 100-continue is answered, then the body comes."""
    http = exchange()
    assert b"100" in http.receive(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n").splitlines()[0]
    assert not http.over
    assert read(http.receive(b"body"))[0] == 200


def test_a_body_that_is_too_large_is_read_and_refused():
    """The answer is 413 with the limit, after the whole body, so that the client reads it."""
    http = exchange()
    assert http.receive(POST + b"Content-Length: %d\r\n\r\n" % (LARGEST_BODY + 1)) == b""
    assert http.receive(b"x" * LARGEST_BODY) == b""
    status, _, body = read(http.receive(b"x"))
    assert status == 413
    assert "262,145 bytes" in json.loads(body)["error"]["message"]
    assert "262,144" in json.loads(body)["error"]["message"]


def test_a_body_without_end_is_let_go(monkeypatch):
    """What is longer than anybody needs ends without an answer, and is not kept."""
    monkeypatch.setattr("rtnb.service.server.http_exchange._MOST_READ", 300_000)
    http = exchange()
    said = http.receive(POST + b"Content-Length: 9999999999\r\n\r\n" + b"x" * 400_000)
    assert (said, http.over) == (b"", True)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00 \r\n\r\n",
        b"POST\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_an_answer_that_says_so(sent):
    """A TLS greeting, half a request line and a wrong length get 400 and a sentence."""
    http = exchange()
    status, _, body = read(http.receive(sent))
    assert status == 400
    assert "no HTTP request" in json.loads(body)["error"]["message"]
    assert http.over


def test_a_head_of_endless_headers():
    """It is refused as h11 refuses it: 431."""
    http = exchange()
    assert read(http.receive(POST + b"X: " + b"y" * 100_000))[0] == 431


def test_head_has_no_body():
    """The answer to HEAD has the length and no body."""
    status, head, body = read(exchange().receive(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"))
    assert (status, body) == (200, b"")
    assert "content-length: 0" not in head
