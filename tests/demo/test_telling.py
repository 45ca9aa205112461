"""What a person at a terminal is shown."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from demo.api import Api, NobodyAnswers
from demo.log_lines import for_people
from demo.payment_form import PaymentForm
from demo.story import Story, Unexpected
from tests.servers.process import free_port


class Answering(BaseHTTPRequestHandler):
    """`/busy` says 429 once and then 200; `/full` is a business refusal of that status; `/plain` is 200."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        path = self.path.partition("?")[0]
        busy = path == "/busy" and self.seen.count(self.path) == 1
        code = "RATE_LIMITED" if busy else "TOO_MANY_HOLDS" if path == "/full" else ""
        status = 429 if code else 200
        document = {"code": code, "detail": "", "title": "Too many"} if code else {"ok": True}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json" if code else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def api(seen: list[str]) -> Iterator[Api]:
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (Answering,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with Api(f"http://127.0.0.1:{server.server_port}") as api:
        yield api
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_gateways_429_is_waited_for_and_a_business_429_is_an_answer(api: Api, seen: list[str]) -> None:
    assert api.send("GET", "/busy").status_code == 200
    assert api.send("GET", "/full").status_code == 429
    assert seen == ["/busy", "/busy", "/full"]


def test_an_unexpected_answer_ends_the_tour_with_what_was_asked_and_what_came(api: Api) -> None:
    story = Story(api, io.StringIO())
    story.ask("GET", "/plain", 200)
    with pytest.raises(Unexpected, match=r"GET /plain was answered 200, not 201"):
        story.ask("GET", "/plain", 201)
    with pytest.raises(Unexpected, match=r"GET /full was answered 429 TOO_MANY_HOLDS, not 429 OTHER"):
        story.ask("GET", "/full", 429, code="OTHER")


def test_a_step_is_plain_text_without_a_terminal_and_hides_what_is_secret(api: Api) -> None:
    stream = io.StringIO()
    story = Story(api, stream)
    story.step("Look")
    body = {"email": "gate@example.org", "password": "secret"}
    query = {"t": "secret", "q": "mill"}
    story.ask("GET", "/plain", 200, query=query, body=body, version='"3"', show=str, who="gate")
    assert stream.getvalue() == (
        "\n 1. Look\n    > GET /plain?t=...&q=mill  (gate)\n"
        '      If-Match: "3"\n      {"email": "gate@example.org", "password": "..."}\n'
        "    < 200 OK  {'ok': True}\n"
    )


def test_without_a_gateway_it_says_so() -> None:
    with (
        Api(f"http://127.0.0.1:{free_port()}") as api,
        pytest.raises(NobodyAnswers, match="no answer"),
    ):
        api.send("GET", "/tickets")


def test_the_payment_form_is_read_as_a_browser_does() -> None:
    form = PaymentForm(
        '<form method="post" action="page"><input type="hidden" name="session" value="a&amp;b">'
        '<button name="action" value="pay">Pay</button>'
        '<button name="action" value="decline">No</button></form>'
    )
    assert (form.action, form.fields, form.buttons) == ("page", {"session": "a&b"}, ["pay", "decline"])


def test_json_log_lines_become_short_and_others_stay() -> None:
    request = {
        "logger": "request", "method": "GET", "route": "/api/v1/tickets", "status": 200,
        "durationMs": 3.2, "requestId": "abc",
    }  # fmt: skip
    assert for_people(json.dumps(request)) == "GET /api/v1/tickets 200 (3 ms)"
    assert for_people(json.dumps({**request, "status": 500})) == "GET /api/v1/tickets 500 (3 ms) [abc]"
    refused = {**request, "status": 409, "code": "SOLD_OUT"}
    assert for_people(json.dumps(refused)) == "GET /api/v1/tickets 409 SOLD_OUT (3 ms) [abc]"
    poll = {**request, "route": "/api/admin/auth/changes"}
    assert for_people(json.dumps(poll)) is None
    assert for_people(json.dumps({**poll, "status": 503})) == "GET /api/admin/auth/changes 503 (3 ms) [abc]"
    failure = {"logger": "app", "level": "error", "message": "broken", "exception": "Traceback\nValueError"}
    assert for_people(json.dumps(failure)) == "error app: broken\nTraceback\nValueError"
    for line in ("nginx: ready", "{not json", '{"other": 1}', "{}", '{"logger": "request"}'):
        assert for_people(line) == line
