"""Creating calls repeated with their `Idempotency-Key`: what the first one made is found, and nothing is made again.

Promises: a key is its user's own, and counts for one kind of call; it is noted in the transaction that makes the thing,
so a crash leaves both or neither, and every process finds it; it is remembered for 24 hours. Messages, drafts and
uploads hold their keys themselves.
"""

from dataclasses import dataclass

from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import IdempotencyConflict
from groups.kernel.mongo import Tx
from groups.service.messages.stream import digest_of
from groups.store.idempotency import IdempotencyStore, KeyedCall

__all__ = ["Idempotency", "KeyedCall", "keyed_call"]


def keyed_call(actor: Actor, call: str, key: str | None, said: str) -> KeyedCall | None:
    """The call under its key, where it has one; `said`: all that was asked for."""
    return None if key is None else KeyedCall(actor.user_id, call, key, digest_of(said))


@dataclass(frozen=True, kw_only=True, slots=True)
class Idempotency:
    """Which keyed calls were made."""

    store: IdempotencyStore
    clock: Clock

    async def find_first(self, call: KeyedCall | None, tx: Tx) -> str | None:
        """What the first call under the key made; None when this is the first one, or has no key.

        Raises: IdempotencyConflict, when that one asked for something else.
        """
        found = None if call is None else await self.store.find_first(call, tx)
        if call is None or found is None:
            return None
        if found.print != call.print:
            raise IdempotencyConflict
        return found.made

    async def remember(self, call: KeyedCall | None, made: str, tx: Tx) -> None:
        """Remember what the call makes, if it has a key."""
        if call is not None:
            await self.store.insert(call, made, self.clock.now(), tx)
