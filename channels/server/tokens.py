"""Tokens: JWTs signed with HS256 by the deployment's secret, minted for users and checked at every request.

The claims are the user id (`sub`), the expiry (`exp`, required), and whether the caller is the application's back end
(`scope` contains `admin`). Other algorithms, missing claims and tokens over 4 KiB are refused.

Rotating the secret interrupts no client: tokens signed with the previous secret are accepted while it is configured.
Revoking refuses all tokens of a user that were issued (`iat`) up to an instant, or that do not say when.

A token issued in the future is refused, since it would outlive a revocation. A back end's clock may be `AHEAD_SECONDS`
ahead: its tokens count as issued when they are first seen.
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
"""Longer tokens are refused unread."""
MAX_HOURS: Final = 24 * 366 * 100
AHEAD_SECONDS: Final = 5
"""How far the clock of a back end may be ahead of the database's."""

_AHEAD: Final = timedelta(seconds=AHEAD_SECONDS)
_ALGORITHM: Final = "HS256"
_NEEDED_CLAIMS: Final = frozenset({"sub", "exp"})
_PLAIN_CLAIMS: Final = _NEEDED_CLAIMS | {"iat", "scope"}
"""Tokens with other claims (`nbf`, `aud`, ...) are left to the library."""
_KEPT_BYTES: Final = 6 * 2**20  # of memory: about 10,000 tokens of ordinary length
_CLAIMS_BYTES: Final = 330
"""Estimated memory of a token's claims and of its cache entry."""


