"""Requests to addresses that others have given us: what is sent where, and where never."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from common.outgoing import posting
from common.outgoing.addresses import is_allowed, is_public
from common.outgoing.posting import Answer, NoAnswer, Poster, Rules, UrlRefused
from tests.servers.endpoint import Endpoint, Received, answer
from tests.servers.process import free_port

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
LONG = 60.0
OPEN = Rules(networks=LOOPBACK, seconds=LONG)
ELSEWHERE = Rules(networks=(ipaddress.ip_network("10.99.0.0/16"),), seconds=LONG)
NAME = "hooks.test"
TAIL = 30.0
"""Seconds: far more than any limit here, and far less than for ever."""

PUBLIC = ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e", "::ffff:1.1.1.1")
NEVER = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192",
    "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.2.3", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "192.88.99.1",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::1", "64:ff9b:1::808:808",
    "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
)  # fmt: skip


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


def named(*answers: Sequence[str]) -> tuple[posting.Resolver, list[str]]:
    """A resolver that gives its answers one after the other, and what it was asked."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(f"{host}:{port}")
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


def to(endpoint: Endpoint, host: str = NAME) -> str:
    return f"http://{host}:{endpoint.port}/in?a=b"


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_may_be_sent_to(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", NEVER)
def test_what_is_not_public_is_never_sent_to(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert not is_public(address)
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(UrlRefused):
        Poster(Rules()).check(f"https://{host}/in")
    resolver, _ = named([text])
    with pytest.raises(UrlRefused):
        Poster(Rules(), resolver=resolver).post(f"https://{NAME}/in", {}, b"")


def test_a_network_that_is_configured_may_be_sent_to_and_no_other() -> None:
    networks = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32"))
    for text, allowed in (("10.1.9.9", True), ("10.2.0.1", False), ("fd00:1::5", True), ("fd00:2::5", False)):
        assert is_allowed(ipaddress.ip_address(text), networks) is allowed
    assert is_allowed(ipaddress.ip_address("::ffff:10.1.0.1"), networks)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/in", "ftp://example.org/in", "https:///in", "https://", "in", "https://a:99999/",
        "https://user@example.org/", "https://u:p@example.org/", "https://example.org/#part",
        "https://example.org/a b", "https://exämple.org/", "https://example.org\\@127.0.0.1/",
        "https://example.org/\r\nX: y", "https://[::1", "https://example.org/" + "a" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        Poster(Rules()).check(url)


def test_http_is_for_configured_networks_alone() -> None:
    poster = Poster(OPEN, resolver=named(["1.1.1.1"])[0])
    poster.check("http://127.0.0.1/in")
    with pytest.raises(UrlRefused):
        poster.check("http://1.1.1.1/in")
    with pytest.raises(UrlRefused):
        poster.post("http://example.org/in", {}, b"")
    poster.check("https://1.1.1.1/in")


def test_the_address_that_was_checked_is_the_one_connected_to(endpoint: Endpoint) -> None:
    """The name means nothing to the system, and the Host header has it all the same."""
    resolver, asked = named(["127.0.0.1"])
    poster = Poster(OPEN, resolver=resolver)
    assert poster.post(to(endpoint), {"X-One": "1"}, b"body") == Answer(204)
    (received,) = endpoint.received
    assert received.body == b"body"
    assert (received.headers["host"], received.headers["x-one"]) == (f"{NAME}:{endpoint.port}", "1")
    assert asked == [f"{NAME}:{endpoint.port}"]


def test_a_name_that_means_another_address_a_moment_later_is_checked_anew(endpoint: Endpoint) -> None:
    resolver, asked = named(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1"])
    poster = Poster(OPEN, resolver=resolver)
    poster.post(to(endpoint), {}, b"1")
    with pytest.raises(UrlRefused):
        poster.post(to(endpoint), {}, b"2")
    poster.post(to(endpoint), {}, b"3")
    assert [each.body for each in endpoint.received] == [b"1", b"3"]
    assert len(asked) == 3, "one question for each request"


@pytest.mark.parametrize("others", [["127.0.0.2"], ["10.0.0.1"], ["::1"], ["1.1.1.1", "169.254.169.254"]])
def test_one_address_that_may_not_be_sent_to_spoils_the_name(endpoint: Endpoint, others: list[str]) -> None:
    resolver, _ = named(["127.0.0.1", *others])
    with pytest.raises(UrlRefused):
        Poster(OPEN, resolver=resolver).post(to(endpoint), {}, b"")
    assert endpoint.received == []


def written(host: str, _: int) -> Sequence[str]:
    """What the system's resolver makes of the many ways to write an address."""
    return [host if ":" in host else socket.inet_ntoa(socket.inet_aton(host))]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]"])
def test_loopback_is_refused_however_it_is_written(endpoint: Endpoint, host: str) -> None:
    """By the rules of a destination that allows something else."""
    with pytest.raises(UrlRefused):
        Poster(ELSEWHERE, resolver=written).post(to(endpoint, host), {}, b"")
    with pytest.raises(UrlRefused):
        Poster(ELSEWHERE).post(to(endpoint, "localhost"), {}, b"")
    assert endpoint.received == []


def test_without_the_guard_loopback_is_reached(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what the tests above see refused is refused by the guard, and by nothing else."""
    monkeypatch.setattr(posting, "is_allowed", lambda address, networks: True)
    monkeypatch.setattr(posting, "_configured", lambda address, networks: True)
    for host in ("127.0.0.1", "2130706433", "0x7f.1"):
        Poster(ELSEWHERE, resolver=written).post(to(endpoint, host), {}, b"")
    Poster(ELSEWHERE).post(to(endpoint, "localhost"), {}, b"")
    assert len(endpoint.received) == 4


def test_a_redirect_is_an_answer_and_not_followed(endpoint: Endpoint) -> None:
    with Endpoint() as inside:
        endpoint.behave = answer(307, Location=inside.url)
        assert Poster(OPEN).post(endpoint.url, {}, b"").status == 307
        assert inside.received == []


def test_an_endpoint_may_say_when_to_come_again(endpoint: Endpoint) -> None:
    poster = Poster(OPEN)
    for text, seconds in (("120", 120.0), ("soon", None), ("-5", None), ("999999999", 86_400.0)):
        endpoint.behave = answer(503, Retry_After=text)
        assert poster.post(endpoint.url, {}, b"") == Answer(503, seconds)


def test_whoever_does_not_answer_is_waited_for_no_longer_than_allowed(endpoint: Endpoint) -> None:
    over = threading.Event()

    def hang(_: Received, __: BaseHTTPRequestHandler) -> None:
        over.wait(TAIL)

    def trickle(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.05):
            handler.wfile.write(b"X-A: b\r\n"[:1])

    poster = Poster(Rules(networks=LOOPBACK, seconds=0.6))
    try:
        for behaviour in (hang, trickle):
            endpoint.behave = behaviour
            began = time.monotonic()
            with pytest.raises(NoAnswer, match="in time"):
                poster.post(endpoint.url, {}, b"")
            assert time.monotonic() - began < TAIL / 2
    finally:
        over.set()


def test_an_answer_without_end_is_not_read_to_its_end(endpoint: Endpoint) -> None:
    written: list[int] = []

    def flood(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while sum(written) < 500 * posting.MAX_ANSWER_BYTES:
                written.append(handler.wfile.write(b"x" * 65_536))
        except OSError:
            written.append(0)

    endpoint.behave = flood
    assert Poster(OPEN).post(endpoint.url, {}, b"").status == 200
    assert sum(written) < 500 * posting.MAX_ANSWER_BYTES


def test_a_resolver_that_hangs_or_fails_is_no_answer(endpoint: Endpoint) -> None:
    over = threading.Event()

    def hang(host: str, port: int) -> Sequence[str]:
        over.wait(TAIL)
        return []

    def fail(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    rules = Rules(networks=LOOPBACK, seconds=0.3)
    try:
        for resolver in (hang, fail, named([])[0], named(["not an address"])[0]):
            with pytest.raises(NoAnswer):
                Poster(rules, resolver=resolver).post(to(endpoint), {}, b"")
    finally:
        over.set()


def test_nobody_there_is_no_answer_and_the_next_address_is_tried(endpoint: Endpoint) -> None:
    networks = (ipaddress.ip_network("127.0.0.0/8"),)
    with pytest.raises(NoAnswer, match="refused"):
        Poster(Rules(networks=networks, seconds=LONG)).post(f"http://127.0.0.1:{free_port()}/", {}, b"")
    resolver, _ = named(["127.0.0.9", "127.0.0.1"])
    assert (
        Poster(Rules(networks=networks, seconds=LONG), resolver=resolver).post(to(endpoint), {}, b"").status
        == 204
    )


def test_tls_is_held_to_the_name_and_not_to_the_address(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path, NAME)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate)
    seen: list[str | None] = []
    served.sni_callback = lambda _, name, __: seen.append(name)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with Endpoint(tls=served) as endpoint:
        resolver, _ = named(["127.0.0.1"])
        poster = Poster(OPEN, resolver=resolver, tls=lambda: trusting)
        assert poster.post(f"https://{NAME}:{endpoint.port}/in", {}, b"").status == 204
        with pytest.raises(NoAnswer, match="certificate"):
            poster.post(f"https://other.test:{endpoint.port}/in", {}, b"")
        with pytest.raises(NoAnswer, match="certificate"):
            Poster(OPEN, resolver=resolver).post(f"https://{NAME}:{endpoint.port}/in", {}, b"")
        assert len(endpoint.received) == 1
    assert seen == [NAME, "other.test", NAME]


def _certificate(folder: Path, name: str) -> Path:
    """A certificate for `name` that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path
