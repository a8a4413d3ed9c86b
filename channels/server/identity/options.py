"""What an operator chooses about the identity provider. `Settings` builds it, also for commands that load no HTTP."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """What an operator says about the identity provider."""

    keys: str | Path
    """The address of its key set, or the file that holds it."""
    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    user_claim: str = "sub"
    admin_scope: str | None = None
    business_scope: str | None = None
