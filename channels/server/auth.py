"""Authenticates callers by their tokens, and limits bad tokens by address."""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

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
    ) -> None:
        """`register` is awaited before a business account acts; it remembers that the user is one."""
        self._verifier = verifier
        self._addresses = addresses
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

        Raises: BadToken; WrongAccountKind; RateLimited after too many bad tokens of the address.
        """
        if not self._verifier.is_known(token):
            self._addresses.check(request)
        try:
            return self._verifier.verify(token)
        except Unauthenticated:
            self._addresses.take(request)
            raise
