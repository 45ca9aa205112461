"""From what somebody writes of a POI to its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from admin_service.actions.ports import Ports
from admin_service.domain.errors import Code, Refused
from admin_service.domain.opening_hours import zone_at
from admin_service.domain.poi import Accessibility, Contact, PoiContent
from admin_service.domain.poi_rules import check

Changes = Mapping[str, Any]
"""Members of `PoiContent`; None stands for a member's default."""

_DEFAULTS: Changes = {
    "summaries": {},
    "descriptions": {},
    "tags": (),
    "contact": Contact(),
    "opening_hours": None,
    "accessibility": Accessibility(),
    "price_range": None,
    "images": (),
    "external_id": None,
}


def new_content(changes: Changes, ports: Ports) -> PoiContent:
    """A whole content of `changes` and defaults. Raises as `poi_rules.check`, and UNKNOWN_MEDIA."""
    given = {name: value for name, value in changes.items() if value is not None}
    zone = given.pop("time_zone", None) or zone_at(given["point"])
    content = PoiContent(**{**_DEFAULTS, **given}, time_zone=zone)
    return _checked(content, None, ports)


def changed_content(before: PoiContent, changes: Changes, ports: Ports) -> PoiContent:
    """`before` with the members that `changes` names. Raises as `new_content`."""
    given = {
        name: _DEFAULTS[name] if value is None and name in _DEFAULTS else value
        for name, value in changes.items()
    }
    if "time_zone" in given and given["time_zone"] is None:
        given["time_zone"] = zone_at(given.get("point", before.point))
    return _checked(replace(before, **given), before, ports)


def _checked(content: PoiContent, before: PoiContent | None, ports: Ports) -> PoiContent:
    check(content)
    known = {image.media_id for image in before.images} if before is not None else set()
    named = {image.media_id for image in content.images} - known
    there = ports.store.pois.known_media(named) if named else frozenset()
    for index, image in enumerate(content.images):
        if image.media_id in named - there:
            raise Refused(Code.UNKNOWN_MEDIA, pointer=f"/images/{index}/mediaId")
    return content
