"""People who read, hold, pay, confirm and go in, without a pause, and keep what they were told."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import NAMESPACE_OID, uuid5

import httpx

from common.identifiers import uuid7
from tests.faults.venue import Offer, Venue
from tests.invariants.checker import KEY_PREFIX
from tests.invariants.records import OK, REFUSED, UNKNOWN, Record
from tests.servers.process import eventually

BUYERS, READERS = 4, 2
PAUSE_SECONDS = 0.01
TIMEOUT_SECONDS = GIVE_UP_SECONDS = 60
FEW = 0.05
SUCCESS: Mapping[str, str] = {
    "detail": "200",
    "availability": "200",
    "places": "200",
    "live": "200",
    "hold": "201",
    "confirm": "200",
    "pay": "200",
    "scan": "201",
}
"""What people do, and its answer when all is well. `places` are those of a ticket that is being sold;
`detail` and `availability` are of one that is only read."""

OVERLOADED = "503 OVERLOADED"
ALREADY_PAID = "409 BOOKING_NOT_ON_HOLD"
"""To `pay`, when a session was opened, and paid, although its answer was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`answer`: the status, and the code of a problem; 0 when there was none. Monotonic seconds."""

    operation: str
    answer: str
    began: float
    ended: float
    retry_after: str | None = None


class Visitors:
    """`with Visitors(...) as people:`; at the end every hold that was left open is cleared up.

    Args:
        headers: those of a role.
        codes: admissions to go in with, again and again: a scan that is repeated gets its first answer.
        history: is given a record of each answer to a hold or a confirmation.
    """

    def __init__(
        self,
        url: str,
        venue: Venue,
        headers: Callable[[str], dict[str, str]],
        codes: Iterable[str],
        history: list[Record],
    ) -> None:
        self._url, self._venue, self._history = f"{url}/api/v1", venue, history
        self._staff, self._gate = headers("support"), headers("gate")
        self._codes = itertools.cycle(codes)
        self.outcomes: list[Outcome] = []
        self.scanned: set[str] = set()
        self.paid: set[str] = set()
        self.confirmed: set[str] = set()
        self.emails: set[str] = set()
        self._unsure: deque[tuple[str, Offer]] = deque()
        self._held: dict[str, deque[tuple[str, str]]] = {venue.free.slot: deque(), venue.paid.slot: deque()}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._buy, args=(n,)) for n in range(BUYERS)]
        self._threads += [threading.Thread(target=self._read) for _ in range(READERS)]

    # --- what is seen of it

    def count(self, operations: Iterable[str], *, since: float = 0.0) -> int:
        """How many of those began after `since` and were answered."""
        wanted = set(operations)
        return sum(each.operation in wanted and each.began >= since for each in list(self.outcomes))

    def wait_for(self, count: int, operations: Iterable[str] = SUCCESS, *, seconds: float = 60) -> None:
        """Until each of `operations` was answered `count` times, begun from now on."""
        now, wanted = time.monotonic(), tuple(operations)
        eventually(
            lambda: all(self.count([each], since=now) >= count for each in wanted),
            seconds=seconds,
            what=f"{count} answers to each of {wanted}",
        )

    def between(self, begin: float, end: float) -> Counter[tuple[str, str]]:
        """(operation, answer) of what began and ended between two instants, with their numbers.

        A machine that is busy with other tests may refuse a few for want of time: they say nothing.
        """
        found = Counter(
            (each.operation, each.answer)
            for each in list(self.outcomes)
            if each.began >= begin and each.ended <= end
        )
        told = Counter({each: count for each, count in found.items() if each[1] != OVERLOADED})
        assert found.total() - told.total() <= FEW * found.total() + 1, found
        return told

    def assert_all_is_well(self, begin: float, end: float) -> None:
        """Between two instants everything was done, and nothing refused."""
        found = self.between(begin, end)
        others = {each: n for each, n in found.items() if each[1] not in (SUCCESS[each[0]], ALREADY_PAID)}
        assert not others, others
        assert {operation for operation, _ in found} == set(SUCCESS)

    # --- what they do

    def _client(self) -> httpx.Client:
        # A connection for each request, so that each process of the service gets its share of them.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False)

    def _read(self) -> None:
        with self._client() as client:
            while not self._stop.is_set():
                for operation in ("detail", "availability"):
                    self._do(operation, client, 0)
                    self._stop.wait(PAUSE_SECONDS)

    def _buy(self, number: int) -> None:
        with self._client() as client:
            for turn in itertools.count(number):
                if self._stop.is_set():
                    break
                for operation in SUCCESS:
                    self._do(operation, client, turn)
                    self._stop.wait(PAUSE_SECONDS)
            give_up = time.monotonic() + GIVE_UP_SECONDS
            while self._unsure and time.monotonic() < give_up:
                self._hold(client, 0)
                self._stop.wait(PAUSE_SECONDS)

    def _do(self, operation: str, client: httpx.Client, turn: int) -> None:
        venue = self._venue
        if operation == "detail":
            self._ask(client, operation, "GET", f"/tickets/{venue.quiet.ticket}")
        elif operation in ("availability", "places"):
            offer = venue.quiet if operation == "availability" else venue.free
            days = f"from={offer.day}&to={offer.day}"
            self._ask(client, operation, "GET", f"/tickets/{offer.ticket}/availability?{days}")
        elif operation == "live":
            self._ask(client, operation, "GET", "/monitoring/live")
        elif operation == "hold":
            self._hold(client, turn)
        elif operation == "confirm":
            self._confirm(client)
        elif operation == "pay":
            self._pay(client)
        else:
            self._scan(client)

    def _hold(self, client: httpx.Client, turn: int) -> None:
        """What got no answer is asked again, under the same key."""
        try:
            key, offer = self._unsure.popleft()
        except IndexError:
            key, offer = uuid7().hex, (self._venue.free, self._venue.paid)[turn % 2]
        body = {
            "items": [{"slotId": offer.slot, "units": [{"unitId": offer.unit, "quantity": 1}]}],
            "customer": {"name": KEY_PREFIX + key, "email": f"{key}@example.org", "language": "en"},
        }
        began = time.time()
        headers = {**self._staff, "Idempotency-Key": key}
        outcome, answer = self._ask(client, "hold", "POST", "/bookings", body, headers)
        if answer is None or answer.status_code >= 500:
            self._unsure.append((key, offer))
            self._note("hold", key, began, UNKNOWN, code=outcome.answer)
        elif answer.status_code == 201:
            booking = answer.json()
            self._note("hold", key, began, OK, booking=booking["id"], status="on_hold", body=answer.text)
            self._held[offer.slot].append((booking["id"], key))
        else:
            self._note("hold", key, began, REFUSED, code=outcome.answer)

    def _confirm(self, client: httpx.Client) -> None:
        held = self._take(self._venue.free)
        if held is None:
            return
        booking, key = held
        began = time.time()
        _, answer = self._ask(client, "confirm", "POST", f"/bookings/{booking}/confirm", None, self._staff)
        if answer is None or answer.status_code != 200:
            self._held[self._venue.free.slot].append(held)
            return
        status = answer.json()["status"]
        self._note("confirm", booking, began, OK, booking=booking, status=status)
        self.confirmed.add(booking)
        self.emails.add(f"{key}@example.org")

    def _pay(self, client: httpx.Client) -> None:
        held = self._take(self._venue.paid)
        if held is None:
            return
        booking, key = held
        _, answer = self._ask(client, "pay", "POST", f"/bookings/{booking}/payment", None, self._staff)
        if answer is None or answer.status_code != 200:
            self._held[self._venue.paid.slot].append(held)
            return
        self.paid.add(booking)
        self.emails.add(f"{key}@example.org")

    def _scan(self, client: httpx.Client) -> None:
        code = next(self._codes)
        body = {"code": code, "poiId": self._venue.free.poi, "scanId": str(uuid5(NAMESPACE_OID, code))}
        _, answer = self._ask(client, "scan", "POST", "/redemptions", body, self._gate)
        if answer is not None and answer.status_code == 201:
            self.scanned.add(body["scanId"])

    def _take(self, offer: Offer) -> tuple[str, str] | None:
        try:
            return self._held[offer.slot].popleft()
        except IndexError:
            return None

    def _ask(
        self,
        client: httpx.Client,
        operation: str,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, httpx.Response | None]:
        began, answer, words = time.monotonic(), None, ""
        try:
            answer = client.request(method, self._url + path, json=body, headers=headers)
            words = str(answer.status_code)
            if answer.status_code >= 400:
                words += f" {answer.json()['code']}"
        except httpx.TransportError as error:
            words = f"0 {type(error).__name__}"
        outcome = Outcome(
            operation=operation,
            answer=words,
            began=began,
            ended=time.monotonic(),
            retry_after=None if answer is None else answer.headers.get("Retry-After"),
        )
        self.outcomes.append(outcome)
        return outcome, answer

    def _note(self, operation: str, key: str, began: float, kind: str, **told: Any) -> None:
        self._history.append(
            Record(
                client=threading.current_thread().name,
                operation=operation,
                key=key,
                start=began,
                end=time.time(),
                kind=kind,
                params={},
                **told,
            )
        )

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
