"""Tokens: minting one for a user, and asking the app for the next one in time.

A back end mints tokens with the secret that the server has. Anything else gets its tokens from a back end: give the
client a `token_provider`, which is called for the first token, shortly before one expires, and when the server
refuses one.
"""

import base64
import binascii
import inspect
import json
import math
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import jwt

TokenProvider = Callable[[], str | Awaitable[str]]
"""Returns a token, at once or awaited."""

AHEAD_SECONDS: Final = 30.0
"""A token that expires within this time is replaced before it is used."""
_USER_ID_BYTES: Final = 32


def mint_token(
    secret: str,
    user_id: str,
    *,
    valid_for: timedelta = timedelta(hours=1),
    admin: bool = False,
    business: bool = False,
    now: float | None = None,
) -> str:
    """A token that the server with this secret accepts for the user.

    `admin`: the token of your back end itself, which may do everything; never give it to a client. `business`: for a
    business account. `now`: seconds since 1970, in place of the clock. Raises: ValueError for an empty or too long
    id, or a duration that is not positive.
    """
    if not user_id or len(user_id.encode()) > _USER_ID_BYTES:
        raise ValueError(f"A user id has 1 to {_USER_ID_BYTES} bytes")
    if valid_for <= timedelta():
        raise ValueError("A token is valid for more than no time")
    issued = time.time() if now is None else now
    claims: dict[str, Any] = {
        "sub": user_id,
        # With its fraction, so that signing in again in the second of a revocation works.
        "iat": issued,
        "exp": math.ceil(issued + valid_for.total_seconds()),
    }
    scopes = ["admin"] * admin + ["business"] * business
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode(claims, secret, algorithm="HS256")


def expires_at(token: str) -> float | None:
    """When the token says that it expires, in seconds since 1970; None: it does not say so readably."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None


class Tokens:
    """The present token of a client. Without a provider it never changes."""

    def __init__(self, token: str | None, provider: TokenProvider | None) -> None:
        if token is None and provider is None:
            raise ValueError("A client needs a token or a token_provider")
        self._token = token
        self._provider = provider

    @property
    def can_renew(self) -> bool:
        return self._provider is not None

    async def current(self) -> str:
        """A token that is good for a while, as far as the client can know."""
        if self._token is None or (self.can_renew and self._seconds_left() < AHEAD_SECONDS):
            return await self.renewed(instead_of=self._token)
        return self._token

    async def renewed(self, *, instead_of: str | None) -> str:
        """Another token than this one. Callers who come while one is fetched may fetch another; both are good."""
        if self._token is not None and self._token != instead_of:
            return self._token  # somebody else was faster
        if self._provider is None:
            assert self._token is not None
            return self._token
        given = self._provider()
        token = await given if inspect.isawaitable(given) else given
        self._token = token
        return token

    def _seconds_left(self) -> float:
        expiry = expires_at(self._token or "")
        return math.inf if expiry is None else expiry - time.time()

    def renews_in_seconds(self, token: str) -> float | None:
        """When a socket should send the next token; None: never."""
        expiry = expires_at(token)
        if expiry is None or not self.can_renew:
            return None
        left = expiry - time.time()
        return max(left - AHEAD_SECONDS, left / 2, 1.0)
