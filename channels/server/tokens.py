"""Tokens: JWTs signed with HS256 by the deployment's secret, minted for users and checked at every request.

A token says who (`sub`, a user id), until when (`exp`, required) and whether it is the application's own back end
(`scope` contains `admin`). Nothing else is accepted: no other algorithm, no missing claim, no token over 4 KiB.

A secret is changed without anybody noticing: tokens signed with the previous one are accepted for as long as it is
given. A user's tokens are revoked by instant: what was issued (`iat`) up to then, or does not say when, is refused.

A token from the future is refused too, else one that a fast clock minted would outlive a revocation. Back ends whose
clocks are `AHEAD_SECONDS` ahead are served; what they mint counts as issued when it is first seen.
"""

import base64
import hmac
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
import orjson

from groups.kernel.actor import Actor
from groups.kernel.byte_cache import ByteCache
from groups.kernel.clock import Clock, SystemClock
from groups.kernel.errors import Unauthenticated
from groups.kernel.ids import USER_ID_BYTES, UserId, is_user_id

ADMIN_SCOPE: Final = "admin"
TOKEN_BYTES: Final = 4_096
"""Longer ones are refused unread: a header should cost no more than it says."""
MAX_HOURS: Final = 24 * 366 * 100
AHEAD_SECONDS: Final = 5
"""So far may the clock of whoever mints tokens be ahead of the database's."""

_AHEAD: Final = timedelta(seconds=AHEAD_SECONDS)
_ALGORITHM: Final = "HS256"
_NEEDED_CLAIMS: Final = frozenset({"sub", "exp"})
_PLAIN_CLAIMS: Final = _NEEDED_CLAIMS | {"iat", "scope"}
"""Others (`nbf`, `aud`, ...) mean something to the library, which is then asked."""
_KEPT_BYTES: Final = 6 * 2**20  # of memory: some 10,000 tokens of ordinary length
_CLAIMS_BYTES: Final = 330
"""What the claims of a token take, with its place."""


class BadToken(Unauthenticated):
    """There is no token, or it is not one of ours, or its time is over; `detail` says which."""

    code = "unauthenticated"
    summary = "A valid token is required"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    actor: Actor
    expires_at: datetime
    issued_at: datetime | None
    """None: it does not say."""

    def is_revoked(self, revoked_at: datetime | None) -> bool:
        """Whether a revocation of that instant covers the token."""
        if revoked_at is None:
            return False
        return self.issued_at is None or self.issued_at <= revoked_at


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_PLAIN_HEADERS: Final = frozenset(
    _base64(header)
    for header in (
        b'{"alg":"HS256","typ":"JWT"}',
        b'{"typ":"JWT","alg":"HS256"}',
        b'{"alg":"HS256"}',
    )
)
"""How libraries spell the header of a token signed with HS256."""


def mint(secret: str, user_id: str, *, admin: bool, hours: float, now: datetime) -> str:
    """A token for the user, valid for so many hours from `now`.

    Raises: ValueError when the user id or the duration cannot be used.
    """
    if not is_user_id(user_id):
        raise ValueError(
            f"A user id is 1 to {USER_ID_BYTES} bytes of printable text without space at its ends,"
            " and no reserved word such as `me`."
        )
    if not (math.isfinite(hours) and 0 < hours <= MAX_HOURS):
        raise ValueError(f"A token is valid for more than 0 and at most {MAX_HOURS} hours.")
    claims: dict[str, Any] = {
        "sub": user_id,
        # With its fraction: who signs in again in the second of a revocation is not meant by it.
        "iat": now.timestamp(),
        "exp": math.ceil((now + timedelta(hours=hours)).timestamp()),
    }
    if admin:
        claims["scope"] = ADMIN_SCOPE
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


