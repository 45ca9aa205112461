"""What callers of a crowd do, each a function of (store, round, caller)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from common.web.idempotency import Answer, Idempotency, fingerprint_of, hashed_key
from tests.contract.builders import NOW, make_admissions, make_order
from tests.contract.world import LIMITS, pricing
from tests.invariants.client import remove_the_guard
from ticketing_service.domain.admissions import Scan
from ticketing_service.domain.bookings import Booking, Customer, Observation, PaymentState
from ticketing_service.domain.orders import HoldOrder
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Cancellation

HOLD = timedelta(minutes=15)


def under(key: str, request: Any = None) -> Idempotency:
    """An idempotency key whose answer is the booking's id."""
    return Idempotency(
        scope="guest POST /bookings",
        key=hashed_key(key),
        fingerprint=fingerprint_of("POST", "/bookings", request),
        created_at=NOW,
        render=lambda booking: Answer(201, str(booking.id).encode(), ()),
    )


def order(round_: dict[str, Any], **changes: Any) -> HoldOrder:
    """`slot`, `unit` and, where it is not one, `quantity` of the round."""
    item = (UUID(round_["slot"]), UUID(round_["unit"]), round_.get("quantity", 1))
    return make_order(item, **changes)


def _hold(store: Store, order: HoldOrder, key: str, request: Any = None) -> str:
    held: Booking = store.bookings.hold(
        order, pricing(order), LIMITS, NOW + HOLD, NOW, idempotency=under(key, request)
    )
    return str(held.id)


def hold(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Each caller for himself."""
    return _hold(store, order(round_), f"{round_['key']}-{caller}")


def hold_under_one_key(store: Store, round_: dict[str, Any], caller: int) -> str:
    """All callers send the same request under the same key."""
    return _hold(store, order(round_), round_["key"], "the same")


def hold_other_under_one_key(store: Store, round_: dict[str, Any], caller: int) -> str:
    """The first caller's request is another one than that of the rest."""
    return _hold(store, order(round_), round_["key"], "first" if caller == 0 else "other")


def hold_from_one_address(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Guests behind one address, each with an e-mail address of his own."""
    customer = Customer(name="Ann", email=f"guest{caller}-{round_['key']}@example.org")
    network = f"2001:db8:{round_['key'][:4]}:{round_['key'][4:8]}::/64"
    guest = order(round_, customer=customer, guest_network=network)
    return _hold(store, guest, f"{round_['key']}-{caller}")


def hold_for_one_email(store: Store, round_: dict[str, Any], caller: int) -> str:
    """One e-mail address in changing letter case, from many addresses."""
    email = f"Ann-{round_['key']}@example.org"
    customer = Customer(name="Ann", email=email.upper() if caller % 2 else email)
    guest = order(round_, customer=customer, guest_network=f"2001:db8:{round_['key'][:4]}:{caller:x}::/64")
    return _hold(store, guest, f"{round_['key']}-{caller}")


def hold_with_voucher(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Different customers, one voucher code."""
    customer = Customer(name="Ann", email=f"ann{caller}@example.org")
    with_code = order(round_, customer=customer, voucher_code=round_["voucher"])
    return _hold(store, with_code, f"{round_['key']}-{caller}")


def hold_with_voucher_as_one_customer(store: Store, round_: dict[str, Any], caller: int) -> str:
    """One customer, one voucher code."""
    customer = Customer(name="Ann", email=f"ann-{round_['key']}@example.org")
    with_code = order(round_, customer=customer, voucher_code=round_["voucher"])
    return _hold(store, with_code, f"{round_['key']}-{caller}")


def hold_on_credit(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Different customers of one reseller."""
    reseller = store.resellers.get(UUID(round_["reseller"]))
    return _hold(store, order(round_, reseller=reseller), f"{round_['key']}-{caller}")


def hold_on_credit_without_the_guard(store: Store, round_: dict[str, Any], caller: int) -> str:
    """The same, where a counter takes whatever is asked of it; so it is in this process from then on."""
    remove_the_guard()
    return hold_on_credit(store, round_, caller)


def confirm_or_cancel_on_credit(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Each caller has a booking: half of them confirm theirs, the others give it back."""
    booking_id = UUID(round_["bookings"][caller])
    if caller % 2:
        return cancel(store, {"booking": str(booking_id)}, caller)
    return store.bookings.confirm_free(booking_id, make_admissions, "agency", NOW).status.value


def tell_captured(store: Store, round_: dict[str, Any], caller: int) -> str:
    """The same webhook for all: the payment of the booking is captured."""
    booking_id = UUID(round_["booking"])
    observation = Observation(
        provider_id=round_["payment"],
        resource_id=str(booking_id),
        state=PaymentState.CAPTURED,
        amount=round_["amount"],
        currency="EUR",
        captured=round_["amount"],
        refunded=0,
    )
    return store.payments.observe(booking_id, observation, {}, make_admissions, "module", NOW).status.value


def cancel(store: Store, round_: dict[str, Any], caller: int) -> str:
    """All cancel the whole of one booking."""
    cancellation = Cancellation(actor="guest", reason="changed plans")
    cancelled = store.bookings.cancel(
        UUID(round_["booking"]),
        lambda booking: plan_cancellation(booking, None, NOW),
        cancellation,
        NOW,
    )
    return cancelled.status.value


def cancel_one_unit(store: Store, round_: dict[str, Any], caller: int) -> str:
    """All cancel the same unit item."""
    cancelled = store.bookings.cancel(
        UUID(round_["booking"]),
        lambda booking: plan_cancellation(booking, (UUID(round_["unit_item"]),), NOW),
        Cancellation(actor="guest", reason="changed plans"),
        NOW,
    )
    return cancelled.status.value


def confirm_or_expire(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Half of the callers confirm just before the hold ends, the other half sweep just after."""
    booking_id = UUID(round_["booking"])
    if caller % 2:
        store.bookings.expire_due(NOW + HOLD, 100)
        return "swept"
    before = NOW + HOLD - timedelta(milliseconds=1)
    return store.bookings.confirm_free(booking_id, make_admissions, "guest", before).status.value


def scan(store: Store, round_: dict[str, Any], caller: int) -> str:
    """Every gate scans the same admission."""
    admission = store.admissions.get(UUID(round_["admission"]))
    assert admission is not None
    one = Scan(
        scan_id=UUID(int=UUID(round_["key"]).int ^ (caller + 1)),
        admission_id=admission.id,
        poi_id=admission.poi_ids[0],
        scanned_at=admission.valid_from,
        gate=f"gate {caller}",
    )
    return store.admissions.redeem(one, lambda _: "once", NOW).gate
