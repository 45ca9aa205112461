"""Credentials at the door of the admin service: what is forged, foreign, late or of another kind opens
nothing."""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from common.auth.jwks import public_jwk
from common.auth.keyfiles import KeyRing
from tests.http.admin.desk import refusal
from tests.security.admin.stage import Stage
from tests.servers.issuer import Issuer

OTHER_KEY = Ed25519PrivateKey.generate()
GUARDED = "/users"


def claims(stage: Stage, **changes: Any) -> dict[str, Any]:
    """Those of the administrator; None takes one away."""
    now = int(stage.desk.clock.now.timestamp())
    whole = {
        "iss": stage.desk.settings.token_issuer, "aud": stage.desk.settings.token_audience,
        "sub": str(stage.people["platform_admin"].id), "iat": now, "exp": now + 900,
        "roles": ["platform_admin"], "sid": str(uuid.uuid4()), "ver": 1, **changes,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def signed(stage: Stage, key: Any = None, algorithm: str = "EdDSA", **changes: Any) -> str:
    """A token signed by the service's own key, unless another is given."""
    key_id, own = stage.desk.ports.token_keys.newest()
    header = {"kid": key_id, "typ": "at+jwt", **changes.pop("header", {})}
    header = {name: value for name, value in header.items() if value is not None}
    return jwt.encode(claims(stage, **changes), key or own, algorithm=algorithm, headers=header)


def by_hand(stage: Stage, algorithm: str, secret: bytes | None = None) -> str:
    """A token that no library would make: without signature, or with an HMAC by `secret`."""
    key_id = stage.desk.ports.token_keys.newest()[0]
    parts = ({"alg": algorithm, "kid": key_id, "typ": "at+jwt"}, claims(stage))
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    content = b".".join(text.rstrip(b"=") for text in texts)
    signature = b"" if secret is None else hmac.digest(secret, content, "sha256")
    return (content + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def opens(stage: Stage, token: str) -> bool:
    """Whether the token is taken."""
    answer = stage.desk.call("GET", GUARDED, token=token)
    if answer.status_code == 200:
        return True
    assert refusal(answer) in ((401, "TOKEN_INVALID"), (401, "TOKEN_EXPIRED"))
    return False


def test_a_good_token_opens(stage: Stage) -> None:
    assert opens(stage, signed(stage))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256", "EdDSA"])
def test_a_token_without_signature_opens_nothing(stage: Stage, algorithm: str) -> None:
    with stage.watch.unchanged(algorithm):
        assert not opens(stage, by_hand(stage, algorithm))


def test_the_public_key_is_no_secret_to_sign_with(stage: Stage) -> None:
    public = stage.desk.ports.token_keys.newest()[1].public_key()
    forms = (
        public.public_bytes_raw(),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b"",
    )
    for secret in forms:
        assert not opens(stage, by_hand(stage, "HS256", secret))
        assert not opens(stage, by_hand(stage, "EdDSA", secret))


def test_other_keys_sign_nothing_whatever_they_are_called(stage: Stage) -> None:
    rsa = generate_private_key(65537, 2048)
    folder = stage.desk.settings.data_dir / "keys"
    foreign = KeyRing(folder / "admissions").newest()
    raw = OTHER_KEY.public_key().public_bytes_raw()
    pointers = {
        "jwk": public_jwk("k", raw), "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/x", "x5c": ["AAAA"],
    }  # fmt: skip
    assert not opens(stage, signed(stage, OTHER_KEY))
    assert not opens(stage, signed(stage, rsa, "RS256"))
    assert not opens(stage, signed(stage, foreign[1], header={"kid": foreign[0]}))
    for kid in ("unknown", "../access-tokens/x", "' OR 1=1", "", None):
        assert not opens(stage, signed(stage, OTHER_KEY, header={"kid": kid}))
    for name, value in pointers.items():
        assert not opens(stage, signed(stage, OTHER_KEY, header={name: value}))
    issuer = Issuer(stage.desk.settings.data_dir, clock=stage.desk.clock)
    assert not opens(stage, issuer.issue("platform_admin")), "admin takes no issuer's tokens but its own"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"}, {"aud": None}, {"aud": "step:code"}, {"iss": "https://elsewhere.example"},
        {"iss": None}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"exp": None}, {"iat": None}, {"exp": "never"},
        {"exp": 0}, {"iat": 2**40}, {"nbf": 2**40}, {"roles": "platform_admin"}, {"roles": [["x"]]},
        {"poiIds": "all"}, {"poiIds": ["x"]}, {"header": {"typ": "step+jwt"}}, {"header": {"typ": "rft+jwt"}},
        {"header": {"crit": ["exp"]}}, {"roles": ["x"] * 21},
    ],
)  # fmt: skip
def test_claims_that_are_wrong_open_nothing(stage: Stage, changes: dict[str, Any]) -> None:
    assert not opens(stage, signed(stage, **changes))


def test_a_token_that_was_touched_opens_nothing(stage: Stage) -> None:
    token = signed(stage)
    for place in range(5, len(token), 17):
        other = "A" if token[place] != "A" else "B"
        touched = token[:place] + other + token[place + 1 :]
        assert not opens(stage, touched), place


def test_a_token_of_privileges_that_were_taken_opens_nothing(stage: Stage) -> None:
    user = stage.people["platform_admin"]
    assert not opens(stage, signed(stage, ver=0))
    assert not opens(stage, signed(stage, ver=None))
    assert not opens(stage, signed(stage, ver="1"))
    assert opens(stage, signed(stage, ver=1, sub=str(user.id)))


def test_tokens_of_other_kinds_open_nothing(stage: Stage) -> None:
    tokens = stage.fresh()
    step = stage.desk.ports.access_tokens.step(
        stage.people["platform_admin"].id, "code", stage.desk.clock.now
    )
    for token in (tokens.refresh, step, "pwt_" + "0" * 64, "bkt_" + "A" * 70):
        assert not opens(stage, token)
    # and an access token is neither a refresh token nor a step
    answer = stage.desk.call("POST", "/auth/refresh", {"refreshToken": tokens.access})
    assert refusal(answer) == (401, "SESSION_ENDED")
    body = {"stepToken": tokens.access, "code": "123456"}
    assert refusal(stage.desk.call("POST", "/auth/mfa", body)) == (401, "SIGN_IN_STEP_ENDED")


def test_a_token_is_taken_from_the_header_alone(stage: Stage) -> None:
    token = signed(stage)
    for query in (f"access_token={token}", f"token={token}", f"t={token}"):
        answer = stage.desk.call("GET", GUARDED, query_string=query)
        assert refusal(answer) == (401, "UNAUTHENTICATED")
    answer = stage.desk.call("GET", GUARDED, headers={"Cookie": f"refresh={token}; access_token={token}"})
    assert refusal(answer) == (401, "UNAUTHENTICATED")
    assert refusal(stage.desk.call("GET", GUARDED, headers={"Authorization": f"Basic {token}"}))[0] == 401


def test_a_stolen_refresh_token_is_of_no_use_in_another_place(stage: Stage) -> None:
    tokens = stage.fresh()
    for path in ("/auth/me", GUARDED):
        assert refusal(stage.desk.call("GET", path, token=tokens.refresh)) == (401, "TOKEN_INVALID")
