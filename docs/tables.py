"""Writes the tables of this folder from the code: `make docs`. The tests hold that nothing differs.

Each table stands between `<!-- table: name -->` and `<!-- end -->`; what is around it is written by hand.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from flask import Flask

from admin_service import app as admin
from admin_service import metrics as admin_metrics_of
from admin_service.domain.configuration import KEYS, Key
from admin_service.domain.media import FAULTS
from admin_service.domain.permissions import PERMISSIONS, ROLES
from admin_service.storage.predecessor import members as admin_predecessor
from admin_service.storage.predecessor import reasons as admin_reasons
from common.auth.policy import Policy
from common.monitoring.metrics.definitions import COMMON, Definition
from common.settings import load
from common.settings_table import SETTINGS, Setting
from common.transfer.members import Member, Shape
from common.web.api import operations_of
from common.web.operations import Operation
from common.web.problems import PROBLEM_CODES, ProblemCode
from ticketing_service import app as ticketing
from ticketing_service import metrics as ticketing_metrics_of
from ticketing_service.storage.predecessor import members as ticketing_predecessor
from ticketing_service.storage.predecessor import reasons as ticketing_reasons

FOLDER = Path(__file__).resolve().parent
GATEWAY_PROBLEMS = FOLDER.parent / "nginx" / "snippets" / "problems.conf"

_BEARERS = {
    "booking": "the booking's token",
    "access": "the signed-in customer",
    "reseller": "its reseller",
}
_TABLE = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in GitHub's Markdown."""
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def documented_app() -> Flask:
    """The ticketing app, for what it declares: nothing is connected to."""
    with tempfile.TemporaryDirectory() as folder:
        made_up = {"PAYMENT_API_TOKEN": "x" * 16, "PAYMENT_WEBHOOK_SECRET": "x" * 16, "DATA_DIR": folder}
        return ticketing.create_app(load("ticketing", made_up))


def documented_admin() -> Flask:
    """The admin app, in the same way."""
    with tempfile.TemporaryDirectory() as folder:
        return admin.create_app(load("admin", {"DATA_DIR": folder}))


def endpoints() -> str:
    """Every route of ticketing: who may call it and what it does."""
    return _endpoints(documented_app())


def admin_endpoints() -> str:
    """Every route of the admin service."""
    return _endpoints(documented_admin())


def errors() -> str:
    """Every code that a problem document of a service may carry."""
    known: Mapping[str, ProblemCode] = {**ticketing.CODES, **admin.CODES, **PROBLEM_CODES}
    ordered = sorted(known.items(), key=lambda each: (each[1].status, each[0]))
    return markdown(
        ("status", "code", "meaning"),
        ((str(code.status), f"`{name}`", code.title) for name, code in ordered),
    )


def roles() -> str:
    """Every role, and what it is for."""
    return markdown(("role", "may"), ((f"`{name}`", meaning) for name, meaning in ROLES.items()))


def permissions() -> str:
    """The table of permissions: every permission with the roles that hold it, besides platform_admin."""
    rows = (
        (f"`{name}`", ", ".join(f"`{role}`" for role in held_by if role != "platform_admin"))
        for name, held_by in PERMISSIONS.items()
    )
    return markdown(("permission", "roles"), rows)


def gateway_errors() -> str:
    """Every code that the gateway itself answers with, from its own table."""
    table = GATEWAY_PROBLEMS.read_text(encoding="utf-8")
    block = table.partition("map $status $problem_code {")[2].partition("}")[0]
    rows = re.findall(r"^\s*(\d{3}|default) (\w+);", block, re.MULTILINE)
    rows = sorted(("500" if status == "default" else status, f"`{code}`") for status, code in rows)
    return markdown(("status", "code"), rows)


def settings() -> str:
    """Every setting."""
    return markdown(("setting", "default", "meaning"), map(_setting, SETTINGS))


def common_metrics() -> str:
    """Every metric that each service has; the names without the service's prefix."""
    return _metrics("", COMMON)


def ticketing_metrics() -> str:
    """What ticketing measures besides."""
    return _metrics(ticketing_metrics_of.PREFIX, ticketing_metrics_of.DEFINITIONS)


def admin_metrics() -> str:
    """What the admin service measures besides."""
    return _metrics(admin_metrics_of.PREFIX, admin_metrics_of.DEFINITIONS)


def config_keys() -> str:
    """Every key of the platform's configuration."""
    rows = (
        (f"`{key.name}`", key.kind.name, f"`{_json(key.default)}`", _limits(key), _of_key(key))
        for key in KEYS.values()
    )
    return markdown(("key", "type", "default", "limits", "meaning"), rows)


def media_faults() -> str:
    """Why a file of an upload is refused."""
    return markdown(("code", "meaning"), ((f"`{fault.value}`", text) for fault, text in FAULTS.items()))


