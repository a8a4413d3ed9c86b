"""Tokens: JWTs signed with HS256 by the deployment's secret, minted for users and checked at every request.

The claims are the user id (`sub`), the expiry (`exp`, required), and in `scope` whether the caller is the application's
back end (`admin`), and whether the user is a business account (`business`). Other algorithms, missing claims and tokens
over 4 KiB are refused. Where the deployment has an identity provider (`identity.provider`), its tokens are accepted
beside them; expiry, revocation and the cache are the same for both.

Rotating the secret interrupts no client: tokens signed with the previous secret are accepted while it is configured.
Revoking refuses all tokens of a user that were issued (`iat`) up to an instant, or that do not say when.

A token issued in the future is refused, since it would outlive a revocation. A back end's clock may be `AHEAD_SECONDS`
ahead: its tokens count as issued when they are first seen.
"""

import base64
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import jwt
import orjson

from groups.kernel.actor import Actor
from groups.kernel.byte_cache import ByteCache
from groups.kernel.clock import Clock, SystemClock
from groups.kernel.errors import Unauthenticated
from groups.kernel.ids import USER_ID_BYTES, UserId, is_user_id

ADMIN_SCOPE: Final = "admin"
BUSINESS_SCOPE: Final = "business"
TOKEN_BYTES: Final = 4_096
"""Longer tokens are refused unread."""
MAX_HOURS: Final = 24 * 366 * 100
AHEAD_SECONDS: Final = 5
"""How far the clock of a back end may be ahead of the database's."""

AHEAD: Final = timedelta(seconds=AHEAD_SECONDS)
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
    key: str | None = None
    """The thumbprint of the provider's key that signed it; None: it is signed with the secret."""

    def is_revoked(self, revoked_at: datetime | None) -> bool:
        """Whether a revocation at this instant covers the token."""
        if revoked_at is None:
            return False
        return self.issued_at is None or self.issued_at <= revoked_at


class ProviderTokens(Protocol):
    """Checks the tokens of an identity provider."""

    def may_have_signed(self, token: str) -> bool:
        """Whether the token says that it is signed as a provider does. Raises: BadToken for what is no token."""

    def claims_of(self, token: str) -> Claims:
        """Check a token that was not seen before. Raises: BadToken; KeyMissing."""


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


def mint(
    secret: str, user_id: str, *, admin: bool, hours: float, now: datetime, business: bool = False
) -> str:
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
    scopes = [ADMIN_SCOPE] * admin + [BUSINESS_SCOPE] * business
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


class TokenVerifier:
    """Checks tokens. Valid ones are cached: later only their expiry and revocation are checked."""

    def __init__(
        self,
        secret: str,
        *,
        previous: str | None = None,
        revoked_at: Callable[[UserId], datetime | None] = lambda _: None,
        check_kind: Callable[[Actor], None] = lambda _: None,
        clock: Clock | None = None,
        provider: ProviderTokens | None = None,
    ) -> None:
        self._provider = provider
        self._keys = [key.encode() for key in (secret, previous) if key is not None]
        self._revoked_at = revoked_at
        self._check_kind = check_kind
        self._clock = clock or SystemClock()
        self.cache: ByteCache[str, Claims] = ByteCache(
            "tokens", _KEPT_BYTES, lambda token, _: len(token) + _CLAIMS_BYTES
        )

    def verify(self, token: str) -> Claims:
        """The claims of a token. Raises: BadToken; WrongAccountKind; KeyMissing for a token of a provider."""
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
        """Check that the token is neither expired nor revoked, and of its user's kind of account.

        Raises: BadToken; WrongAccountKind.
        """
        if claims.expires_at <= self._clock.now():
            raise BadToken("The token has expired; get a new one")
        if claims.is_revoked(self._revoked_at(claims.actor.user_id)):
            raise BadToken("The token was revoked; sign in again")
        self._check_kind(claims.actor)

    def _read(self, token: str) -> Claims:
        # A token has at least as many bytes as characters, and is ASCII.
        if len(token) > TOKEN_BYTES or not token.isascii():
            raise BadToken("This is not a token: send a JWT of at most 4 KiB")
        claims = self._plain_claims(token)
        if claims is None:
            if self._provider is not None and self._provider.may_have_signed(token):
                return self._provider.claims_of(token)
            claims = self._any_claims(token)
        scopes = scopes_of(claims.get("scope"))
        actor = Actor(user_id_of(claims["sub"]), ADMIN_SCOPE in scopes, BUSINESS_SCOPE in scopes)
        issued_at = issued_by_now(claims.get("iat"), self._clock.now())
        return Claims(actor, instant_of(claims["exp"], "exp"), issued_at)

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


def user_id_of(subject: object, claim: str = "sub") -> UserId:
    """The user that a claim names. Raises: BadToken."""
    if not isinstance(subject, str) or not is_user_id(subject):
        raise BadToken(
            f"The token's `{claim}` is not a user id: 1 to {USER_ID_BYTES} bytes, and no reserved word"
            " such as `me`"
        )
    return UserId(subject)


def scopes_of(scope: object) -> list[str]:
    """`scope` is a list of words separated by spaces (RFC 8693). Raises: BadToken."""
    if scope is None:
        return []
    if not isinstance(scope, str):
        raise BadToken("The token's `scope` is not text")
    return scope.split()


def instant_of(seconds: object, claim: str) -> datetime:
    """The time that a claim tells. Raises: BadToken."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise BadToken(f"The token's `{claim}` is not a number")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadToken(f"The token's `{claim}` is not a time") from error


def issued_by_now(at: object, now: datetime) -> datetime | None:
    """When the token was issued, by an issuer whose clock may be `AHEAD_SECONDS` ahead; None when it does not say so.

    Raises: BadToken if that is in the future.
    """
    try:
        issued_at = instant_of(at, "iat")
    except BadToken:
        return None
    if issued_at > now + AHEAD:
        raise BadToken(
            "The token's `iat` is in the future: correct the clock of the back end that issues tokens"
        )
    return min(issued_at, now)
