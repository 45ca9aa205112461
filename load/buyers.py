"""Many who want to book at the same moment, each from an address and over a connection of their own.

Each does what a shop's page or a reseller's client does: told to come back, it waits as long as Retry-After
says and up to a second more, and sends the very same request with the same key, until there is an answer.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

PATIENCE_SECONDS = 180.0
"""Then a buyer goes away without an answer."""

MOST_ASKED = 60
COMING_IN = 200
"""So many connections are being made at a time, so that each is spoken on as soon as it is made."""

ANSWER_SECONDS = 20.0
"""A request that is not answered for so long is sent again."""

UNSAID_SECONDS = 1.0
"""How long to wait where no answer said so."""

SOLD, SOLD_OUT, REFUSED, GAVE_UP = "sold", "sold out", "refused otherwise", "gave up"
COME_BACK, NO_ANSWER = "told to come back", "connection lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One unit of a slot, wanted by so many `buyers`. `run` sets their keys apart from other runs'."""

    port: int
    slot: UUID
    unit: UUID
    buyers: int
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """How it ended for one. `asked`: requests; `waited`: seconds from the beginning of all to the last
    answer; `booking`: of a sale; `said`: what an unexpected answer was."""

    outcome: str
    asked: int
    waited: float
    booking: UUID | None = None
    said: str = ""


@dataclass(slots=True, kw_only=True)
class Crowd:
    """What became of all so far. `answers`: of each second, how many there were of each kind."""

    buyers: list[Buyer] = field(default_factory=list)
    answers: list[dict[str, int]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def send_all(wanted: Wanted, tell: Callable[[int, Crowd], None]) -> Crowd:
    """Let everybody ask at once, and wait for the last one. `tell` hears each second how far it is."""
    return asyncio.run(_Doors(wanted).open(tell))


class _Doors:
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._crowd = Crowd()
        self._began = 0.0
        self._door = asyncio.Semaphore(COMING_IN)

    async def open(self, tell: Callable[[int, Crowd], None]) -> Crowd:
        self._began, cpu = time.monotonic(), time.process_time()
        everybody = asyncio.gather(*(self._buy(number) for number in range(self._wanted.buyers)))
        second = 0
        while not everybody.done():
            second += 1
            await asyncio.wait([everybody], timeout=max(0.0, self._began + second - time.monotonic()))
            tell(second, self._crowd)
        await everybody
        self._crowd.seconds = self._now()
        self._crowd.cpu_seconds = time.process_time() - cpu
        return self._crowd

    async def _buy(self, number: int) -> None:
        line = _Line(self._wanted.port, self._door)
        request = self._request(number)
        try:
            for asked in range(1, MOST_ASKED + 1):
                try:
                    status, headers, body = await line.ask(request)
                except (OSError, EOFError, ValueError):  # also TimeoutError
                    line.close()
                    status, headers, body = 0, {}, b""
                if self._is_final(number, status, body, asked):
                    return
                pause = _seconds(headers.get(b"retry-after")) + random.random()
                if self._now() + pause > PATIENCE_SECONDS:
                    break
                await asyncio.sleep(pause)
            self._crowd.buyers.append(Buyer(outcome=GAVE_UP, asked=asked, waited=self._now()))
        finally:
            line.close()

    def _is_final(self, number: int, status: int, body: bytes, asked: int) -> bool:
        if status in (0, 429, 503):
            self._count(COME_BACK if status else NO_ANSWER)
            return False
        waited, outcome, booking, said = self._now(), REFUSED, None, ""
        try:
            found: dict[str, Any] = orjson.loads(body)
            if status == 201:
                outcome, booking = SOLD, UUID(found["id"])
            elif status == 409 and found["code"] == "SOLD_OUT":
                outcome = SOLD_OUT
        except (KeyError, TypeError, ValueError):
            outcome = REFUSED
        if outcome == REFUSED:
            said = f"{status} {body[:160].decode(errors='replace')}"
        self._count(outcome)
        self._crowd.buyers.append(
            Buyer(outcome=outcome, asked=asked, waited=waited, booking=booking, said=said)
        )
        return True

    def _count(self, kind: str) -> None:
        seconds, now = self._crowd.answers, int(self._now())
        while len(seconds) <= now:
            seconds.append({})
        seconds[now][kind] = seconds[now].get(kind, 0) + 1

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _request(self, number: int) -> bytes:
        wanted = self._wanted
        body = orjson.dumps(
            {
                "items": [
                    {"slotId": str(wanted.slot), "units": [{"unitId": str(wanted.unit), "quantity": 1}]}
                ],
                "customer": {"name": f"Guest {number}", "email": email(wanted, number), "language": "en"},
            }
        )
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        head = (
            "POST /api/v1/bookings HTTP/1.1",
            f"Host: 127.0.0.1:{wanted.port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Idempotency-Key: rush-{wanted.run}-{number:08}",
            f"X-Forwarded-For: {address}",
        )
        return "\r\n".join((*head, "", "")).encode() + body


def email(wanted: Wanted, number: int) -> str:
    """Whose booking it is, in the store too."""
    return f"rush-{wanted.run}-{number}@example.com"


class _Line:
    """A connection to the gateway, made when it is needed."""

    def __init__(self, port: int, door: asyncio.Semaphore) -> None:
        self._port, self._door = port, door
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers in small letters, body. Raises OSError, EOFError and ValueError, and is then to be
        closed."""
        used = self._streams is not None
        try:
            return await self._exchange(request)
        except (ConnectionError, EOFError):
            self.close()
            if not used:
                raise
            # Closed by the gateway while nobody spoke: that is no answer, and no wait.
            return await self._exchange(request)

    async def _exchange(self, request: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        if self._streams is None:
            async with self._door:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head[:-4].split(b"\r\n")
            pairs = (line.partition(b":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get(b"content-length", b"")))
        if headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return int(first.split()[1]), headers, body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _seconds(retry_after: bytes | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdigit() else UNSAID_SECONDS