def predecessor_members() -> str:
    """Every member of the predecessor's documents, and what becomes of it."""
    rows = (
        (f"`{shape.collection}.{member.path}`", member.kind.value, becomes(member))
        for shape in predecessor_shapes()
        for member in shape.members
    )
    return markdown(("member", "kind", "becomes"), rows)


def predecessor_words() -> str:
    """Every word of the predecessor, and ours for it."""
    both = (*admin_predecessor.WORDS.items(), *ticketing_predecessor.WORDS.items())
    rows = (
        (f"`{name}`", ", ".join(f"`{one}` -> `{ours}`" for one, ours in words.items()))
        for name, words in both
    )
    return markdown(("member", "theirs -> ours"), rows)


def predecessor_reasons() -> str:
    """Why a document of the predecessor does not fit, and what then."""
    remedies = (*ticketing_reasons.REMEDIES.items(), *admin_reasons.REMEDIES.items())
    return markdown(("listed as", "then"), ((reason.value, remedy) for reason, remedy in remedies))


TABLES: Mapping[str, Callable[[], str]] = {
    "admin-endpoints": admin_endpoints,
    "config-keys": config_keys,
    "endpoints": endpoints,
    "errors": errors,
    "gateway-errors": gateway_errors,
    "media-faults": media_faults,
    "metrics-admin": admin_metrics,
    "metrics-common": common_metrics,
    "metrics-ticketing": ticketing_metrics,
    "permissions": permissions,
    "predecessor-members": predecessor_members,
    "predecessor-reasons": predecessor_reasons,
    "predecessor-words": predecessor_words,
    "roles": roles,
    "settings": settings,
}


def who(policy: Policy) -> str:
    """A route's policy in words. The platform administrator may use every route."""
    if policy.guests:
        return "anyone"
    named = [f"`{role}`" for role in sorted(policy.roles)]
    named = [_BEARERS.get(kind, kind) for kind in sorted(policy.kinds, reverse=True)] + named
    if policy.proof is not None:
        proof = "a signature in" if policy.proof.place == "header" else "a signed link with"
        named.append(f"{proof} `{policy.proof.name}`")
    return ", ".join(named)


def predecessor_shapes() -> tuple[Shape, ...]:
    """What is known of its collections: the whole of a POI is the admin service's."""
    others = (each for each in ticketing_predecessor.SHAPES if each.collection != "pois")
    return (*admin_predecessor.SHAPES, *others)


def becomes(member: Member) -> str:
    """In a sentence."""
    if member.left:
        return f"left behind: {member.becomes}"
    missing = "; needed" if member.required else ""
    if member.default not in (None, []):
        missing = f"; `{json.dumps(member.default)}` where it is missing"
    return member.becomes + missing


def rewritten(text: str) -> str:
    """`text` with each table as the code says now. Raises KeyError for a table that nobody makes."""
    return _TABLE.sub(lambda found: f"{found[1]}{TABLES[found['name']]()}{found[3]}", text)


def _endpoints(app: Flask) -> str:
    operations = sorted(operations_of(app), key=lambda each: (each.rule, each.method))
    return markdown(
        ("route", "who", "what", "success"),
        ((_route(each), who(each.who), _what(each), str(each.status)) for each in operations),
    )


def _metrics(prefix: str, definitions: Iterable[Definition]) -> str:
    head = ("metric", "type", "labels", "meaning")
    return markdown(head, (_metric(prefix, each) for each in definitions))


def _metric(prefix: str, definition: Definition) -> tuple[str, str, str, str]:
    labels = ", ".join(f"`{label}`" for label in definition.labels)
    return f"`{prefix}{definition.name}`", definition.kind, labels, definition.help


def _route(operation: Operation) -> str:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
    return f"`{operation.method} {path}`"


def _what(operation: Operation) -> str:
    keyed = {"required": "; needs `Idempotency-Key`", "accepted": "; takes `Idempotency-Key`", None: ""}
    match = "; needs `If-Match`" if operation.if_match else ""
    return f"{operation.summary}{keyed[operation.idempotency]}{match}"


def _json(value: object) -> str:
    return json.dumps(value, separators=(", ", ": "))


def _limits(key: Key) -> str:
    limits = key.kind.limits()
    if "minimum" in limits and "maximum" in limits:
        return f"{limits['minimum']} to {limits['maximum']}"
    return "; ".join(f"{name} {_json(value)}" for name, value in limits.items()).replace("|", "\\|")


def _of_key(key: Key) -> str:
    unit = f" In {key.unit}." if key.unit else ""
    return f"{key.description}{unit}{' Public.' if key.public else ''}"


def _setting(setting: Setting) -> tuple[str, str, str]:
    default = f"`{setting.default}`" if setting.default else ""
    secret = f" Secret; `{setting.name}_FILE` may name a file that holds it." if setting.secret else ""
    return f"`{setting.name}`", default, setting.help + secret


def main() -> None:
    """Rewrite the tables of every page."""
    for page in sorted(FOLDER.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = rewritten(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stdout.write(f"docs/{page.name}: tables rewritten\n")


if __name__ == "__main__":
    main()
