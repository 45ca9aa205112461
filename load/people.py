"""Who uses the product: what all of them share, and the gate and the staff. Runs in locust's process."""

from __future__ import annotations

import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from locust import FastHttpUser, between, task

from load.plan import Plan
from load.recorder import FLOW

API = "/api/v1"
RESCANS = 0.1
"""Of the codes let in, the share that somebody tries a second time."""

Json = dict[str, Any]


class Wrong(Exception):
    """An answer was not what it should be; the request is counted as failed already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An admission that a visitor brings to the gate, good on one local day."""

    code: str
    poi_id: str
    people: int
    day: str
    time_zone: str


class Person(FastHttpUser):
    """Speaks through the gateway from an address of its own."""

    abstract = True
    network_timeout = 20.0
    connection_timeout = 20.0
    max_redirects = 0
    codes: ClassVar[deque[Code]] = deque(maxlen=2_000)
    """On their way from the visitors to the gate."""

    def on_start(self) -> None:
        self.move()

    @property
    def plan(self) -> Plan:
        plan: Plan = self.environment.load_plan
        return plan

    def move(self) -> None:
        """Come from another address: limits count clients by it, and the gateway trusts us to name it."""
        self.address = "10." + ".".join(str(random.randint(1, 254)) for _ in range(3))

    def think(self, low: float, high: float) -> None:
        """Seconds, times the plan's factor."""
        time.sleep(random.uniform(low, high) * self.plan.think)

    def wait_time(self) -> float:
        return float(between(0.5, 2)(self)) * self.plan.think

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        *expected: int,
        check: Callable[[Any], bool] | None = None,
        headers: Mapping[str, str] | None = None,
        context: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """One request; its answer. Raises Wrong for a status that is not expected or a `check` that fails."""
        sent = {"X-Forwarded-For": self.address, **(headers or {})}
        call = self.client.request(
            method, path, name=name, headers=sent, catch_response=True, allow_redirects=False,
            context=context if context is not None else {}, **more,
        )  # fmt: skip
        with call as answer:
            problem = _problem(answer, expected, check)
            if problem is not None:
                answer.failure(problem)
                raise Wrong(problem)
            answer.success()
        return answer

    @contextmanager
    def journey(self, name: str, began: float | None = None) -> Iterator[None]:
        """Time several requests as one, from now or from `began` (`time.perf_counter`)."""
        began = began or time.perf_counter()
        try:
            yield
        except Wrong as wrong:
            self._end_journey(name, began, wrong)
            raise
        # Not in a `finally`: a visitor who is sent home half-way has neither arrived nor failed.
        self._end_journey(name, began, None)

    def _end_journey(self, name: str, began: float, error: Wrong | None) -> None:
        self.environment.events.request.fire(
            request_type=FLOW, name=name, response_time=(time.perf_counter() - began) * 1000,
            response_length=0, exception=error, context={},
        )  # fmt: skip

    def as_role(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.plan.tokens[role]}"}


def _problem(answer: Any, expected: tuple[int, ...], check: Callable[[Any], bool] | None) -> str | None:
    if answer.status_code not in expected:
        error = "" if answer.status_code else f" ({answer.error})"
        return f"{answer.status_code}{error}, expected {' or '.join(map(str, expected))}{_code(answer)}"
    try:
        return None if check is None or check(answer) else f"{answer.status_code} with wrong content"
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return f"{answer.status_code} with wrong content ({error!r})"


def _code(answer: Any) -> str:
    try:
        return f" {answer.json()['code']}"
    except (KeyError, TypeError, ValueError):
        return ""


class Gatekeeper(Person):
    """Scans the codes of those who bought for today; now and then the same one twice."""

    fixed_count = 2

    def wait_time(self) -> float:
        return random.uniform(0.2, 0.8) * self.plan.think + 0.05

    @task
    def let_in(self) -> None:
        """One entry right, one entry."""
        if not self.codes:
            return
        code = self.codes.popleft()
        if datetime.now(ZoneInfo(code.time_zone)).date().isoformat() != code.day:
            return
        try:
            self._scan(code, 201, lambda answer: answer.json()["people"] == code.people)
            if random.random() < RESCANS:
                self._scan(code, 409, lambda answer: answer.json()["code"] == "ALREADY_REDEEMED")
        except Wrong:
            return

    def _scan(self, code: Code, status: int, check: Callable[[Any], bool]) -> None:
        body = {"code": code.code, "poiId": code.poi_id, "scanId": str(uuid4())}
        self.ask(
            "redeem" if status == 201 else "redeem again", "POST", f"{API}/redemptions", status,
            check=check, headers=self.as_role("gate"), json=body,
        )  # fmt: skip


class Staff(Person):
    """Support looks through the newest bookings, finance at the revenue of the week."""

    fixed_count = 2

    def wait_time(self) -> float:
        return random.uniform(2, 6) * self.plan.think + 0.05

    @task(3)
    def list_bookings(self) -> None:
        """A page, and the one after it."""
        try:
            page = self._page("")
            if page["nextCursor"]:
                self.think(1, 2)
                self._page(f"&cursor={page['nextCursor']}")
        except Wrong:
            return

    @task(1)
    def read_revenue(self) -> None:
        today = datetime.now(UTC).date()
        week = f"from={today - timedelta(days=6)}&to={today}"
        try:
            self.ask(
                "staff: revenue", "GET", f"{API}/revenue?{week}&groupBy=ticket", 200,
                check=lambda answer: all(row["sales"]["amount"] >= 0 for row in answer.json()["data"]),
                headers=self.as_role("finance"),
            )  # fmt: skip
        except Wrong:
            return

    def _page(self, cursor: str) -> Json:
        def newest_first(answer: Any) -> bool:
            created = [row["createdAt"] for row in answer.json()["data"]]
            return created == sorted(created, reverse=True)

        answer = self.ask(
            "staff: bookings", "GET", f"{API}/bookings?limit=50{cursor}", 200,
            check=newest_first, headers=self.as_role("support"),
        )  # fmt: skip
        page: Json = answer.json()
        return page


def new_key() -> str:
    """An Idempotency-Key."""
    return secrets.token_urlsafe(18)
