"""A cached route of a small app, on both backends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, Response
from marshmallow import fields

from common.auth.authenticator import Authenticator, token_invalid
from common.auth.policy import Caller, anyone, roles
from common.caching.front import install
from common.caching.reads import Absence, CachedRead, Shown
from common.clock import system_clock
from common.monitoring.metrics.exporter import Measured, RequestRecorder, url_rule
from common.web import problems, security
from common.web.api import Api
from common.web.paging import PageQuery
from common.web.problems import Problem
from common.web.schemas import ApiSchema, Instant
from tests.caching.conftest import Stage

A, B = UUID(int=1), UUID(int=2)


class Missing(Exception):
    """There is no such thing."""


class Search(PageQuery):
    q = fields.String()
    since = Instant()
    lang = fields.String()


class ThingOut(ApiSchema):
    id = fields.UUID()
    name = fields.String()


class LanguageOnly(ApiSchema):
    lang = fields.String()


class Tokens:
    def caller(self, token: str) -> Caller:
        if token != "manager":
            raise token_invalid()
        return Caller(kind="access", subject="7", roles=frozenset({token}))


@dataclass
class Shop:
    """What the routes show, and how often they were asked."""

    name: str = "Tower"
    calls: int = 0
    error: Exception | None = None
    labels: list[dict[str, str]] = field(default_factory=list)
    fresh_until: datetime | None = None

    def asked(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


def things_api(shop: Shop) -> Api:
    api = Api("things", "/api")
    tags: Callable[[Any], list[str]] = lambda arguments: [f"thing:{arguments['thing_id']}"]  # noqa: E731
    absence = Absence(means=lambda error: isinstance(error, Missing), error=Missing)

    @api.route(
        "GET", "/things/<uuid:thing_id>", who=anyone(), query=LanguageOnly, answer=ThingOut,
        languages=("en", "nl"), cache="public, max-age=2",
        cached=CachedRead(
            region="tickets", tags=tags, absent=absence, seen=lambda labels: shop.labels.append(dict(labels)),
            shared_with=lambda caller: not caller.has("manager"),
        ),
    )  # fmt: skip
    def read(thing_id: UUID, caller: Caller, query: dict[str, Any], language: str) -> Any:
        shop.asked()
        manages = caller.has("manager")
        name = f"{shop.name} ({language}{', managed' if manages else ''})"
        return Shown(
            result=({"id": thing_id, "name": name}, {"X-Thing": "1"}),
            labels={"city": "Utrecht"},
            fresh_until=shop.fresh_until,
        )

    @api.route(
        "GET", "/things", who=anyone(), query=Search, cache="public, max-age=2",
        cached=CachedRead(region="tickets", tags=lambda arguments: ["things"], key=lambda _: "list"),
    )  # fmt: skip
    def search(query: dict[str, Any]) -> Any:
        shop.asked()
        return {"data": [shop.name], "query": {name: str(value) for name, value in query.items()}}

    @api.route(
        "GET", "/plain", who=anyone(), cache="public, max-age=2",
        cached=CachedRead(region="slots", tags=lambda _: ["plain"]),
    )  # fmt: skip
    def plain() -> Any:
        shop.asked()
        return Response("teapot", 200 if shop.name == "Tower" else 418, content_type="text/plain")

    return api


@dataclass
class Site:
    app: Flask
    shop: Shop
    stage: Stage

    def get(self, path: str, **headers: str) -> Any:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().get(f"/api{path}", headers=names)

    def invalidate(self, *tags: str) -> None:
        self.stage.caches().invalidate(tags)


def make_site(stage: Stage, *, cached: bool = True, recorder: RequestRecorder | None = None) -> Site:
    shop = Shop()
    app = Flask(__name__, static_folder=None)
    if recorder is not None:
        app.wsgi_app = Measured(app.wsgi_app, recorder, url_rule)  # type: ignore[method-assign]
    security.install(app)
    problems.install(app, {Missing: lambda _: Problem(404, "MISSING", detail="none")})
    app.extensions["authenticator"] = Authenticator(Tokens())
    things_api(shop).register(app)
    if cached:
        caches = stage.caches()
        install(app, lambda: caches)
    return Site(app, shop, stage)


@pytest.fixture
def site(stage: Stage) -> Site:
    return make_site(stage)


def test_a_second_request_gets_the_same_bytes_without_the_view(site: Site):
    first, second = site.get(f"/things/{A}"), site.get(f"/things/{A}")
    assert site.shop.calls == 1
    assert first.data == second.data == b'{"id":"%s","name":"Tower (en)"}' % str(A).encode()
    for name in ("ETag", "Cache-Control", "Content-Type", "Content-Language", "Vary", "X-Thing"):
        assert first.headers[name] == second.headers[name]
    assert first.headers["Cache-Control"] == "public, max-age=2"
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["Vary"] == "Accept-Language, Authorization"
    assert first.headers["ETag"].startswith('"')
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert site.shop.labels == [{"city": "Utrecht"}] * 2


def test_another_process_sends_what_this_one_rendered(site: Site):
    first = site.get(f"/things/{A}")
    other = make_site(site.stage)
    assert other.get(f"/things/{A}").data == first.data
    assert other.shop.calls == 0
    assert other.shop.labels == [{"city": "Utrecht"}]


def test_a_change_is_visible_to_the_next_read(site: Site):
    old = site.get(f"/things/{A}")
    site.shop.name = "Castle"
    site.invalidate(f"thing:{B}")
    assert site.get(f"/things/{A}").data == old.data
    site.invalidate(f"thing:{A}")
    new = site.get(f"/things/{A}", If_None_Match=old.headers["ETag"])
    assert (new.status_code, new.json["name"]) == (200, "Castle (en)")
    assert new.headers["ETag"] != old.headers["ETag"]


def test_each_language_and_argument_has_an_answer_of_its_own(site: Site):
    assert site.get(f"/things/{A}", Accept_Language="nl").json["name"] == "Tower (nl)"
    assert site.get(f"/things/{A}").json["name"] == "Tower (en)"
    assert site.get(f"/things/{A}?lang=nl").json["name"] == "Tower (nl)"
    assert site.get(f"/things/{B}").json["id"] == str(B)
    assert site.get(f"/things/{A}", Accept_Language="nl;q=0.9, fr").headers["Content-Language"] == "nl"


def test_a_query_is_the_same_in_any_order_and_spelling_and_headers_do_not_matter(site: Site):
    paths = (
        "/things?q=a%20b&limit=20&since=2026-05-01T12:00:00Z",
        "/things?since=2026-05-01T12%3A00%3A00.000Z&q=a+b",
        "/things?limit=20&since=2026-05-01T14:00:00%2B02:00&q=a+b",
    )
    answers = {site.get(path, User_Agent=path, X_Forwarded_Host="evil").data for path in paths}
    assert len(answers) == 1
    assert site.shop.calls == 1
    for path in ("/things", "/things?q=a", "/things?q=a%20b&limit=21"):
        site.get(path)
    assert site.shop.calls == 4
    assert site.get("/things?limit=20").data == site.get("/things").data
    assert site.shop.calls == 4


def test_a_bad_query_is_refused_whatever_is_kept(site: Site):
    site.get("/things")
    assert site.get("/things?limit=0").status_code == 422
    assert site.get("/things?unknown=1").status_code == 422
    assert site.get("/plain?x=1").status_code == 422


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_who_has_it_already_is_told_so(site: Site, form: str):
    first = site.get(f"/things/{A}")
    again = site.get(f"/things/{A}", If_None_Match=form.format(tag=first.headers["ETag"]))
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == first.headers[name]
    assert "Content-Type" not in again.headers
    assert site.shop.calls == 1


def test_who_has_another_version_is_sent_this_one(site: Site):
    site.get(f"/things/{A}")
    for value in ('"other"', "rubbish", ""):
        assert site.get(f"/things/{A}", If_None_Match=value).status_code == 200


def test_last_modified_is_sent_once_its_second_is_over(site: Site, monkeypatch: pytest.MonkeyPatch):
    now = 1_777_636_800.25
    monkeypatch.setattr("common.caching.reads.time.time", lambda: now)
    assert "Last-Modified" not in site.get(f"/things/{A}").headers
    now += 1
    answer = site.get(f"/things/{A}")
    assert answer.headers["Last-Modified"] == "Fri, 01 May 2026 12:00:00 GMT"
    since = answer.headers["Last-Modified"]
    assert site.get(f"/things/{A}", If_Modified_Since=since).status_code == 304
    assert site.get(f"/things/{A}", If_Modified_Since="Fri, 01 May 2026 11:59:59 GMT").status_code == 200
    # The entity tag decides where there is one (RFC 9110 section 13.1.3).
    both = site.get(f"/things/{A}", If_Modified_Since=since, If_None_Match='"other"')
    assert both.status_code == 200


def test_head_has_the_headers_of_get(site: Site):
    got = site.get(f"/things/{A}")
    head = site.app.test_client().head(f"/api/things/{A}")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert site.shop.calls == 1


def test_who_is_served_apart_neither_sees_nor_leaves_anything_in_the_cache(site: Site):
    site.get(f"/things/{A}")
    managed = site.get(f"/things/{A}", Authorization="Bearer manager")
    assert managed.json["name"] == "Tower (en, managed)"
    assert managed.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in managed.headers
    assert site.get(f"/things/{A}").json["name"] == "Tower (en)"
    assert site.shop.calls == 2


def test_a_bad_credential_is_refused_before_the_cache_is_asked(site: Site):
    site.get(f"/things/{A}")
    assert site.get(f"/things/{A}", Authorization="Bearer rubbish").status_code == 401


def test_what_is_not_there_is_remembered_for_a_short_while(site: Site):
    site.shop.error = Missing()
    answers = [site.get(f"/things/{A}") for _ in range(2)]
    assert [(each.status_code, each.json["code"]) for each in answers] == [(404, "MISSING")] * 2
    assert site.shop.calls == 1
    site.shop.error = None
    site.invalidate(f"thing:{A}")
    assert site.get(f"/things/{A}").status_code == 200


@pytest.mark.parametrize("status", [409, 503])
def test_refusals_and_failures_are_not_kept(site: Site, status: int):
    site.shop.error = Problem(status, "NO")
    assert [site.get(f"/things/{A}").status_code for _ in range(2)] == [status] * 2
    site.shop.error = None
    assert site.get(f"/things/{A}").status_code == 200
    assert site.shop.calls == 3


def test_an_answer_that_is_not_200_is_passed_on_and_not_kept(site: Site):
    site.shop.name = "Teapot"
    assert [site.get("/plain").status_code for _ in range(2)] == [418, 418]
    site.shop.name = "Tower"
    assert [site.get("/plain").data for _ in range(2)] == [b"teapot"] * 2
    assert site.shop.calls == 3
    assert site.get("/plain").headers["Content-Type"].startswith("text/plain")


def test_an_answer_that_has_changed_by_time_is_not_kept(site: Site):
    site.shop.fresh_until = system_clock()
    for _ in range(2):
        site.get(f"/things/{A}")
    assert site.shop.calls == 2
    site.shop.fresh_until = datetime(2100, 1, 1, tzinfo=UTC)
    for _ in range(2):
        site.get(f"/things/{A}")
    assert site.shop.calls == 3


def test_without_a_cache_the_answers_are_the_same(stage: Stage):
    site, cached = make_site(stage, cached=False), make_site(stage)
    for path in (f"/things/{A}", "/things", "/plain"):
        one, other = site.get(path), cached.get(path)
        assert (one.status_code, one.data, one.headers["ETag"]) == (200, other.data, other.headers["ETag"])
    assert site.get(f"/things/{A}", If_None_Match=site.get(f"/things/{A}").headers["ETag"]).status_code == 304
    site.shop.error = Missing()
    assert site.get(f"/things/{A}").status_code == 404


def test_a_route_whose_answers_cannot_be_shared_is_a_type_error():
    api = Api("x")
    cached = CachedRead(region="tickets", tags=lambda _: ())
    with pytest.raises(TypeError, match="anyone"):
        api.route("GET", "/a", who=roles("x"), cache="public", cached=cached)(lambda: None)
    with pytest.raises(TypeError, match="anyone"):
        api.route("GET", "/a", who=anyone() | roles("x"), cache="public", cached=cached)(lambda: None)
    with pytest.raises(TypeError, match="anyone"):
        api.route("POST", "/a", who=anyone(), cache="public", cached=cached)(lambda: None)
    with pytest.raises(TypeError, match="shared_with"):
        api.route("GET", "/a", who=anyone(), cache="public", cached=cached)(lambda caller: None)
    with pytest.raises(TypeError, match="Cache-Control"):
        api.route("GET", "/a", who=anyone(), cached=cached)(lambda: None)
