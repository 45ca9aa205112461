"""A shop with real parts around one store: what the worker works on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from common.auth.keyfiles import KeyRing, SecretRing
from common.auth.sealing import Sealing
from common.clock import Clock, to_milliseconds
from common.mail.sending import SmtpMailer
from common.outbox.loop import Pace
from common.outgoing.posting import Poster, Rules
from common.resilience.breaker import Breaker
from common.resilience.guard import Guard
from tests.contract.builders import NOW, make_option, plain_unit
from tests.contract.world import POLICY, World
from tests.sandbox.running import TOKEN, SandboxProcess
from tests.servers.process import eventually
from tests.servers.smtp import SmtpServer
from ticketing_service.actions.booking_tokens import BookingTokens
from ticketing_service.actions.following import Followed
from ticketing_service.actions.issuing import Issuer
from ticketing_service.actions.known_resellers import KnownResellers
from ticketing_service.actions.ports import Ports
from ticketing_service.clients.guarded import WEBHOOKS, GuardedSender
from ticketing_service.clients.payment_module import HttpPaymentModule
from ticketing_service.clients.poi_directory import GeoJsonPoiDirectory
from ticketing_service.domain.bookings import Booking, Payment
from ticketing_service.domain.platform import Platform
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.port import Store
from ticketing_service.tasks import handlers
from ticketing_service.wiring import BREAKERS

PUBLIC_URL = "http://tickets.test"
PRICE = 1250
LOOPBACK = (ip_network("127.0.0.1/32"),)
WEBHOOK_SECONDS = 60.0
"""Far more than on a busy machine; where a test is about time, it has its own."""
QUICK = Pace(threads=4, lease=0.6, task_lease=0.8, shortest_poll=0.02, longest_poll=0.05, first_retry=0.05)


def _untimed(_: str, __: float) -> None:
    pass


def clock_from(start: datetime, began: float) -> Clock:
    """A clock that showed `start` at `began` (of `time.time()`), and goes on as all clocks do."""
    return lambda: to_milliseconds(start + timedelta(seconds=time.time() - began))


def webhooks_guard() -> Guard:
    """The breaker of all webhooks, as the service has it."""
    (spec,) = (spec for spec in BREAKERS if spec.name == WEBHOOKS)
    return Guard(Breaker(spec))


def ports_of(
    store: Store, folder: Path, payment_url: str, smtp_url: str, clock: Clock, guard: Guard | None = None
) -> Ports:
    """The ports over `store`; keys and POIs lie in `folder`."""
    keys = KeyRing(folder / "admission-keys")
    return Ports(
        store=store,
        payment_module=HttpPaymentModule(payment_url, TOKEN),
        poi_directory=GeoJsonPoiDirectory(folder / "pois.geojson"),
        mailer=SmtpMailer(smtp_url, "Tickets <tickets@tickets.test>"),
        clock=clock,
        followed=Followed(Platform(policy=POLICY)),
        admission_keys=keys,
        issue=Issuer(keys),
        booking_tokens=BookingTokens(SecretRing(folder / "booking-keys")),
        known_resellers=KnownResellers(store.resellers),
        reseller_key_secrets=SecretRing(folder / "reseller-keys"),
        webhook_sender=GuardedSender(
            Poster(Rules(networks=LOOPBACK, seconds=WEBHOOK_SECONDS)), guard or webhooks_guard(), _untimed
        ),
        webhook_seals=Sealing(SecretRing(folder / "webhook-secrets")),
        public_url=PUBLIC_URL,
    )


class Shop:
    """A store, its ports, and what customers do."""

    def __init__(
        self, store: Store, folder: Path, sandbox: SandboxProcess, smtp: SmtpServer, began: float
    ) -> None:
        self.began, self.skipped = began, timedelta()
        running = clock_from(NOW, began)
        clock: Clock = lambda: running() + self.skipped  # noqa: E731
        self.ports = ports_of(store, folder, sandbox.url, smtp.url, clock)
        self.store, self.sandbox, self.smtp = store, sandbox, smtp
        self.world = World(store)

    def slot(self, **rule: Any) -> Slot:
        """A slot of a ticket that costs something."""
        option = make_option(plain_unit(PRICE))
        return self.world.slot(self.world.ticket(options=(option,)), **rule)

    def held(self, slot: Slot | None = None, quantity: int = 1) -> Booking:
        """A booking on hold."""
        return self.world.hold(slot or self.slot(), quantity, self.ports.clock())

    def opened(self, booking: Booking) -> Payment:
        """A session to pay it in."""
        payments, now = self.store.payments, self.ports.clock()
        payment = payments.open_attempt(booking.id, f"{PUBLIC_URL}/thanks", now)
        return payments.opened(payment.id, self.ports.payment_module.create(payment, booking), now)

    def pay(self, payment: Payment, **outcome: Any) -> None:
        """What the payer does at the module: authorises it unless told otherwise."""
        assert payment.provider_id is not None
        answer = self.sandbox.force(payment.provider_id, **{"outcome": "authorize", **outcome})
        assert answer.status_code == 200, answer.text

    def authorised(self, slot: Slot | None = None, quantity: int = 1) -> tuple[Booking, Payment]:
        """A booking that is paid; its capture waits in the outbox."""
        booking = self.held(slot, quantity)
        payment = self.opened(booking)
        self.pay(payment)
        self.observe(payment)
        return self.booking(booking), self.payment(payment)

    def observe(self, payment: Payment) -> None:
        """Apply the present state of a payment."""
        assert payment.provider_id is not None
        seen, refunds = self.ports.payment_module.state(payment.provider_id)
        self.store.payments.observe(
            payment.booking_id, seen, refunds, self.ports.issue, "test", self.ports.clock()
        )

    def booking(self, booking: Booking) -> Booking:
        """As it is now."""
        found = self.store.bookings.get(booking.id)
        assert found is not None
        return found

    def payment(self, payment: Payment) -> Payment:
        """As it is now."""
        found = self.store.payments.get(payment.id)
        assert found is not None
        return found

    def at_the_module(self, payment: Payment) -> Any:
        """What the module knows of it."""
        assert payment.provider_id is not None
        return self.sandbox.read(payment.provider_id)

    def work_off(self) -> None:
        """Carry out every task that is there, in this thread; what fails, fails here."""
        do = handlers(self.ports)
        while tasks := self.store.outbox.claim(
            self.ports.clock(), self.ports.clock() + timedelta(minutes=1), 10
        ):
            for task in tasks:
                do[task.kind](task)
                self.store.outbox.done(task.id)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it."""
        eventually(condition, what=what)