class TokenVerifier:
    """Checks tokens; one that was found good is remembered, and only its time is looked at again."""

    def __init__(
        self,
        secret: str,
        *,
        previous: str | None = None,
        revoked_at: Callable[[UserId], datetime | None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self._keys = [key.encode() for key in (secret, previous) if key is not None]
        self._revoked_at = revoked_at
        self._clock = clock or SystemClock()
        self._good: ByteCache[str, Claims] = ByteCache(
            "tokens", _KEPT_BYTES, lambda token, _: len(token) + _CLAIMS_BYTES
        )

    def verify(self, token: str) -> Claims:
        """What the token says.

        Raises: BadToken.
        """
        claims = self._good.get(token)
        if claims is None:
            claims = self._read(token)
            self._good.put(token, claims)
        self.check(claims)
        return claims

    def is_known(self, token: str) -> bool:
        """Whether the token was found good before; its time may be over."""
        return self._good.get(token) is not None

    def check(self, claims: Claims) -> None:
        """Whether the token holds now.

        Raises: BadToken once its time is over, or it was revoked.
        """
        if claims.expires_at <= self._clock.now():
            raise BadToken("The token has expired")
        if claims.is_revoked(self._revoked_at(claims.actor.user_id)):
            raise BadToken("The token was revoked")

    def _read(self, token: str) -> Claims:
        # Characters are at least as few as bytes, and a token beyond ASCII is none.
        if len(token) > TOKEN_BYTES or not token.isascii():
            raise BadToken("This is not a token")
        claims = self._plain_claims(token)
        if claims is None:
            claims = self._any_claims(token)
        actor = Actor(_user_id(claims["sub"]), _is_admin(claims.get("scope")))
        issued_at, now = _issued(claims.get("iat")), self._clock.now()
        if issued_at is not None and issued_at > now:
            if issued_at > now + _AHEAD:
                raise BadToken(
                    "The token's `iat` is in the future: set the clock of whoever issues tokens"
                )
            issued_at = now
        return Claims(actor, _instant(claims["exp"]), issued_at)

    def _plain_claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token as `mint` and most libraries make it; None: the library decides, good or bad.

        A crowd of users who come once each has a token of each read, and PyJWT's 30 microseconds a token are as long as
        all that HTTP costs besides. This accepts nothing that PyJWT would not (a property test compares them).
        """
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        if header not in _PLAIN_HEADERS:
            return None
        digests = [hmac.digest(key, signed.encode(), "sha256") for key in self._keys]
        if not any(hmac.compare_digest(_base64(digest), signature) for digest in digests):
            return None
        try:
            claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except ValueError:
            return None
        is_plain = isinstance(claims, dict) and _NEEDED_CLAIMS <= claims.keys() <= _PLAIN_CLAIMS
        return claims if is_plain and isinstance(claims["sub"], str) else None

    def _any_claims(self, token: str) -> dict[str, Any]:
        *others, last = self._keys
        for key in others:
            with suppress(BadToken):
                return self._claims_by(key, token)
        return self._claims_by(last, token)

    @staticmethod
    def _claims_by(key: bytes, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                # The time is ours to check, by the injected clock.
                options={
                    "require": ["exp", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except (jwt.InvalidTokenError, RecursionError) as error:
            # The library's words stay here: they tell a forger more than a client needs.
            raise BadToken("The token is not valid here") from error
        return claims


def _user_id(subject: object) -> UserId:
    if not isinstance(subject, str) or not is_user_id(subject):
        raise BadToken(
            f"The token's `sub` is not a user id: 1 to {USER_ID_BYTES} bytes, and no reserved word"
            " such as `me`"
        )
    return UserId(subject)


def _is_admin(scope: object) -> bool:
    """`scope` is words separated by spaces (RFC 8693); absent means none."""
    if scope is None:
        return False
    if not isinstance(scope, str):
        raise BadToken("The token's `scope` is not text")
    return ADMIN_SCOPE in scope.split()


def _instant(expiry: object) -> datetime:
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        raise BadToken("The token's `exp` is not a number")
    try:
        return datetime.fromtimestamp(expiry, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadToken("The token's `exp` is not a time") from error


def _issued(at: object) -> datetime | None:
    """When the token says it was issued; one that says it in no way we read does not say it."""
    if at is None:
        return None
    try:
        return _instant(at)
    except BadToken:
        return None
