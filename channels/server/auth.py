"""Authenticates callers by their tokens, and limits bad tokens by address."""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from channels.server.identity.errors import IdentityProviderUnavailable, KeyMissing
from channels.server.identity.keys import ProviderKeys
from channels.server.limits.by_address import AddressLimits
from channels.server.tokens import BadToken, Claims, TokenVerifier
from groups.kernel.actor import Actor
from groups.kernel.errors import Unauthenticated


class Authenticator:
    """Finds the caller of a request. Requests without a valid token count for their address."""

    def __init__(
        self,
        verifier: TokenVerifier,
        addresses: AddressLimits,
        register: Callable[[Actor], Awaitable[None]],
        *,
        on_seen: Callable[[Actor], None] = lambda _: None,
        keys: ProviderKeys | None = None,
    ) -> None:
        """`register` is awaited before a business account acts; it remembers that the user is one.

        `on_seen` is called with everybody whose token is valid; it does not wait. `keys` are those of the identity
        provider, if there is one.
        """
        self._verifier = verifier
        self._addresses = addresses
        self._on_seen = on_seen
        self._keys = keys
        self.check = verifier.check
        self.register = register

    def by_header(self, request: web.BaseRequest) -> Claims:
        """The claims of the token in the `Authorization` header. Raises: as `by_token`."""
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self.by_token(request, token.strip())
        self._addresses.take(request)
        raise BadToken("Send `Authorization: Bearer <token>`")

    def by_token(self, request: web.BaseRequest, token: str) -> Claims:
        """The claims of a token.

        Raises: BadToken; WrongAccountKind; RateLimited after too many bad tokens of the address; KeyMissing, for which
        `by_new_key` is called.
        """
        if not self._verifier.is_known(token):
            self._addresses.check(request)
        try:
            claims = self._verifier.verify(token)
        except Unauthenticated:
            self._addresses.take(request)
            raise
        self._on_seen(claims.actor)
        return claims

    async def by_new_key(self, request: web.BaseRequest, missing: KeyMissing) -> Claims:
        """The claims of a token of the identity provider whose key was not known, once the keys are fetched anew.

        Apart from `by_token`, so that a request whose token is known waits for nothing. Raises: as `by_token`;
        IdentityProviderUnavailable if the keys cannot be fetched now.
        """
        assert self._keys is not None, "else no token has a key that is missing"
        try:
            await self._keys.fetch_for_unknown()
            return self._verifier.verify(missing.token)
        except KeyMissing:
            self._addresses.take(request)
            raise BadToken(
                "The token is not valid: its identity provider has no such key for signatures"
            ) from None
        except (Unauthenticated, IdentityProviderUnavailable):
            # They count for the address too: else random names of keys would be free.
            self._addresses.take(request)
            raise

    def check_key(self, claims: Claims) -> None:
        """Check that the provider still lists the key of the token, after a wait. Raises: BadToken."""
        if claims.key is not None and self._keys is not None and not self._keys.has(claims.key):
            raise BadToken("The token's key was withdrawn; sign in again")
