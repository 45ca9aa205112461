"""The demo's destination: reads `pois.geojson` and `catalogue.json` and writes them as the API takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SCHEDULE_DAYS = 60

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TicketPlan:
    """A ticket of the demo. `body` is that of `POST /tickets`; `rules` name their option by its key."""

    slug: str
    body: Mapping[str, Any]
    option_keys: Sequence[str]
    rules: Sequence[Mapping[str, Any]]

    @property
    def title(self) -> str:
        """The English title, by which the ticket is found again."""
        title: str = self.body["title"]["en"]
        return title

    def schedule(self, option_ids: Sequence[str], today: date) -> Json:
        """The body of `PUT /tickets/{id}/schedule`: today and the 60 days after it."""
        ids = dict(zip(self.option_keys, option_ids, strict=True))
        period = {
            "dateFrom": today.isoformat(),
            "dateTo": (today + timedelta(days=SCHEDULE_DAYS)).isoformat(),
        }
        rules = [{**rule, "optionId": ids[rule["option"]], **period} for rule in self.rules]
        for rule in rules:
            del rule["option"]
        return {"rules": rules}


@dataclass(frozen=True, slots=True)
class VoucherPlan:
    """A voucher of the demo; `tickets` are slugs, none is all."""

    terms: Mapping[str, Any]
    valid_days: int
    tickets: Sequence[str]

    @property
    def code(self) -> str:
        """What customers type."""
        return str(self.terms["code"])

    def body(self, ticket_ids: Mapping[str, str], now: datetime) -> Json:
        """The body of `POST /vouchers`."""
        return {
            **self.terms,
            "validFrom": _instant(now),
            "validUntil": _instant(now + timedelta(days=self.valid_days)),
            "ticketIds": [ticket_ids[slug] for slug in self.tickets],
        }


class Catalogue:
    """What `demo.seed` creates. Raises KeyError for a name that the files do not define.

    `ids` are those of the places by external id, as the admin service has given them; without it, the file's.
    """

    def __init__(self, ids: Mapping[str, str] | None = None, folder: Path = FOLDER) -> None:
        self._ids = ids
        self._pois = json.loads((folder / "pois.geojson").read_text(encoding="utf-8"))
        self._data = json.loads((folder / "catalogue.json").read_text(encoding="utf-8"))
        self._currency: str = self._data["currency"]

    @cached_property
    def poi_ids(self) -> dict[str, str]:
        """The id of each place by its English name."""
        properties = [feature["properties"] for feature in self.places]
        ids = self._ids or {each["externalId"]: each["id"] for each in properties}
        return {each["names"]["en"]: ids[each["externalId"]] for each in properties}

    @property
    def places(self) -> Sequence[Json]:
        """All places, as features of GeoJSON."""
        features: Sequence[Json] = self._pois["features"]
        return features

    @cached_property
    def tickets(self) -> tuple[TicketPlan, ...]:
        """All tickets."""
        return tuple(self._ticket(each) for each in self._data["tickets"])

    @cached_property
    def vouchers(self) -> tuple[VoucherPlan, ...]:
        """All vouchers."""
        return tuple(self._voucher(each) for each in self._data["vouchers"])

    def _ticket(self, data: Json) -> TicketPlan:
        ours = ("slug", "poi", "alsoAt", "options", "schedule")
        body = {name: value for name, value in data.items() if name not in ours}
        body |= {
            "poiId": self.poi_ids[data["poi"]],
            "status": "active",
            "options": [self._option(option, index) for index, option in enumerate(data["options"])],
        }
        if "alsoAt" in data:
            body["poiIds"] = [self.poi_ids[name] for name in (data["poi"], *data["alsoAt"])]
        keys = [option["key"] for option in data["options"]]
        return TicketPlan(data["slug"], body, keys, data["schedule"])

    def _option(self, data: Json, index: int) -> Json:
        option = {name: value for name, value in data.items() if name not in ("key", "units")}
        if "price" in option:
            option["price"] = self._money(option["price"])
        return {**option, "default": index == 0, "units": list(self._units(data["units"]))}

    def _units(self, prices: Mapping[str, int]) -> Iterator[Json]:
        for kind, price in prices.items():
            yield {**self._data["unitKinds"][kind], "price": self._money(price)}

    def _money(self, amount: int) -> Json:
        return {"amount": amount, "currency": self._currency}

    def _voucher(self, data: Json) -> VoucherPlan:
        terms = {name: value for name, value in data.items() if name not in ("validDays", "tickets")}
        if "amount" in terms:
            terms["amount"] = self._money(terms["amount"])
        return VoucherPlan(terms, data["validDays"], data.get("tickets", ()))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
