"""Idempotency keys of calls that create something: a repeat returns what the first call created.

Promises: a key belongs to its user and to one kind of call. It is stored in the transaction that creates the thing, so
a crash leaves both or neither, and every process finds it. It is kept for 24 hours. Messages, drafts and uploads store
their keys themselves.
"""

from dataclasses import dataclass

from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import IdempotencyConflict
from groups.kernel.mongo import Tx
from groups.service.messages.posting import digest_of
from groups.store.idempotency import IdempotencyStore, KeyedCall

__all__ = ["Idempotency", "KeyedCall", "keyed_call"]


def keyed_call(actor: Actor, call: str, key: str | None, request: str) -> KeyedCall | None:
    """The call with its key, or None without one; `request` is all that was asked for."""
    return None if key is None else KeyedCall(actor.user_id, call, key, digest_of(request))


@dataclass(frozen=True, kw_only=True, slots=True)
class Idempotency:
    """Finds and stores calls with a key."""

    store: IdempotencyStore
    clock: Clock

    async def find_first(self, call: KeyedCall | None, tx: Tx) -> str | None:
        """The id that the first call with the key created; None where this is the first, or has no key."""
        found = None if call is None else await self.store.find_first(call, tx)
        if call is None or found is None:
            return None
        if found.digest != call.digest:
            raise IdempotencyConflict
        return found.created_id

    async def remember(self, call: KeyedCall | None, created_id: str, tx: Tx) -> None:
        if call is not None:
            await self.store.insert(call, created_id, self.clock.now(), tx)
