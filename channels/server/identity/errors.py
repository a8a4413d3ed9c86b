"""Why a token of an identity provider cannot be checked now."""

from typing import Final

from groups.kernel.errors import Unready

RETRY_SECONDS: Final = 10.0
"""Between two fetches of the provider's keys, whatever asks for them: hostile tokens must not make this server a
flood."""


class IdentityProviderUnavailable(Unready):
    """The keys of the identity provider are not known, and cannot be fetched now.

    Tokens by keys that are known already stay good.
    """

    code = "identity_provider_unavailable"
    summary = "The token cannot be checked now: the keys of the identity provider are not here"
    remedy = "Keep the token, wait for the seconds in `Retry-After`, then repeat the request. Nothing was done."

    def __init__(
        self, detail: str | None = None, *, retry_after_seconds: float = RETRY_SECONDS
    ) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class KeyMissing(Exception):
    """A token names a key that is not known; `Authenticator.by_new_key` fetches the keys and checks it again."""

    def __init__(self, token: str) -> None:
        super().__init__("a key of the identity provider is not known")
        self.token = token
