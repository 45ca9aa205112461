"""A reseller that knows nothing but OCTO, and holds every answer to its specification."""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.http.ticketing.agency import Agency
from tests.http.ticketing.shop import MUSEUM, TOWER, Reply, Shop
from tests.octo.spec import CONTENT, hold

Document = dict[str, Any]

SCHEMAS = (
    (r"GET /supplier", "Supplier", False),
    (r"GET /products", "Product", True),
    (r"GET /products/[^/]+", "Product", False),
    (r"GET /capabilities", "Capability", True),
    (r"POST /availability", "Availability", True),
    (r"POST /availability/calendar", "AvailabilityCalendar", True),
    (r"GET /bookings", "Booking", True),
    (r"POST /bookings", "Booking", False),
    (r"(GET|PATCH) /bookings/[^/]+", "Booking", False),
    (r"POST /bookings/[^/]+/(confirm|extend|cancel)", "Booking", False),
)
"""Route, schema of its answer, and whether that is a list of such."""

ERRORS = {
    "INVALID_PRODUCT_ID": "ErrorInvalidProductID",
    "INVALID_OPTION_ID": "ErrorInvalidOptionID",
    "INVALID_UNIT_ID": "ErrorInvalidUnitID",
    "INVALID_AVAILABILITY_ID": "ErrorInvalidAvailabilityID",
    "INVALID_BOOKING_UUID": "ErrorInvalidBookingUUID",
}
LEAD = {
    "fullName": "Ann Lee",
    "emailAddress": "ann@example.org",
    "phoneNumber": "+31 15 1234567",
    "locales": ["nl-NL", "en"],
    "country": "NL",
}


class Ota:
    """A reseller over OCTO alone; with `used` capabilities."""

    def __init__(self, agency: Agency, *used: str) -> None:
        self.agency, self.key = agency, agency.key
        self.used = frozenset(used)

    def asking(self, *used: str) -> Ota:
        """The same reseller with other capabilities."""
        return Ota(self.agency, *used)

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> Reply:
        """One request below /octo, whose answer must be as the specification says."""
        headers = {"Octo-Capabilities": ", ".join(sorted(self.used)), **how.pop("headers", {})}
        answer = self.agency.shop.call(method, f"/octo{path}", body, token=self.key, headers=headers, **how)
        self._hold(answer, f"{method} {path.partition('?')[0].rstrip('/')}")
        return answer

    def _hold(self, answer: Reply, route: str) -> None:
        assert answer.content_type == "application/json", answer.get_data(as_text=True)
        if answer.status_code != 200:
            hold(answer.json, ERRORS.get(answer.json["error"], "BaseError"))
            return
        named = {name.strip() for name in answer.headers["Octo-Capabilities"].split(",") if name.strip()}
        assert named == self.used
        assert ("Content-Language" in answer.headers) == (CONTENT in self.used)
        for pattern, name, many in SCHEMAS:
            if re.fullmatch(pattern, route):
                hold(answer.json, name, self.used, many=many)

    def ok(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        answer = self.call(method, path, body, **how)
        assert answer.status_code == 200, answer.json
        return answer.json

    def refused(self, method: str, path: str, body: Any = None, status: int = 400, **how: Any) -> Document:
        answer = self.call(method, path, body, **how)
        assert answer.status_code == status, answer.json
        return dict(answer.json)

    def product(self, title: str) -> Document:
        (found,) = (each for each in self.ok("GET", "/products") if each["internalName"] == title)
        return dict(found)

    def slots(self, product: Document, day: str = "2026-07-02", **more: Any) -> list[Document]:
        """The availabilities of the first option on that day."""
        body = {"productId": product["id"], "optionId": product["options"][0]["id"], **more}
        if "availabilityIds" not in more:
            body |= {"localDateStart": day, "localDateEnd": day}
        return list(self.ok("POST", "/availability", body))

    def order(self, product: Document, slot: Document | None = None, count: int = 1, **more: Any) -> Document:
        """A body for POST /bookings: so many of the first unit."""
        option = product["options"][0]
        chosen = slot or self.slots(product)[0]
        return {
            "uuid": str(uuid.uuid4()),
            "productId": product["id"],
            "optionId": option["id"],
            "availabilityId": chosen["id"],
            "unitItems": [{"unitId": option["units"][0]["id"]} for _ in range(count)],
            **more,
        }

    def reserved(
        self, product: Document, slot: Document | None = None, count: int = 1, **more: Any
    ) -> Document:
        return dict(self.ok("POST", "/bookings", self.order(product, slot, count, **more)))

    def confirmed(
        self, product: Document, slot: Document | None = None, count: int = 1, **more: Any
    ) -> Document:
        held = self.reserved(product, slot, count, **more)
        return dict(self.ok("POST", f"/bookings/{held['uuid']}/confirm", {"contact": LEAD}))


def euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def unit(kind: str, price: int, **more: Any) -> Document:
    return {"type": kind, "title": {"en": kind.capitalize()}, "price": euros(price), **more}


def day_ticket(shop: Shop, capacity: int | None = 10, **changes: Any) -> Document:
    """Day admission for adults and children at 10.00 and 5.00, from 9 to 18 h."""
    units = [unit("ADULT", 1000), unit("CHILD", 500, restrictions={"minAge": 4, "maxAge": 12})]
    options = [{"title": {"en": "Standard", "nl": "Gewoon"}, "default": True, "units": units}]
    made = shop.ticket(**{"options": options, **changes})
    shop.slots(made, capacity, dateTo="2026-09-30")
    return made


def tour(shop: Shop, capacity: int | None = 6, **changes: Any) -> Document:
    """A guided tour of two starts a day, at 20.00 a head."""
    options = [{"title": {"en": "English"}, "default": True, "units": [unit("ADULT", 2000)]}]
    made = shop.ticket(
        **{
            "type": "guided-tour",
            "availabilityType": "START_TIME",
            "title": {"en": "Walk"},
            "options": options,
            **changes,
        }
    )
    shop.slots(made, capacity, dateTo="2026-09-30", startTimes=["10:00", "14:00"], durationMinutes=90)
    return made


def group_visit(shop: Shop) -> Document:
    """A visit of a group, at 150.00 whatever its size."""
    option = {
        "title": {"en": "Group"},
        "default": True,
        "price": euros(15000),
        "units": [unit("ADULT", 0)],
        "minUnits": 2,
        "maxUnits": 8,
    }
    made = shop.ticket(
        type="group", availabilityType="START_TIME", title={"en": "Group visit"}, options=[option]
    )
    shop.slots(made, 8, dateTo="2026-09-30")
    return made


def multi_day(shop: Shop) -> Document:
    made = shop.ticket(type="multi-day", title={"en": "Three days"}, validDays=3)
    shop.slots(made, None, dateTo="2026-09-30")
    return made


def combo(shop: Shop) -> Document:
    made = shop.ticket(type="combo", title={"en": "Both"}, poiIds=[str(TOWER), str(MUSEUM)])
    shop.slots(made, 20, dateTo="2026-09-30")
    return made