class BadToken(Unauthenticated):
    """The token is missing, invalid, expired or revoked; `detail` says which."""

    code = "unauthenticated"
    summary = "A valid token is required"
    remedy = (
        "Get a new token from your back end and repeat the request; `detail` says what is wrong "
        "with this one."
    )


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a valid token."""

    actor: Actor
    expires_at: datetime
    issued_at: datetime | None
    """None when the token does not say."""

    def is_revoked(self, revoked_at: datetime | None) -> bool:
        """Whether a revocation at this instant covers the token."""
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
"""The ways in which libraries write the header of a token signed with HS256."""


def mint(secret: str, user_id: str, *, admin: bool, hours: float, now: datetime) -> str:
    """A token for the user, valid for `hours` from `now`. Raises: ValueError for an invalid user id or duration."""
    if not is_user_id(user_id):
        raise ValueError(
            f"A user id is 1 to {USER_ID_BYTES} bytes of printable text without space at its ends,"
            " and no reserved word such as `me`."
        )
    if not (math.isfinite(hours) and 0 < hours <= MAX_HOURS):
        raise ValueError(f"A token is valid for more than 0 and at most {MAX_HOURS} hours.")
    claims: dict[str, Any] = {
        "sub": user_id,
        # With its fraction, so that signing in again in the second of a revocation works.
        "iat": now.timestamp(),
        "exp": math.ceil((now + timedelta(hours=hours)).timestamp()),
    }
    if admin:
        claims["scope"] = ADMIN_SCOPE
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


class TokenVerifier:
    """Checks tokens. Valid ones are cached: later only their expiry and revocation are checked."""

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
        self.cache: ByteCache[str, Claims] = ByteCache(
            "tokens", _KEPT_BYTES, lambda token, _: len(token) + _CLAIMS_BYTES
        )

    def verify(self, token: str) -> Claims:
        claims = self.cache.get(token)
        if claims is None:
            claims = self._read(token)
            self.cache.put(token, claims)
        self.check(claims)
        return claims

    def is_known(self, token: str) -> bool:
        """Whether the token was valid before; it may have expired since."""
        return self.cache.get(token) is not None

    def check(self, claims: Claims) -> None:
        """Check that the token is neither expired nor revoked. Raises: BadToken."""
        if claims.expires_at <= self._clock.now():
            raise BadToken("The token has expired; get a new one")
        if claims.is_revoked(self._revoked_at(claims.actor.user_id)):
            raise BadToken("The token was revoked; sign in again")

    def _read(self, token: str) -> Claims:
        # A token has at least as many bytes as characters, and is ASCII.
        if len(token) > TOKEN_BYTES or not token.isascii():
            raise BadToken("This is not a token: send a JWT of at most 4 KiB")
        claims = self._plain_claims(token)
        if claims is None:
            claims = self._any_claims(token)
        actor = Actor(_user_id(claims["sub"]), _is_admin(claims.get("scope")))
        issued_at, now = _issued(claims.get("iat")), self._clock.now()
        if issued_at is not None and issued_at > now:
            if issued_at > now + _AHEAD:
                raise BadToken(
                    "The token's `iat` is in the future: correct the clock of the back end that issues tokens"
                )
            issued_at = now
        return Claims(actor, _instant(claims["exp"]), issued_at)

    def _plain_claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token as `mint` and most libraries make it; None when the library must decide.

        PyJWT needs 30 microseconds for a token, as long as all else that a request costs in HTTP, and many users who
        call once each present a new token each. This accepts nothing that PyJWT refuses (a property test compares).
        """
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        if header not in _PLAIN_HEADERS:
            return None
        digests = [hmac.digest(key, signed.encode(), "sha256") for key in self._keys]
        if not any(hmac.compare_digest(_base64(digest), signature) for digest in digests):
            return None
        try:
            claims: Any = orjson.loads(
                base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
            )
        except ValueError:
            return None
        is_plain = isinstance(claims, dict) and _NEEDED_CLAIMS <= claims.keys() <= _PLAIN_CLAIMS
        has_both = is_plain and isinstance(claims["sub"], str) and claims["exp"] is not None
        return claims if has_both else None

    def _any_claims(self, token: str) -> dict[str, Any]:
        refusal: Exception = jwt.InvalidSignatureError()
        for key in self._keys:
            try:
                return self._claims_by(key, token)
            except jwt.InvalidSignatureError:
                continue
            except (jwt.InvalidTokenError, RecursionError) as error:
                refusal = error
                break
        # The library's message is not passed on: it would help a forger more than a client.
        raise BadToken(_reason_of(refusal)) from refusal

    @staticmethod
    def _claims_by(key: bytes, token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            # `check` compares times, by the injected clock.
            options={
                "require": ["exp", "sub"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        return claims


def _reason_of(refusal: Exception) -> str:
    """Why the library refuses a token, in general terms. It reads claims only behind a right signature."""
    match refusal:
        case jwt.InvalidAlgorithmError():
            return f"The token's algorithm is not accepted: sign tokens with {_ALGORITHM}"
        case jwt.InvalidSignatureError():
            return "The token is not valid: it was signed with another secret, or is damaged"
        case jwt.MissingRequiredClaimError():
            missing = refusal.claim if refusal.claim in _NEEDED_CLAIMS else "claim"
            return f"The token has no `{missing}`: a token needs `sub`, the user's id, and `exp`"
        case jwt.exceptions.InvalidSubjectError():
            return "The token's `sub` is not text: it is the user's id"
        case jwt.ImmatureSignatureError():
            return "The token is not valid yet: its `nbf` is in the future"
        case jwt.InvalidAudienceError():
            return "The token has an `aud`, which this server does not take"
        case _:
            return "The token is not valid: it is damaged, or no JWT"


def _user_id(subject: object) -> UserId:
    if not isinstance(subject, str) or not is_user_id(subject):
        raise BadToken(
            f"The token's `sub` is not a user id: 1 to {USER_ID_BYTES} bytes, and no reserved word"
            " such as `me`"
        )
    return UserId(subject)


def _is_admin(scope: object) -> bool:
    """`scope` is a list of words separated by spaces (RFC 8693)."""
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
    """When the token was issued; None when it does not say so in a readable way."""
    with suppress(BadToken):
        return _instant(at)
    return None
