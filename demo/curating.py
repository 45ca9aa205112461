"""A curator's day: a place from its owner's draft to what visitors see, and the rules of the sale."""

from __future__ import annotations

import io
import time
from typing import Any

import httpx
from PIL import Image

from demo import lines
from demo.catalogue import Json
from demo.signed_in import SignedIn
from demo.story import POLL_SECONDS, WAIT_SECONDS, Story, Unexpected

PIER = "old-harbour-pier"
HOURS = "Tu-Su 08:00-20:00"
FOLLOWED_SECONDS = 2.5
"""Every process of ticketing looks each two seconds."""

NEW_RULES = {"sales.bookingFee": 300, "sales.holdMinutes": 20}


class CuratorsDay:
    """The steps."""

    def __init__(self, story: Story, staff: SignedIn) -> None:
        self._story, self._staff = story, staff

    def run(self) -> str:
        """One line on what was done. Raises Unexpected, NobodyAnswers."""
        picture = self.upload()
        draft = self.propose(picture)
        published = self.review(draft)
        self.merge(published)
        rules = self.change_the_rules()
        entries = self.audit()
        return f"published a place and merged it with its duplicate; {rules}; {entries} audit entries intact"

    def upload(self) -> str:
        """The owner's picture, which comes out in three sizes."""
        story = self._story
        story.step("Sign in as somebody who owns a place, and send a picture of it")
        owner = self._staff.as_("poi_owner")
        files = {"files": ("pier.jpg", a_picture(), "image/jpeg")}
        sent = story.ask("POST", "/admin/media", 201, files=files, show=_sizes, **owner).json()["data"][0]
        small = sent["sizes"]["small"]["url"]
        story.ask("GET", str(httpx.URL(story.api.url).join(small)), 200, show=lines.size)
        return str(sent["id"])

    def propose(self, picture: str) -> Json:
        """A place of the owner's, which waits for review and is seen by nobody else."""
        story, owner = self._story, self._staff.as_("poi_owner")
        story.step("Describe the place: an owner's draft waits for review, and visitors do not see it")
        body = {
            "name": {"en": "Old Harbour Pier", "nl": "Oude Havenpier"},
            "summary": {"en": "A pier with a view.", "nl": "Een pier met uitzicht."},
            "category": "harbour",
            "location": {"type": "Point", "coordinates": [3.9096, 51.6974]},
            "address": {"city": "Vaartstede", "country": "NL"},
            "images": [
                {"mediaId": picture, "alt": {"en": "The pier"}, "source": "own", "licence": "own-work"}
            ],
        }
        poi: Json = story.ask("POST", "/admin/pois", 201, body=body, show=place, **owner).json()
        story.ask("GET", f"/platform/pois/{poi['id']}", 404, code="POI_NOT_FOUND")
        return poi

    def review(self, poi: Json) -> Json:
        """Sent back once, then approved and public."""
        story, path = self._story, f"/admin/pois/{poi['id']}"
        story.step("Review it: sent back with a reason")
        reviewer = self._staff.as_("reviewer")
        story.ask("GET", "/admin/pois", 200, query={"waiting": "true"}, show=_names, **reviewer)
        reason = {"reason": "When is it open?"}
        poi = self._write("POST", f"{path}/reject", poi, reviewer, body=reason)
        story.step("Say when it is open, and hand it in again")
        owner = self._staff.as_("poi_owner")
        poi = self._write("PATCH", path, poi, owner, body={"openingHours": HOURS})
        poi = self._write("POST", f"{path}/submit", poi, owner)
        story.step("Approve it: it is public at once, in the visitor's language")
        poi = self._write("POST", f"{path}/approve", poi, reviewer)
        shown = {"lang": "nl"}
        story.wait_for(
            f"/platform/pois/{poi['id']}", lambda answer: answer.status_code == 200, not_yet=(404,),
            query=shown, show=_public,
        )  # fmt: skip
        return poi

    def merge(self, poi: Json) -> None:
        """The place was there already: the two become one."""
        story = self._story
        story.step("Look for duplicates: the two become one")
        editor = self._staff.as_("editor")
        path = f"/admin/pois/{poi['id']}/duplicates"
        listed = story.ask("GET", path, 200, show=_alike, **editor).json()["data"]
        found = (story.api.send("GET", f"/admin/pois/{pair['duplicateId']}", token=editor["token"]).json()
                 for pair in listed)  # fmt: skip
        first = next((each for each in found if each["externalId"] == PIER), None)
        if first is None:
            raise Unexpected(f"the place with the external id {PIER} is not among the duplicates")
        body = {"duplicateId": poi["id"], "duplicateVersion": poi["version"]}
        version = f'"{first["version"]}"'
        story.ask(
            "POST", f"/admin/pois/{first['id']}/merge", 201, body=body, version=version,
            show=lines.fields("survivorId", "absorbedId"), **editor,
        )  # fmt: skip

    def change_the_rules(self) -> str:
        """Fee and hold time, as ticketing has them within seconds; and back."""
        story = self._story
        story.step("Change the booking fee and how long places are held")
        admin = self._staff.as_("platform_admin")
        before = story.ask("GET", "/admin/config", 200, show=_rules, **admin)
        fee = _values(before.json())["sales.bookingFee"]
        body = {"values": NEW_RULES, "reason": "high season"}
        changed = self._configure("PATCH", "/admin/config", before, body)
        story.step("Ticketing follows: the quote has the new fee, a hold the new time")
        items = self._some_seats()
        self._quoted(items, NEW_RULES["sales.bookingFee"])
        self._held(items)
        story.step("Have the rules back that were there before")
        body = {"revision": before.json()["revision"], "reason": "the season is over"}
        self._configure("POST", "/admin/config/rollback", changed, body)
        self._quoted(items, fee)
        return f"raised the fee from {fee / 100:.2f} to {NEW_RULES['sales.bookingFee'] / 100:.2f} and back"

    def audit(self) -> int:
        """Who did all that, and that nobody has touched the trail."""
        story = self._story
        story.step("Read the audit trail, and check that nobody has touched it")
        admin = self._staff.as_("platform_admin")
        story.ask("GET", "/admin/audit", 200, query={"limit": "5"}, show=_actions, **admin)
        show = lines.fields("intact", "entries")
        verified = story.ask("GET", "/admin/audit/verify", 200, show=show, **admin).json()
        if not verified["intact"]:
            raise Unexpected(f"the audit trail is broken: {verified['broken']}")
        return int(verified["entries"])

    def _write(self, method: str, path: str, poi: Json, who: dict[str, str], body: Any = None) -> Json:
        """A write that holds for the version that was seen."""
        version = f'"{poi["version"]}"'
        answer: Json = self._story.ask(
            method, path, 200, version=version, body=body, show=place, **who
        ).json()
        return answer

    def _configure(self, method: str, path: str, seen: httpx.Response, body: Json) -> httpx.Response:
        admin, version = self._staff.as_("platform_admin"), seen.headers["ETag"]
        return self._story.ask(method, path, 200, version=version, body=body, show=_rules, **admin)

    def _some_seats(self) -> list[Json]:
        """One unit of something that has room next week."""
        story = self._story
        query = {"q": "museum", "lang": "en"}
        ticket = story.ask("GET", "/tickets", 200, query=query, show=lines.titles).json()["data"][0]
        days = {"from": _day(3), "to": _day(9)}
        path = f"/tickets/{ticket['id']}/availability"
        slots = story.ask("GET", path, 200, query=days, show=lines.slots).json()["data"]
        slot = next((each for each in slots if each["status"] == "available"), None)
        if slot is None:
            raise Unexpected(f"no slot of {ticket['title']} has room next week")
        return [{"slotId": slot["id"], "units": [{"unitId": slot["units"][0]["unitId"], "quantity": 1}]}]

    def _quoted(self, items: list[Json], fee: int) -> None:
        """Ask until every quote has that fee: each process of ticketing looks for itself."""
        story, begin = self._story, time.monotonic()
        path, body, since = "/availability/check", {"items": items}, begin
        while (now := time.monotonic()) - since < FOLLOWED_SECONDS:
            if now - begin > WAIT_SECONDS:
                raise Unexpected(f"ticketing has not followed to a fee of {fee} within {WAIT_SECONDS:g} s")
            time.sleep(POLL_SECONDS)
            if story.api.send("POST", path, body=body).json()["price"]["fee"]["amount"] != fee:
                since = time.monotonic()
        story.ask("POST", path, 200, body=body, show=lines.quote)

    def _held(self, items: list[Json]) -> None:
        """Hold the places, see for how long, and let them go."""
        story, minutes = self._story, NEW_RULES["sales.holdMinutes"]
        customer = {"name": "Bo Bakker", "email": "bo.bakker@example.org", "language": "nl"}
        body = {"items": items, "customer": customer}
        key = f"curators-day-{time.time_ns()}"
        held = story.ask("POST", "/bookings", 201, key=key, body=body, show=lines.held).json()
        if lines.minutes_held(held) != minutes:
            raise Unexpected(f"the places are held for {lines.minutes_held(held)} minutes, not {minutes}")
        own = {"token": held["accessToken"], "who": "the booking's own token"}
        path = f"/bookings/{held['id']}/cancel"
        story.ask("POST", path, 200, body={"reason": "Only a try."}, show=lines.booking, **own)


