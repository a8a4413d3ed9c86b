"""Where higher packages act in the transaction of a batch of reactions; only the composition root fills the list."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from groups.kernel.mongo import Tx
from groups.models import Group

ReactedHook = Callable[[Group, int, int, datetime, Tx], Awaitable[None]]
"""On the message with this seq so many reactions were given: taken up, or in place of another one."""


@dataclass(slots=True)
class ReactionHooks:
    """What is called, in order, inside the transaction."""

    reacted: list[ReactedHook] = field(default_factory=list)
