"""Hooks of higher packages in the transaction of a batch of reactions; only the composition root fills the list."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from groups.kernel.mongo import Tx
from groups.models import Group

ReactedHook = Callable[[Group, int, int, datetime, Tx], Awaitable[None]]
"""Called with the group, the seq of a message, and the number of its new reactions, first ones or replacements."""


@dataclass(slots=True)
class ReactionHooks:
    """The hooks, which are called in order."""

    reacted: list[ReactedHook] = field(default_factory=list)
