"""Builds reactions on group chat: the store stays inside, the service comes out."""

from collections.abc import Sequence
from typing import Final

from groups.kernel.clock import Clock
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat
from reactions.service.hooks import ReactedHook
from reactions.service.ledger import Ledger
from reactions.service.reactions import ReactionService
from reactions.store import ReactionStore

REACTION_INDEXES: Final[tuple[Index, ...]] = ReactionStore.INDEXES


def build_ledger(database: Database) -> Ledger:
    """Build the part of reactions that group chat calls through hooks."""
    return Ledger(ReactionStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    ledger: Ledger,
    clock: Clock,
    *,
    reacted: Sequence[ReactedHook] = (),
    on_batch: OnBatch | None = None,
) -> ReactionService:
    """Build reactions to the messages of this group chat. `on_batch` is called with every group-commit batch."""
    return ReactionService(
        database,
        ReactionStore(database),
        ledger,
        chat.bulk_access,
        chat.messages,
        clock,
        reacted=reacted,
        on_batch=on_batch,
    )
