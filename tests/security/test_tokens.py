"""Credentials at the door: what is forged, foreign, late, misplaced or of another kind opens nothing."""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from common.auth.jwks import public_jwk
from common.auth.keyfiles import KeyRing, SecretRing
from common.settings import load
from tests.http.ticketing.shop import API, TOWER, Reply, Shop, item, refusal
from tests.sandbox.running import OLD_SECRET, SECRET, TOKEN, SandboxProcess
from tests.security.answers import check_problem
from tests.security.stage import Stage, signed
from ticketing_service.app import create_app

ISSUER, OTHER_ISSUER = "https://login.example.org", "https://elsewhere.example.org"
KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
STAFF_ONLY = "/vouchers"

Ask = Callable[[str], Reply]


def claims(stage: Stage, **changes: Any) -> dict[str, Any]:
    """Those of a manager; None takes one away."""
    now = int(stage.shop.clock.now.timestamp())
    whole = {
        "iss": ISSUER, "aud": stage.shop.settings.token_audience, "sub": "u-1", "iat": now,
        "exp": now + 900, "roles": ["ticket_manager"], "sid": "s-1", "ver": 1, **changes,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def token(stage: Stage, key: Any = KEY, algorithm: str = "EdDSA", **changes: Any) -> str:
    header = {"kid": "k1", "typ": "at+jwt", **changes.pop("header", {})}
    return jwt.encode(claims(stage, **changes), key, algorithm=algorithm, headers=header)


def by_hand(stage: Stage, algorithm: str, secret: bytes | None = None) -> str:
    """A token that no library would make: without signature, or with an HMAC by `secret`."""
    parts = ({"alg": algorithm, "kid": "k1", "typ": "at+jwt"}, claims(stage))
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    content = b".".join(text.rstrip(b"=") for text in texts)
    signature = b"" if secret is None else hmac.digest(secret, content, "sha256")
    return (content + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.fixture(scope="module")
def ask(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """A staff route of a service that trusts two keys of one issuer, with whatever token."""
    file = tmp_path_factory.mktemp("jwks") / "jwks.json"
    keys = [public_jwk("k1", KEY.public_key().public_bytes_raw())]
    file.write_text(json.dumps({"keys": keys}))
    with_jwks = settings(stage.shop, JWKS_SOURCE=str(file), TOKEN_ISSUER=ISSUER)
    client = create_app(with_jwks, stage.shop.running).test_client()

    def send(text: str) -> Reply:
        answer: Any = client.get(API + STAFF_ONLY, headers={"Authorization": f"Bearer {text}"})
        return answer

    return send


def settings(shop: Shop, **more: str) -> Any:
    environ = {
        "DATA_DIR": str(shop.settings.data_dir),
        "TICKETING_DATABASE_URL": shop.settings.database_url,
        "PAYMENT_API_TOKEN": TOKEN,
        "PAYMENT_WEBHOOK_SECRET": SECRET,
        "PUBLIC_URL": "http://shop.test:3001",
        **more,
    }
    return load("ticketing", environ)


def test_a_good_token_opens(stage: Stage, ask: Ask) -> None:
    assert ask(token(stage)).status_code == 200


def test_no_signature_and_other_algorithms_open_nothing(stage: Stage, ask: Ask) -> None:
    public = KEY.public_key()
    for algorithm in ("none", "None", "NONE", "", "EdDSA"):
        assert refusal(ask(by_hand(stage, algorithm))) == (401, "TOKEN_INVALID"), algorithm
    secrets = (
        public.public_bytes_raw(),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        base64.urlsafe_b64encode(public.public_bytes_raw()),
    )
    for secret in secrets:
        assert refusal(ask(by_hand(stage, "HS256", secret))) == (401, "TOKEN_INVALID")
    rsa = generate_private_key(public_exponent=65537, key_size=2048)
    assert refusal(ask(token(stage, key=rsa, algorithm="RS256"))) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"key": OTHER_KEY}, id="another key"),
        {"header": {"kid": "k2"}},
        {"header": {"kid": "../../etc/passwd"}},
        {"header": {"typ": "refresh+jwt"}},
        {"header": {"typ": "id+jwt"}},
        {"header": {"crit": ["x"], "x": 1}},
        {"aud": "another-service"},
        {"aud": None},
        {"iss": OTHER_ISSUER},
        {"iss": None},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"roles": "ticket_manager"},
        {"roles": {"ticket_manager": True}},
        {"poiIds": "*"},
    ],
    ids=str,
)
def test_a_token_of_another_hand_shape_or_purpose_opens_nothing(
    stage: Stage, ask: Ask, changes: dict[str, Any]
) -> None:
    answer = ask(token(stage, **changes))
    assert refusal(answer) == (401, "TOKEN_INVALID")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    check_problem(answer)


