"""What higher packages do in the transaction of a batch of reactions."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from groups.kernel.mongo import Tx
from groups.models import Group

ReactedHook = Callable[[Group, int, int, datetime, Tx], Awaitable[None]]
"""The message with this seq gets this many new reactions, replacements included, at this instant."""
