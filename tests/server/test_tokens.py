"""Tokens: what is minted is accepted, and nothing else is."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from channels.server.tokens import (
    AHEAD_SECONDS,
    MAX_HOURS,
    TOKEN_BYTES,
    BadToken,
    Claims,
    TokenVerifier,
    mint,
)
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId

SECRET = "s" * 32
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class MovedClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.instant = NOW

    def now(self) -> datetime:
        return self.instant


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def verifier(clock: MovedClock) -> TokenVerifier:
    return TokenVerifier(SECRET, clock=clock)


def signed(algorithm: str = "HS256", secret: str = SECRET, **claims: Any) -> str:
    whole = {"sub": "ada", "exp": (NOW + timedelta(hours=1)).timestamp()} | claims
    return jwt.encode(
        {name: value for name, value in whole.items() if value is not None},
        secret,
        algorithm=algorithm,
    )


def refused(verifier: TokenVerifier, token: str) -> BadToken:
    with pytest.raises(BadToken) as refusal:
        verifier.verify(token)
    assert refusal.value.code == "unauthenticated"
    return refusal.value


@pytest.mark.parametrize("admin", [False, True])
def test_a_minted_token_has_user_expiry_and_scope(verifier: TokenVerifier, admin: bool) -> None:
    token = mint(SECRET, "ada", admin=admin, hours=2, now=NOW)
    expected = Claims(Actor(UserId("ada"), admin), NOW + timedelta(hours=2), NOW)
    assert verifier.verify(token) == expected


def test_a_minted_token_carries_the_documented_claims_and_no_more() -> None:
    options: Any = {"verify_exp": False, "verify_iat": False}
    token = mint(SECRET, "ada", admin=True, hours=1, now=NOW)
    assert jwt.decode(token, SECRET, algorithms=["HS256"], options=options) == {
        "sub": "ada",
        "iat": NOW.timestamp(),
        "exp": int(NOW.timestamp()) + 3600,
        "scope": "admin",
    }
    token = mint(SECRET, "ada", admin=False, hours=1, now=NOW)
    assert "scope" not in jwt.decode(token, SECRET, algorithms=["HS256"], options=options)


@pytest.mark.parametrize(
    "user_id", ["", " ada", "ada ", "a\nb", "a\x1fb", "a" * 33, "é" * 17, "\ud800", ".."]
)
def test_no_token_is_minted_for_an_invalid_user_id(user_id: str) -> None:
    with pytest.raises(ValueError, match="user id"):
        mint(SECRET, user_id, admin=False, hours=1, now=NOW)


@pytest.mark.parametrize("user_id", ["a", "a" * 32, "é" * 16, "ada lovelace", "李雷", "🍵"])
def test_any_printable_user_id_of_32_bytes_is_carried(
    verifier: TokenVerifier, user_id: str
) -> None:
    token = mint(SECRET, user_id, admin=False, hours=1, now=NOW)
    assert verifier.verify(token).actor.user_id == user_id


@pytest.mark.parametrize("hours", [0, -1, float("nan"), float("inf"), MAX_HOURS + 1])
def test_a_token_is_not_minted_for_an_impossible_duration(hours: float) -> None:
    with pytest.raises(ValueError, match="hours"):
        mint(SECRET, "ada", admin=False, hours=hours, now=NOW)


def test_a_token_ends_at_its_time_even_when_it_was_accepted_before(
    verifier: TokenVerifier, clock: MovedClock
) -> None:
    token = mint(SECRET, "ada", admin=False, hours=1, now=NOW)
    verifier.verify(token)
    clock.instant = NOW + timedelta(minutes=59, seconds=59)
    verifier.verify(token)
    clock.instant = NOW + timedelta(hours=1)
    assert "expired" in str(refused(verifier, token))


def test_a_token_remembered_as_good_gives_the_same_answer(verifier: TokenVerifier) -> None:
    token = mint(SECRET, "ada", admin=True, hours=1, now=NOW)
    assert verifier.verify(token) is verifier.verify(token)


def test_a_token_of_another_secret_is_refused(verifier: TokenVerifier) -> None:
    refused(verifier, mint("t" * 32, "ada", admin=False, hours=1, now=NOW))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_secret(algorithm: str) -> None:
    secret = "s" * 64
    refused(TokenVerifier(secret), signed(algorithm, secret))


def test_an_unsigned_token_is_refused(verifier: TokenVerifier) -> None:
    claims = {"sub": "ada", "exp": NOW.timestamp() + 60, "scope": "admin"}
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    token = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    refused(verifier, f"{token}.")


def test_a_token_with_one_character_changed_is_refused(verifier: TokenVerifier) -> None:
    header, claims, signature = mint(SECRET, "ada", admin=False, hours=1, now=NOW).split(".")
    for changed in (
        f"{header}.{claims}.{signature[1:]}{signature[0]}",
        f"{header}.{claims[:-1]}.{signature}",
        f"{header}.{claims}",
        f"{header}.{claims}.{signature}.",
    ):
        refused(verifier, changed)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"exp": []},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * 33},
        {"sub": "a\x1fb"},
        {"sub": "\ud800"},
        {"scope": 1},
        {"scope": ["admin"]},
        {"nbf": 2**40},
        {"aud": "another service"},
    ],
)
def test_a_claim_missing_or_of_the_wrong_kind_is_refused(
    verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    verifier.verify(signed())  # what is refused below differs from this in one claim
    try:
        token = signed(**claims)
    except (TypeError, ValueError):
        # The library will not make such a token; a forger without the secret cannot, another library might.
        token = _signed_by_hand(claims)
    refused(verifier, token)


def _signed_by_hand(claims: dict[str, Any]) -> str:
    whole = {"sub": "ada", "exp": NOW.timestamp() + 60} | claims
    return jwt.api_jws.encode(json.dumps(whole).encode(), SECRET, algorithm="HS256")


@pytest.mark.parametrize("scope", ["", "administrator", "read", "ADMIN"])
def test_another_scope_gives_no_rights(verifier: TokenVerifier, scope: str) -> None:
    assert not verifier.verify(signed(scope=scope)).actor.is_app_admin


def test_admin_may_be_one_scope_of_several(verifier: TokenVerifier) -> None:
    assert verifier.verify(signed(scope="read admin")).actor.is_app_admin


def test_a_token_is_accepted_from_a_clock_slightly_ahead_only(
    verifier: TokenVerifier, clock: MovedClock
) -> None:
    ahead = signed(iat=NOW.timestamp() + AHEAD_SECONDS)
    assert verifier.verify(ahead).actor.user_id == "ada"
    for seconds in (AHEAD_SECONDS + 0.001, 50, 3600):
        later = signed(iat=NOW.timestamp() + seconds)
        with pytest.raises(BadToken, match="in the future"):
            verifier.verify(later)
    # Refused, it is not remembered; in its own time it is as good as any.
    clock.instant += timedelta(seconds=50)
    verifier.verify(signed(iat=NOW.timestamp() + 50))


@pytest.mark.parametrize("ahead", [0, 0.5, AHEAD_SECONDS])
def test_a_token_that_a_fast_clock_minted_does_not_outlive_a_revocation(
    clock: MovedClock, ahead: float
) -> None:
    revoked: dict[str, datetime] = {}
    verifier = TokenVerifier(SECRET, revoked_at=revoked.get, clock=clock)
    token = signed(iat=NOW.timestamp() + ahead)
    verifier.verify(token)
    clock.instant += timedelta(seconds=0.1)
    revoked["ada"] = clock.now()
    with pytest.raises(BadToken, match="revoked"):
        verifier.verify(token)
    clock.instant += timedelta(seconds=0.001)
    verifier.verify(signed(iat=clock.now().timestamp()))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "x", "a.b.c", "é.é.é", "\ud800", "x" * 100_000, " ", "null"]
)
def test_invalid_tokens_are_refused(verifier: TokenVerifier, token: str) -> None:
    refused(verifier, token)


def test_a_token_over_the_limit_is_refused_though_well_signed(verifier: TokenVerifier) -> None:
    just = signed(padding="x" * 2_900)
    assert len(just) <= TOKEN_BYTES
    verifier.verify(just)
    refused(verifier, signed(padding="x" * 3_100))