def test_times_are_kept(stage: Stage, ask: Ask) -> None:
    now = int(stage.shop.clock.now.timestamp())
    assert refusal(ask(token(stage, exp=now))) == (401, "TOKEN_EXPIRED")
    assert ask(token(stage, exp=now + 1)).status_code == 200
    assert refusal(ask(token(stage, nbf=now + 60))) == (401, "TOKEN_INVALID")
    assert refusal(ask(token(stage, iat=now + 60))) == (401, "TOKEN_INVALID")
    assert ask(token(stage, nbf=now - 1)).status_code == 200


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
def test_a_token_cannot_bring_its_own_key(stage: Stage, ask: Ask, name: str) -> None:
    own = public_jwk("k1", OTHER_KEY.public_key().public_bytes_raw())
    header = {name: own if name == "jwk" else "https://evil.example.org/jwks.json"}
    assert refusal(ask(token(stage, key=OTHER_KEY, header=header))) == (401, "TOKEN_INVALID")
    assert ask(token(stage, header=header)).status_code == 200


def test_without_published_keys_no_token_opens_on_whatever_address(stage: Stage) -> None:
    staff = {"Authorization": f"Bearer {stage.token('ticket_manager')}"}
    trusting = stage.shop.issuer.settings
    for host in ("127.0.0.1", "0.0.0.0", "::"):
        for more, status in ((trusting, 200), ({}, 401), ({**trusting, "JWKS_SOURCE": ""}, 401)):
            client = create_app(
                settings(stage.shop, BIND_HOST=host, **more), stage.shop.running
            ).test_client()
            assert client.get(API + STAFF_ONLY, headers=staff).status_code == status, (host, more)


def test_a_token_is_taken_from_its_header_alone(stage: Stage) -> None:
    good, booking = stage.token("ticket_manager"), stage.held
    for name in ("access_token", "token", "bearer", "Authorization", "t", "dl"):
        answer = stage.shop.call("GET", f"{STAFF_ONLY}?{name}={good}")
        assert refusal(answer) == (401, "UNAUTHENTICATED")
        shown = stage.shop.call("GET", f"/bookings/{booking['id']}?{name}={booking['accessToken']}")
        assert refusal(shown) == (401, "UNAUTHENTICATED")
    form: dict[str, Any] = {
        "data": {"access_token": good},
        "content_type": "application/x-www-form-urlencoded",
    }
    assert stage.shop.call("POST", STAFF_ONLY, **form).status_code == 401
    cookie = {"Cookie": f"access_token={good}; token={good}"}
    assert stage.shop.call("GET", STAFF_ONLY, headers=cookie).status_code == 401


def test_one_kind_of_token_never_stands_for_another(stage: Stage) -> None:
    shop, path, access = stage.shop, f"/bookings/{stage.held['id']}", stage.held["accessToken"]
    pay = stage.call("GET /bookings/<uuid:booking_id>/pay").query["t"]
    foreign = stage.foreign["payment"]["paymentUrl"].partition("?t=")[2]
    for text in (pay, f"bkt_{pay}", access.removeprefix("bkt_")):
        assert refusal(shop.call("GET", path, token=text)) == (401, "TOKEN_INVALID")
    for text in (access, access.removeprefix("bkt_"), foreign, pay[:-1], pay + "A", pay.lower(), "x"):
        assert refusal(shop.call("GET", f"{path}/pay?t={text}")) == (404, "BOOKING_NOT_FOUND"), text
    for method, rest in (("GET", ""), ("POST", "/extend"), ("POST", "/confirm"), ("GET", "/admissions")):
        answer = shop.call(method, path + rest, token=stage.foreign["accessToken"])
        assert refusal(answer) == (404, "BOOKING_NOT_FOUND")


def test_a_booking_s_token_that_was_touched_opens_nothing(stage: Stage) -> None:
    raw = stage.held["accessToken"]
    for place in range(4, len(raw), 7):
        other = "A" if raw[place] != "A" else "B"
        forged = raw[:place] + other + raw[place + 1 :]
        answer = stage.shop.call("GET", f"/bookings/{stage.held['id']}", token=forged)
        assert refusal(answer) == (401, "TOKEN_INVALID"), place


