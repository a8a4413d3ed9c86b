"""Tokens that an identity provider issues: JWTs signed with RS256, PS256, ES256 or EdDSA by one of its keys.

Promises:
    A token is good only with a right signature by a listed key, a listed issuer (`iss`), an audience (`aud`) of this
    server, and an expiry (`exp`). No claim is believed before the signature was checked.
    A token makes its bearer the app admin, or a business account, only by the scopes that the settings name; without
    them nobody is. The words `admin` and `business` mean nothing here by themselves, since clients of a provider may
    often choose their scopes.
    Every refusal is a `BadToken`, whatever the token is.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import jwt

from channels.server.identity.errors import KeyMissing
from channels.server.identity.key_set import ALGORITHMS
from channels.server.identity.keys import ProviderKeys
from channels.server.identity.options import ProviderOptions
from channels.server.tokens import (
    AHEAD,
    BadToken,
    Claims,
    instant_of,
    issued_by_now,
    scopes_of,
    user_id_of,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock

_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""The `typ` of tokens that sign somebody in. A provider signs others with the same keys, such as logout tokens."""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OPTIONS: Final[Any] = {
    "require": ["exp", "iss", "aud"],
    # `exp` and `nbf` are compared with the database's clock, and `sub` matters only where it is the user's claim.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_sub": False,
    "verify_jti": False,
}


class IdentityProvider:
    """Checks the tokens of one provider."""

    def __init__(self, options: ProviderOptions, keys: ProviderKeys, clock: Clock) -> None:
        self.keys = keys
        self._options = options
        self._clock = clock

    def may_have_signed(self, token: str) -> bool:
        """Whether the token says that it is signed as a provider does; it may be no token at all."""
        return _algorithm_in(_header_of(token)) in ALGORITHMS

    def claims_of(self, token: str) -> Claims:
        """Check a token that was not seen before; its expiry and revocation are left to the caller.

        Raises: BadToken; KeyMissing if its key is not known.
        """
        header = _header_of(token)
        algorithm, key_id = _algorithm_in(header), header.get("kid")
        if algorithm not in ALGORITHMS or not (key_id is None or isinstance(key_id, str)):
            raise BadToken("The token is not valid: its header is damaged")
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise BadToken("The token's `typ` is not `JWT` or `at+jwt`: send an access or ID token")
        key = self.keys.find(key_id, algorithm)
        if key is None:
            self._check_worth_a_fetch(token)
            raise KeyMissing(token)
        claims = self._decoded(token, key=key.key, algorithms=[algorithm])
        if "cnf" in claims:
            raise BadToken("The token is bound to a key of its client (`cnf`): send a bearer token")
        now = self._clock.now()
        if "nbf" in claims and instant_of(claims["nbf"], "nbf") > now + AHEAD:
            raise BadToken("The token is not valid yet: its `nbf` is in the future")
        scopes = _scopes_in(claims)
        actor = Actor(
            user_id_of(self._user_in(claims), self._options.user_claim),
            self._options.admin_scope in scopes,
            self._options.business_scope in scopes,
        )
        return Claims(
            actor,
            instant_of(claims["exp"], "exp"),
            issued_by_now(claims.get("iat"), now),
            key.thumbprint,
        )

    def _check_worth_a_fetch(self, token: str) -> None:
        """Refuse a token that would be refused with its key too, so that it does not have the keys fetched."""
        claims = self._decoded(token, is_verified=False)
        if instant_of(claims["exp"], "exp") <= self._clock.now():
            raise BadToken("The token has expired; get a new one")

    def _decoded(
        self,
        token: str,
        *,
        key: Any = "",
        algorithms: list[str] | None = None,
        is_verified: bool = True,
    ) -> Mapping[str, Any]:
        # Unverified, the library checks no claim that is not asked for by name.
        checks: Any = {"verify_signature": is_verified, "verify_iss": True, "verify_aud": True}
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                audience=self._options.audiences,
                issuer=self._options.issuers,
                options=_OPTIONS | checks,
            )
        # Also what the library does not foresee: `RecursionError` for JSON in depth, `TypeError` for odd claims.
        except Exception as error:
            raise BadToken(_reason_of(error)) from error
        return claims

    def _user_in(self, claims: Mapping[str, Any]) -> object:
        name = self._options.user_claim
        user = claims.get(name)
        if name == "email" and claims.get("email_verified") is not True:
            raise BadToken("The token's `email` is not verified by the identity provider")
        # A UUID has 36 characters, and a user id 32: without its hyphens it fits, and stays as unique.
        if isinstance(user, str) and len(user) == 36 and _UUID.fullmatch(user):
            return user.replace("-", "").lower()
        return user


def _algorithm_in(header: Mapping[str, Any]) -> str:
    named = header.get("alg")
    return named if isinstance(named, str) else ""


def _header_of(token: str) -> Mapping[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    # As above: the header is of whoever sent it.
    except Exception as error:
        raise BadToken("The token is not valid: it is damaged, or no JWT") from error


def _scopes_in(claims: Mapping[str, Any]) -> frozenset[str | None]:
    """The scopes: words in `scope` (RFC 9068), or words or a list in `scp`, as some providers have it."""
    found: set[str | None] = set(scopes_of(claims.get("scope")))
    listed = claims.get("scp")
    if isinstance(listed, list):
        found.update(each for each in listed if isinstance(each, str))
    elif isinstance(listed, str):
        found.update(listed.split())
    return frozenset(found)


def _reason_of(refusal: Exception) -> str:
    """Why the library refuses a token, in general terms."""
    match refusal:
        case jwt.InvalidSignatureError():
            return "The token is not valid: its signature is wrong, or it is damaged"
        case jwt.InvalidIssuerError():
            return "The token's `iss` is not an issuer that this server accepts"
        case jwt.InvalidAudienceError():
            return "The token's `aud` is another service: ask the identity provider for one for this server"
        case jwt.MissingRequiredClaimError():
            return (
                "The token lacks `exp`, `iss` or `aud`, which a token of an identity provider needs"
            )
        case _:
            return "The token is not valid: it is damaged, or no JWT"
