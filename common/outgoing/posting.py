"""A POST to a URL that somebody else has given us.

Its name is resolved once; every address that it has is checked, and one of those is connected to: a name that
means something else a moment later changes nothing. TLS is held to the name. Redirects are not followed, no
proxy is used, and the whole exchange has one time limit.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from common.outgoing.addresses import Address, Network, is_allowed
from common.tls import trusted

MAX_URL = 2000
MAX_ANSWER_BYTES = 64 * 1024
LONGEST_RETRY_AFTER = 86_400.0

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a name, as text. Raises OSError."""


class UrlRefused(Exception):
    """Nothing is sent to this URL; the message says why, and names no address that it was resolved to."""


class NoAnswer(Exception):
    """The request came to nothing: no connection, no TLS, no answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of the body nothing is kept. `retry_after`: seconds, where the server asks for them."""

    status: int
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`networks`: what may be sent to although it is not public, and there without TLS, too."""

    networks: tuple[Network, ...] = ()
    seconds: float = 10.0


def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Poster:
    """Sends. Safe to use from many threads; each request has a connection of its own."""

    def __init__(
        self, rules: Rules, *, resolver: Resolver = resolve, tls: Callable[[], ssl.SSLContext] = trusted
    ) -> None:
        self._rules, self._resolver, self._tls = rules, resolver, tls

    def check(self, url: str) -> None:
        """Whether anything would be sent to it, as far as the text says. Raises UrlRefused."""
        parts = self._parts(url)
        try:
            address = ipaddress.ip_address(parts.hostname or "")
        except ValueError:
            return
        self._check_address(parts, address)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises UrlRefused, NoAnswer."""
        ends_at = time.monotonic() + self._rules.seconds
        parts = self._parts(url)
        host, port = parts.hostname or "", _port(parts)
        addresses = self._addresses(parts, host, port, ends_at)
        try:
            return self._sent(parts, host, port, addresses, headers, body, ends_at)
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            late = time.monotonic() >= ends_at
            raise NoAnswer("no answer in time" if late else _words(error)) from error

    def _parts(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            fits = parts.hostname and _port(parts) and len(url) <= MAX_URL and url.isascii()
        except ValueError as error:
            raise UrlRefused("It is no URL.") from error
        if not fits or any(character <= " " or character == "\\" for character in url):
            raise UrlRefused("It is no URL that can be sent to.")
        if parts.scheme != "https" and not (parts.scheme == "http" and self._rules.networks):
            raise UrlRefused("It must begin with https://.")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise UrlRefused("It has neither a user nor a fragment.")
        return parts

    def _addresses(self, parts: SplitResult, host: str, port: int, ends_at: float) -> list[Address]:
        try:
            texts = _in_time(lambda: self._resolver(host, port), ends_at - time.monotonic())
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
        except (OSError, ValueError) as error:
            raise NoAnswer("the name of the server cannot be resolved") from error
        for address in found:
            self._check_address(parts, address)
        if not found:
            raise NoAnswer("the name of the server has no address")
        return found

    def _check_address(self, parts: SplitResult, address: Address) -> None:
        if not is_allowed(address, self._rules.networks):
            raise UrlRefused("Its address is not one of the public internet.")
        if parts.scheme != "https" and not _configured(address, self._rules.networks):
            raise UrlRefused("It must begin with https://.")

    def _sent(
        self,
        parts: SplitResult,
        host: str,
        port: int,
        addresses: Sequence[Address],
        headers: Mapping[str, str],
        body: bytes,
        ends_at: float,
    ) -> Answer:
        connection = _Connection(host, port)
        with _limited(connection, ends_at):
            connection.open(addresses, self._tls() if parts.scheme == "https" else None, ends_at)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            if time.monotonic() >= ends_at:  # it was cut off, and may be but the beginning of an answer
                raise TimeoutError
            with suppress(OSError, http.client.HTTPException):
                # so much that a polite server is not cut off; nobody looks at it
                answer.read(MAX_ANSWER_BYTES)
            return Answer(answer.status, _seconds(answer.getheader("Retry-After")))


class _Connection(http.client.HTTPConnection):
    """One whose socket is made here, to an address that was checked; `host` is for TLS and the headers."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._over = threading.Event()

    def open(self, addresses: Sequence[Address], tls: ssl.SSLContext | None, ends_at: float) -> None:
        self.default_port = 443 if tls is not None else 80
        self.sock = self._socket(addresses, ends_at)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()

    def connect(self) -> None:
        raise NoAnswer("the connection was closed")  # never anew, to whatever the name means by then

    def cut(self) -> None:
        """Wake whoever waits on the socket."""
        self._over.set()
        with suppress(AttributeError, OSError):  # there is none yet, or none any more
            self.sock.shutdown(socket.SHUT_RDWR)

    def _socket(self, addresses: Sequence[Address], ends_at: float) -> socket.socket:
        error: OSError = TimeoutError()
        for address in addresses:
            left = ends_at - time.monotonic()
            if left <= 0 or self._over.is_set():
                raise TimeoutError
            try:
                made = socket.create_connection((str(address), self.port), timeout=left)
            except OSError as failed:
                error = failed
                continue
            made.settimeout(max(0.01, ends_at - time.monotonic()))
            return made
        raise error


@contextmanager
def _limited(connection: _Connection, ends_at: float) -> Iterator[None]:
    """Cut the connection when the time is over: a socket's own limit begins anew with each piece."""
    timer = threading.Timer(max(0.0, ends_at - time.monotonic()), connection.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        connection.close()


def _in_time(function: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """What it returns or raises; raises TimeoutError when that takes longer. The system's resolver has no
    limit of its own."""
    came: list[Sequence[str] | BaseException] = []

    def run() -> None:
        try:
            came.append(function())
        except BaseException as error:  # raised again below
            came.append(error)

    thread = threading.Thread(target=run, name="resolver", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not came:
        raise TimeoutError
    if isinstance(came[0], BaseException):
        raise came[0]
    return came[0]


def _configured(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)


def _port(parts: SplitResult) -> int:
    return parts.port if parts.port is not None else 443 if parts.scheme == "https" else 80


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not to be trusted"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return f"no answer that can be read ({type(error).__name__})"


def _seconds(retry_after: str | None) -> float | None:
    text = (retry_after or "").strip()[:6]
    return min(float(text), LONGEST_RETRY_AFTER) if text.isascii() and text.isdigit() else None