def test_tokens_of_a_booking_end(fresh_stage: Stage) -> None:
    shop, held = fresh_stage.shop, fresh_stage.held
    pay = held["payment"]["paymentUrl"].partition("/api/v1")[2]
    shop.clock.move(minutes=15)
    assert refusal(shop.call("GET", pay)) == (410, "BOOKING_EXPIRED")
    shop.clock.move(days=29)
    path = f"/bookings/{held['id']}"
    assert shop.call("GET", path, token=held["accessToken"]).status_code == 200
    shop.clock.move(days=3)
    assert refusal(shop.call("GET", path, token=held["accessToken"])) == (401, "TOKEN_EXPIRED")


def test_tokens_of_bookings_survive_a_rotation_and_end_with_their_secret(fresh_stage: Stage) -> None:
    shop, held = fresh_stage.shop, fresh_stage.held
    path, before = f"/bookings/{held['id']}", held["accessToken"]
    folder = shop.settings.data_dir / "keys" / "booking-tokens"
    secrets = shop.ports.booking_tokens.secrets
    assert isinstance(secrets, SecretRing)
    (first,) = keyfiles(folder, ".key")
    secrets.rotate()
    assert shop.call("GET", path, token=before).status_code == 200
    pay = held["payment"]["paymentUrl"].partition("/api/v1")[2]
    assert shop.call("GET", pay).status_code == 303
    after = shop.hold(item(fresh_stage.slots[0]), role="support").json["accessToken"]
    first.unlink()
    secrets._look(secrets._monotonic())
    assert refusal(shop.call("GET", path, token=before)) == (401, "TOKEN_INVALID")
    assert refusal(shop.call("GET", pay)) == (404, "BOOKING_NOT_FOUND")
    assert shop.call("GET", "/tickets", token=after).status_code == 200


def test_codes_signed_before_a_rotation_are_verified_and_let_in(
    any_shop: Shop, sandbox: SandboxProcess
) -> None:
    slot = any_shop.slots(any_shop.ticket(), dateTo="2026-07-02")[0]
    old, ring = code_of(any_shop, sandbox, slot), any_shop.ports.admission_keys
    assert isinstance(ring, KeyRing)
    ring.rotate()
    new = code_of(any_shop, sandbox, slot)
    keys = any_shop.call("GET", "/redemptions/keys", role="gate").json["keys"]
    assert len({key["kid"] for key in keys}) == 2
    for code in (old, new):
        body = {"code": code, "poiId": str(TOWER), "scanId": str(uuid.uuid4())}
        assert any_shop.call("POST", "/redemptions", body, role="gate").status_code == 201
    third = code_of(any_shop, sandbox, slot)
    folder = any_shop.settings.data_dir / "keys" / "admissions"
    newest = keyfiles(folder, ".pem")[-1]
    ring.rotate()
    newest.unlink()
    ring._look(ring._monotonic())
    body = {"code": third, "poiId": str(TOWER), "scanId": str(uuid.uuid4())}
    assert refusal(any_shop.call("POST", "/redemptions", body, role="gate")) == (422, "CODE_FORGED")


def test_webhooks_are_verified_with_each_of_two_secrets(stage: Stage) -> None:
    both = settings(stage.shop, PAYMENT_WEBHOOK_SECRET=f"{SECRET},{OLD_SECRET}")
    assert both.payment_webhook_secrets == (SECRET, OLD_SECRET)
    hint = {"event": "payment.captured", "paymentId": "p", "resourceId": str(uuid.uuid4())}
    assert stage.shop.webhook(hint).status_code == 200
    assert refusal(stage.shop.webhook(hint, secret=OLD_SECRET)) == (401, "SIGNATURE_INVALID")
    ports = replace(stage.shop.ports, webhook_secrets=both.payment_webhook_secrets)
    client = create_app(both, replace(stage.shop.running, ports=ports)).test_client()
    for secret, status in ((SECRET, 200), (OLD_SECRET, 200), ("a-third-that-nobody-knows", 401)):
        raw = json.dumps(hint).encode()
        answer = client.post(f"{API}/webhooks/payment", data=raw, headers=signed(stage, raw, secret))
        assert answer.status_code == status


def code_of(shop: Shop, sandbox: SandboxProcess, slot: dict[str, Any]) -> str:
    """The code of a new admission for the slot."""
    booking = shop.paid(sandbox, item(slot))
    path = f"/bookings/{booking['id']}/admissions"
    return str(shop.call("GET", path, token=booking["accessToken"]).json["data"][0]["code"])


def keyfiles(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))