def a_picture() -> bytes:
    """A photograph, as far as anybody can tell: sky above, water below."""
    grey = Image.linear_gradient("L").resize((1600, 1000))
    picture = Image.merge(
        "RGB", (grey, grey.point(lambda value: (value + 256) // 2), grey.point(lambda _: 200))
    )
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def place(poi: Json) -> str:
    """Where in its course a place is."""
    waits = ", waits for review" if poi["review"] else ""
    return f"{next(iter(poi['name'].values()))}: {poi['status']}, version {poi['version']}{waits}"


def _day(ahead: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + ahead * 86400))


def _values(config: Json) -> Json:
    return {each["key"]: each["value"] for each in config["values"]}


def _rules(config: Json) -> str:
    values = _values(config)
    return f"revision {config['revision']}: " + ", ".join(f"{key} {values[key]}" for key in NEW_RULES)


def _sizes(body: Json) -> str:
    sizes = body["data"][0]["sizes"].items()
    return ", ".join(
        f"{name} {each['width']} x {each['height']}, {each['bytes']} bytes" for name, each in sizes
    )


def _names(body: Json) -> str:
    return "; ".join(place(each) for each in body["data"]) or "nothing waits"


def _public(poi: Json) -> str:
    state = poi["open"]["state"] if poi["open"] else "says nothing of hours"
    return f"{poi['name']}, {poi['city']}: {state}, {len(poi['images'])} picture"


def _alike(body: Json) -> str:
    pairs = (
        f"{each['duplicateId']}, {each['metres']} m away, likeness {each['score']}" for each in body["data"]
    )
    return "; ".join(pairs) or "none"


def _actions(body: Json) -> str:
    return "; ".join(f"{each['action']} by {each['actor']}" for each in body["data"])
