"""How the sandbox misbehaves when it is told to. Kept in the database, so that it outlives a kill."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from payment_sandbox.bodies import read_object, refuse_unknown, whole_number
from payment_sandbox.errors import Refusal, invalid
from payment_sandbox.store import Store

LONGEST_HANG_SECONDS = 300.0
LONGEST_DELAY_MS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookBehaviour:
    """How webhooks are delivered.

    `repeat`: how often each is sent in all, when delivery is "repeat". `delay_ms`: for "delayed".
    `before_answer`: delivered before the call that caused it is answered.
    """

    delivery: str = "normal"
    repeat: int = 2
    delay_ms: int = 1000
    before_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Everything that can be told. `fault_at` says whether delay, hang and failure of an API call come
    before its effect or after it (the caller then cannot know that it happened)."""

    delay_ms: int = 0
    fail_rate: float = 0.0
    fail_next: int = 0
    hang: bool = False
    fault_at: str = "before"
    refuse_capture: str = "none"
    refund_outcome: str = "refunded"
    auto_pay: str | None = None
    webhooks: WebhookBehaviour = field(default_factory=WebhookBehaviour)


CHOICES: dict[str, tuple[str | None, ...]] = {
    "faultAt": ("before", "after"),
    "refuseCapture": ("none", "temporary", "permanent"),
    "refundOutcome": ("refunded", "failed"),
    "autoPay": (None, "authorize", "capture", "decline"),
    "webhooks.delivery": ("normal", "lost", "repeat", "reorder", "delayed"),
}


def parse_behaviour(raw: bytes) -> Behaviour:
    """A whole behaviour; what is left out is normal. Raises Refusal 400 or 422."""
    normal = as_json(Behaviour())
    body = read_object(raw, normal)
    webhooks = body.get("webhooks", {})
    if not isinstance(webhooks, dict):
        raise invalid("webhooks must be an object.")
    refuse_unknown(webhooks, normal["webhooks"])
    told = {**normal, **body}
    hooks = {**normal["webhooks"], **webhooks}
    fail_rate = told["failRate"]
    if isinstance(fail_rate, bool) or not isinstance(fail_rate, (int, float)) or not 0 <= fail_rate <= 1:
        raise invalid("failRate must be a number from 0 to 1.")
    delivery = str(_choice(hooks["delivery"], "webhooks.delivery"))
    before_answer = _flag(hooks["beforeAnswer"], "webhooks.beforeAnswer")
    if before_answer and delivery not in ("normal", "repeat"):
        raise invalid("webhooks.beforeAnswer goes with delivery normal or repeat only.")
    auto_pay = _choice(told["autoPay"], "autoPay")
    return Behaviour(
        delay_ms=whole_number(told["delayMs"], "delayMs", 0, LONGEST_DELAY_MS),
        fail_rate=float(fail_rate),
        fail_next=whole_number(told["failNext"], "failNext", 0, 1_000_000),
        hang=_flag(told["hang"], "hang"),
        fault_at=str(_choice(told["faultAt"], "faultAt")),
        refuse_capture=str(_choice(told["refuseCapture"], "refuseCapture")),
        refund_outcome=str(_choice(told["refundOutcome"], "refundOutcome")),
        auto_pay=auto_pay,
        webhooks=WebhookBehaviour(
            delivery=delivery,
            repeat=whole_number(hooks["repeat"], "webhooks.repeat", 1, 100),
            delay_ms=whole_number(hooks["delayMs"], "webhooks.delayMs", 0, LONGEST_DELAY_MS),
            before_answer=before_answer,
        ),
    )


def as_json(behaviour: Behaviour) -> dict[str, Any]:
    """The behaviour as it is sent and stored."""
    hooks = behaviour.webhooks
    return {
        "delayMs": behaviour.delay_ms,
        "failRate": behaviour.fail_rate,
        "failNext": behaviour.fail_next,
        "hang": behaviour.hang,
        "faultAt": behaviour.fault_at,
        "refuseCapture": behaviour.refuse_capture,
        "refundOutcome": behaviour.refund_outcome,
        "autoPay": behaviour.auto_pay,
        "webhooks": {
            "delivery": hooks.delivery,
            "repeat": hooks.repeat,
            "delayMs": hooks.delay_ms,
            "beforeAnswer": hooks.before_answer,
        },
    }


@dataclass(frozen=True, slots=True)
class Fault:
    """What one API call has to suffer, drawn when it came in."""

    delay_ms: int
    hang: bool
    fails: bool
    at: str


class BehaviourSwitch:
    """The present behaviour, shared by all threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._closing = False
        with store.reading() as connection:
            row = connection.execute("SELECT document FROM behaviour").fetchone()
        self._current = parse_behaviour(row["document"].encode()) if row else Behaviour()

    @property
    def current(self) -> Behaviour:
        """What holds now."""
        return self._current

    def tell(self, behaviour: Behaviour) -> None:
        """Change it; calls that hang are let go when hanging ends."""
        with self._changed:
            self._keep(behaviour)
            self._changed.notify_all()

    def draw(self) -> Fault:
        """The lot of one call; counts `failNext` down."""
        with self._changed:
            now = self._current
            fails = now.fail_next > 0
            if fails:
                self._keep(replace(now, fail_next=now.fail_next - 1))
            elif now.fail_rate:
                fails = random.random() < now.fail_rate
            return Fault(now.delay_ms, now.hang, fails, now.fault_at)

    def suffer(self, fault: Fault) -> None:
        """Wait and fail as drawn; waiting ends early when the process stops. Raises Refusal 500 or 503."""
        with self._changed:
            if fault.delay_ms:
                self._changed.wait_for(lambda: self._closing, fault.delay_ms / 1000)
            if fault.hang:
                self._changed.wait_for(lambda: self._closing or not self._current.hang, LONGEST_HANG_SECONDS)
            if self._closing and (fault.delay_ms or fault.hang):
                raise Refusal(503, "SHUTTING_DOWN", "The payment module is shutting down.")
        if fault.fails:
            raise Refusal(500, "INTERNAL_ERROR", "The payment module failed, as it was told to.")

    def let_go(self) -> None:
        """End every wait: the process is stopping."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _keep(self, behaviour: Behaviour) -> None:
        with self._store.transaction() as tx:
            tx.execute("INSERT OR REPLACE INTO behaviour VALUES (1, ?)", (json.dumps(as_json(behaviour)),))
        self._current = behaviour


def _choice(value: Any, name: str) -> str | None:
    allowed = CHOICES[name]
    if not (value is None or isinstance(value, str)) or value not in allowed:
        raise invalid(f"{name} must be one of {', '.join(str(choice or 'null') for choice in allowed)}.")
    return value


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{name} must be true or false.")
    return value
