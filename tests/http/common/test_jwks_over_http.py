"""A key set behind an address: fetched once, bounded, and kept when the address fails."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common.auth.jwks import MAX_BYTES, Jwks, JwksUnavailable, public_jwk


class KeyServer(HTTPServer):
    """Serves `content` with `status` and counts the requests."""

    status, content, requests = 200, b"", 0


class Handler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self):
        self.server.requests += 1
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with KeyServer(("127.0.0.1", 0), Handler) as server:
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        server.content = orjson.dumps({"keys": [public_jwk("k1", key)]})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source(server):
    return f"http://127.0.0.1:{server.server_port}/jwks.json"


def test_many_unknown_keys_cost_one_fetch(server):
    jwks = Jwks(source(server))
    assert jwks.key("k1") is not None
    assert [jwks.key(f"guess{number}") for number in range(20)] == [None] * 20
    assert server.requests == 1


def test_threads_that_start_together_share_one_fetch(server):
    jwks, found = Jwks(source(server)), []
    threads = [threading.Thread(target=lambda: found.append(jwks.key("k1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert None not in found
    assert server.requests == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_address_that_fails_leaves_the_last_good_copy(server, status):
    now = [0.0]
    jwks = Jwks(source(server), monotonic=lambda: now[0])
    assert jwks.key("k1") is not None
    server.status, now[0] = status, 301.0
    assert jwks.key("k1") is not None
    assert server.requests == 2


def test_an_endless_key_set_is_not_read(server):
    server.content = b" " * (MAX_BYTES + 1)
    with pytest.raises(JwksUnavailable):
        Jwks(source(server)).key("k1")
