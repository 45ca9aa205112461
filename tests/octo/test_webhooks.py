"""Webhooks over OCTO: who has them, and what is told in OCTO's own shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.http.ticketing.agency import BOTH, Agency
from tests.http.ticketing.shop import Shop, item
from tests.octo.otas import LEAD, Document, Ota, day_ticket
from tests.octo.spec import CONTENT, PRICING, WEBHOOKS, hold
from tests.sandbox.running import SandboxProcess
from tests.servers.endpoint import Endpoint
from tests.servers.process import eventually
from tests.worker.hooks import WAIT, signatures
from ticketing_service.actions.webhook_delivery import Dispatcher
from ticketing_service.domain.webhooks import DeliveryState
from ticketing_service.schemas.octo.webhooks import update_body

SCOPES = [*BOTH, "webhooks:manage"]
AWAY = "https://hooks.example.org/in"
OTHERS = "/webhook-subscriptions"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("hooks")
    url = f"sqlite:///{folder / 'store.db'}"
    made = Shop(folder, url, sandbox.url, WEBHOOK_NETWORKS="127.0.0.1/32")
    yield made
    made.close()


@pytest.fixture
def ota(agency: Agency) -> Ota:
    return told(agency)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as made:
        yield made


@pytest.fixture
def send(shop: Shop) -> Iterator[Callable[[], None]]:
    """Sends all that is due."""
    dispatcher = Dispatcher(shop.ports, update_body)

    def run() -> None:
        while True:
            dispatcher.run()
            eventually(dispatcher.idle, seconds=WAIT, what="the end of all lanes")
            if not shop.ports.store.webhooks.due(shop.clock()):
                return

    yield run
    dispatcher.close()


def told(agency: Agency, *used: str, **key: Any) -> Ota:
    """A reseller whose key may subscribe, too."""
    ota = Ota(agency, *used)
    ota.key = agency.new_key(**{"scopes": SCOPES, **key}).json["key"]
    return ota


def with_key(ota: Ota, *used: str) -> Ota:
    other = ota.asking(*used)
    other.key = ota.key
    return other


def webhook(ota: Ota, url: str, event: str) -> Document:
    made = ota.ok("POST", "/webhooks", {"url": url, "event": event, "useContactLanguage": True})
    return {name: value for name, value in made.items() if name != "secret"}


@pytest.fixture
def product(shop: Shop, ota: Ota) -> Document:
    return dict(ota.ok("GET", f"/products/{day_ticket(shop)['id']}"))


def test_a_booking_is_told_as_it_is_when_it_is_sent(
    ota: Ota, product: Document, endpoint: Endpoint, send: Callable[[], None]
) -> None:
    used = (PRICING, WEBHOOKS)
    made = with_key(ota, *used).ok("POST", "/webhooks", {"url": endpoint.url, "event": "booking_update"})
    secret = made.pop("secret")
    assert made == {
        "id": made["id"],
        "event": "booking_update",
        "url": endpoint.url,
        "retryOnError": True,
        "useContactLanguage": False,
        "headers": {},
        "capabilities": list(used),
    }
    assert made in ota.ok("GET", "/webhooks"), "and the secret is shown no more"
    booking = ota.reserved(product)
    send()
    sold = ota.ok("POST", f"/bookings/{booking['uuid']}/confirm", {"contact": LEAD})
    send()
    held, confirmed = (each.document for each in endpoint.received)
    assert (held["webhook"], set(held)) == (made, {"webhook", "booking"})
    for each, status in ((held, "ON_HOLD"), (confirmed, "CONFIRMED")):
        hold(each["booking"], "Booking", frozenset(used))
        assert (each["booking"]["uuid"], each["booking"]["status"]) == (booking["uuid"], status)
    assert confirmed["booking"] == with_key(ota, *used).ok("GET", f"/bookings/{sold['uuid']}")
    assert all(signatures(each, secret) for each in endpoint.received)
    assert ota.ok("DELETE", f"/webhooks/{made['id']}") == made
    ota.refused("DELETE", f"/webhooks/{made['id']}", status=404)
    ota.ok("POST", f"/bookings/{booking['uuid']}/cancel")
    send()
    assert len(endpoint.received) == 2


def test_availability_and_products_are_told(
    shop: Shop, ota: Ota, product: Document, endpoint: Endpoint, send: Callable[[], None]
) -> None:
    slots = webhook(ota, endpoint.url, "availability_update")
    products = webhook(with_key(ota, CONTENT), endpoint.url, "product_update")
    slot = ota.slots(product, "2026-07-05")[0]
    ota.reserved(product, slot, 3)
    send()
    (change,) = (each.document for each in endpoint.received)
    hold(change["availability"], "Availability")
    assert (change["availability"]["id"], change["availability"]["vacancies"]) == (slot["id"], 7)
    option_id = product["options"][0]["id"]
    assert (change["webhook"], change["productId"], change["optionId"]) == (slots, product["id"], option_id)
    tag = shop.call("GET", f"/tickets/{product['id']}", role="ticket_manager").headers["ETag"]
    for method, body, title in (("PATCH", {"title": {"en": "Other"}}, "Other"), ("DELETE", None, None)):
        path, headers = f"/tickets/{product['id']}", {"If-Match": tag}
        answer = shop.call(method, path, body, role="ticket_manager", headers=headers)
        assert answer.status_code in (200, 204), answer.json
        tag = answer.headers.get("ETag", "")
        endpoint.received.clear()
        send()
        (change,) = (each.document for each in endpoint.received)
        assert (change["webhook"], change["productId"]) == (products, product["id"])
        if title is None:
            assert change["product"] is None
        else:
            hold(change["product"], "Product", frozenset([CONTENT]))
            assert change["product"]["title"] == title
    for each in (slots, products):
        ota.ok("DELETE", f"/webhooks/{each['id']}")


def test_what_octo_has_no_shape_for_is_not_told(
    agency: Agency, ota: Ota, product: Document, endpoint: Endpoint, send: Callable[[], None]
) -> None:
    made = webhook(ota, endpoint.url, "booking_update")
    days = (ota.slots(product, day)[0] for day in ("2026-07-06", "2026-07-07"))
    unit_id = product["options"][0]["units"][0]["id"]
    items = (item({"id": each["id"], "units": [{"unitId": unit_id}]}) for each in days)
    assert agency.hold(*items).status_code == 201
    send()
    assert endpoint.received == []
    listed = agency.shop.call("GET", f"{OTHERS}/{made['id']}/deliveries", token=ota.key).json["data"]
    assert [each["state"] for each in listed] == [DeliveryState.DELIVERED]
    ota.ok("DELETE", f"/webhooks/{made['id']}")


def test_each_sees_its_own(shop: Shop, agency: Agency, ota: Ota) -> None:
    mine = webhook(ota, AWAY, "booking_update")
    tests = told(agency, isTest=True)
    other = told(Agency(shop, "Others"))
    native = shop.call("POST", OTHERS, {"url": AWAY, "events": ["booking.updated"]}, token=ota.key).json
    shown = shop.call("GET", f"{OTHERS}/{mine['id']}", token=ota.key).json
    assert (shown["events"], shown["octo"], native["octo"]) == (["booking.updated"], [], None)
    assert ota.ok("GET", "/webhooks") == [mine]
    for stranger in (tests, other):
        assert stranger.ok("GET", "/webhooks") == []
        stranger.refused("DELETE", f"/webhooks/{mine['id']}", status=404)
    ota.refused("DELETE", f"/webhooks/{native['id']}", status=404)
    ota.refused("DELETE", "/webhooks/none", status=404)
    assert Ota(agency).refused("GET", "/webhooks", status=403)["error"] == "FORBIDDEN"
    ota.ok("DELETE", f"/webhooks/{mine['id']}")


@pytest.mark.parametrize(
    "body, error",
    [
        ({"url": AWAY}, "BAD_REQUEST"),
        ({"url": AWAY, "event": "order_update"}, "BAD_REQUEST"),
        ({"event": "booking_update"}, "BAD_REQUEST"),
        ({"url": "http://10.0.0.1/in", "event": "booking_update"}, "UNPROCESSABLE_ENTITY"),
        ({"url": "https://169.254.169.254/", "event": "booking_update"}, "UNPROCESSABLE_ENTITY"),
        ({"url": "file:///etc/passwd", "event": "booking_update"}, "UNPROCESSABLE_ENTITY"),
    ],
)
def test_refusals(ota: Ota, body: Document, error: str) -> None:
    assert ota.refused("POST", "/webhooks", body)["error"] == error
    assert ota.ok("GET", "/webhooks") == []
