"""Plain tokens are read without the library: what is accepted so, the library accepts too, with the same claims."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.server.tokens import BadToken, TokenVerifier
from tests.api import MovedClock

SECRET = "s" * 40
NOW = datetime(2026, 1, 1, tzinfo=UTC)

values = st.none() | st.booleans() | st.integers(0, 2**40) | st.text(max_size=8) | st.just("admin")
claims = st.fixed_dictionaries(
    {},
    optional={
        "sub": st.sampled_from(["ada", "", "x" * 33]) | values,
        "exp": st.just(int((NOW + timedelta(hours=1)).timestamp())) | values,
        "iat": values,
        "nbf": values,
        "scope": st.sampled_from(["admin", "read admin", "read"]) | values,
        "aud": values,
        "jti": values,
    },
)
headers = st.sampled_from([{}, {"typ": None}, {"kid": "1"}, {"crit": ["x"]}, {"b64": False}])


def by_the_library(token: str) -> dict[str, Any] | None:
    options: Any = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False}
    try:
        decoded: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], options=options)
    except jwt.InvalidTokenError:
        return None
    return decoded


@given(claims=claims, headers=headers, cut=st.integers(-1, 200), flip=st.integers(0, 255))
def test_tokens_read_without_the_library_are_read_alike(
    claims: dict[str, Any], headers: dict[str, Any], cut: int, flip: int
) -> None:
    def encoded(part: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    try:
        token = jwt.encode(claims, SECRET, algorithm="HS256", headers=headers or None)
    except (TypeError, ValueError, jwt.InvalidTokenError):
        token = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}.x"
    if 0 <= cut < len(token):
        token = token[:cut] + chr(33 + flip % 90) + token[cut + 1 :]
    plain = TokenVerifier(SECRET)._plain_claims(token)
    if plain is not None:
        assert plain == by_the_library(token)


@pytest.mark.parametrize("scope", [None, "admin"])
def test_an_ordinary_token_is_read_so(scope: str | None) -> None:
    claims = {"sub": "ada", "exp": 2**31, **({"scope": scope} if scope else {})}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    assert TokenVerifier(SECRET)._plain_claims(token) == claims
    assert TokenVerifier("t" * 40)._plain_claims(token) is None


def test_a_forged_signature_is_refused() -> None:
    token = jwt.encode({"sub": "ada", "exp": 2**31}, "t" * 40, algorithm="HS256")
    with pytest.raises(BadToken):
        TokenVerifier(SECRET, clock=MovedClock()).verify(token)
