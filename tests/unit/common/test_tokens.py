"""Access tokens: what is believed, and all that is not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from common.auth.jwks import Jwks, JwksUnavailable, parse_jwks, public_jwk
from common.auth.tokens import TokenVerifier, token_verifier
from common.clock import system_clock
from common.settings import load
from common.web.problems import Problem
from tests.servers.issuer import Issuer

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ISSUER, AUDIENCE = "https://t.example", "destination"
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


class Keys:
    """A key source in memory."""

    def __init__(self, **keys):
        self.keys = keys

    def key(self, key_id):
        key = self.keys.get(key_id)
        return key and key.public_key()


def verifier(clock=lambda: NOW):
    issuers = {ISSUER: Keys(k1=KEY), "https://other.example": Keys(k2=OTHER)}
    return TokenVerifier(issuers=issuers, audience=AUDIENCE, clock=clock)


def claims(**changes):
    times = {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 900}
    full = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "roles": ["gate"], **times, **changes}
    return {name: value for name, value in full.items() if value is not None}


def token(key=KEY, algorithm="EdDSA", header=None, **changes):
    return jwt.encode(
        claims(**changes), key, algorithm=algorithm, headers={"kid": "k1", "typ": "at+jwt", **(header or {})}
    )


def refusal(text, **more):
    with pytest.raises(Problem) as caught:
        verifier(**more).caller(text)
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    return caught.value.code


def test_a_good_token_names_its_caller_with_roles_places_and_session():
    place = UUID(int=5)
    caller = verifier().caller(token(sid="s", ver=3, poiIds=[str(place)]))
    assert (caller.kind, caller.subject, caller.roles) == ("access", "u1", {"gate"})
    assert (caller.claims["sid"], caller.claims["ver"]) == ("s", 3)
    assert caller.may_use(place)
    assert not caller.may_use(UUID(int=6))
    assert verifier().caller(token(header={"typ": "JWT"})).may_use(place)


def test_the_end_is_exact_and_has_its_own_code():
    text = token()
    assert verifier(lambda: NOW + timedelta(seconds=899)).caller(text).subject == "u1"
    assert refusal(text, clock=lambda: NOW + timedelta(seconds=900)) == "TOKEN_EXPIRED"


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "aud", "sub"])
def test_a_missing_claim_is_no_token(name):
    assert refusal(token(**{name: None})) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "elsewhere"},
        {"iss": "https://unknown.example"},
        {"iss": "https://other.example"},
        {"iat": int(NOW.timestamp()) + 60},
        {"nbf": int(NOW.timestamp()) + 60},
        {"exp": True},
        {"exp": "9999999999"},
        {"sub": ""},
        {"sub": "x" * 101},
        {"roles": "gate"},
        {"roles": [1]},
        {"poiIds": "all"},
        {"poiIds": ["x"]},
        {"poiIds": [5]},
        {"header": {"kid": "k2"}},
        {"header": {"kid": "unknown"}},
        {"header": {"typ": "booking"}},
        pytest.param({"key": OTHER}, id="another key"),
    ],
    ids=str,
)
def test_a_token_of_another_shape_or_hand_is_refused(changes):
    assert refusal(token(**changes)) == "TOKEN_INVALID"


def test_a_key_of_one_issuer_never_vouches_for_another():
    assert refusal(token(key=OTHER, header={"kid": "k2"})) == "TOKEN_INVALID"
    assert (
        verifier().caller(token(key=OTHER, header={"kid": "k2"}, iss="https://other.example")).subject == "u1"
    )


def test_other_algorithms_are_refused():
    rsa = generate_private_key(65537, 2048)
    assert refusal(token(key=rsa, algorithm="RS256")) == "TOKEN_INVALID"
    assert refusal(token(key="s" * 32, algorithm="HS256")) == "TOKEN_INVALID"
    assert refusal(token(key=None, algorithm="none")) == "TOKEN_INVALID"
    head, body, _ = token().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1","typ":"JWT"}').decode().rstrip("=")
    assert refusal(f"{none}.{body}.") == "TOKEN_INVALID"
    assert refusal(f"{head}.{body}.AAAA") == "TOKEN_INVALID"


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_a_token_cannot_bring_its_own_key(name):
    own = public_jwk("mine", OTHER.public_key().public_bytes_raw())
    value = own if name == "jwk" else "http://127.0.0.1:1/keys"
    assert refusal(token(key=OTHER, header={"kid": "mine", name: value})) == "TOKEN_INVALID"


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "..", "é.b.c", "eyJhbGciOiJFZERTQSJ9.bm8.AAAA"])
def test_rubbish_is_refused_quietly(text):
    assert refusal(text) == "TOKEN_INVALID"


def write_jwks(file, **keys):
    entries = [public_jwk(name, key.public_key().public_bytes_raw()) for name, key in keys.items()]
    file.write_bytes(orjson.dumps({"keys": [*entries, {"kty": "RSA", "kid": "r"}]}))


def test_an_unknown_key_is_looked_for_at_most_every_30_seconds_and_the_last_good_copy_stays(tmp_path):
    file, now = tmp_path / "jwks.json", [1000.0]
    write_jwks(file, k1=KEY)
    jwks = Jwks(str(file), monotonic=lambda: now[0])
    assert jwks.key("k1") is not None
    write_jwks(file, k1=KEY, k2=OTHER)
    now[0] += 29
    assert jwks.key("k2") is None
    now[0] += 1
    assert jwks.key("k2") is not None
    file.write_text("broken")
    now[0] += 300
    assert jwks.key("k1") is not None
    write_jwks(file, k2=OTHER)
    now[0] += 300
    assert jwks.key("k1") is None


def test_without_any_key_set_the_answer_is_503(tmp_path):
    jwks = Jwks(str(tmp_path / "none.json"))
    with pytest.raises(JwksUnavailable):
        jwks.key("k1")
    with pytest.raises(Problem) as caught:
        TokenVerifier(issuers={ISSUER: jwks}, audience=AUDIENCE, clock=lambda: NOW).caller(token())
    assert (caught.value.status, caught.value.code) == (503, "KEYS_UNAVAILABLE")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"keys": 3}', b'{"keys": [{"kty":"OKP","crv":"Ed25519","kid":"a","x":"?"}]}'],
)
def test_what_is_no_key_set_is_a_value_error(content):
    with pytest.raises(ValueError):
        parse_jwks(content)


def test_only_the_keys_of_jwks_source_and_the_issuers_of_the_settings_are_trusted(tmp_path):
    issuer = Issuer(tmp_path)
    text = issuer.issue("gate", poi_ids=[UUID(int=1)])
    secrets = {"PAYMENT_API_TOKEN": "t" * 16, "PAYMENT_WEBHOOK_SECRET": "w" * 16, "DATA_DIR": str(tmp_path)}

    def read(**more):
        return token_verifier(load("ticketing", {**secrets, **more}), system_clock).caller(text)

    caller = read(**issuer.settings)
    assert (caller.roles, caller.poi_ids) == (frozenset({"gate"}), frozenset({UUID(int=1)}))
    trusted, keys = issuer.settings["TRUSTED_ISSUERS"], issuer.settings["JWKS_SOURCE"]
    for more in ({}, {"JWKS_SOURCE": keys}, {"TOKEN_ISSUER": trusted}, {"TRUSTED_ISSUERS": trusted}):
        with pytest.raises(Problem) as caught:
            read(**more)
        assert caught.value.code == "TOKEN_INVALID", more
