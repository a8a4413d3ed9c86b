"""Who is calling: a token checked once and remembered, and a bound on those who show a bad one."""

from aiohttp import hdrs, web

from channels.server.limits.by_address import AddressLimits
from channels.server.tokens import BadToken, Claims, TokenVerifier


class Authenticator:
    """Tells callers by their tokens; whoever has no good one is counted by his address."""

    def __init__(self, verifier: TokenVerifier, visitors: AddressLimits) -> None:
        self._verifier = verifier
        self._visitors = visitors

    def by_header(self, request: web.BaseRequest) -> Claims:
        """What the token in the `Authorization` header says.

        Raises: BadToken; RateLimited where the address showed too many bad ones.
        """
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self.by_token(request, token.strip())
        self._visitors.take(request)
        raise BadToken("Send `Authorization: Bearer <token>`")

    def by_token(self, request: web.BaseRequest, token: str) -> Claims:
        """What this token says, which came with the request or over its socket.

        Raises: BadToken; RateLimited where the address showed too many bad ones, before the token is looked at.
        """
        if not self._verifier.is_known(token):
            self._visitors.check(request)
        try:
            return self._verifier.verify(token)
        except BadToken:
            self._visitors.take(request)
            raise

    def check(self, claims: Claims) -> None:
        """Whether the token still holds.

        Raises: BadToken.
        """
        self._verifier.check(claims)
