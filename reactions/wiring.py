"""Builds reactions on group chat, and ties their hooks."""

from typing import Final

from groups.kernel.clock import Clock
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat
from reactions.service.engine import ReactionEngine
from reactions.service.reactions import ReactionService
from reactions.store import ReactionStore

REACTION_INDEXES: Final[tuple[Index, ...]] = ReactionStore.INDEXES


def assemble(
    database: Database,
    chat: GroupChat,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> ReactionService:
    """Reactions to the messages of this group chat; `on_batch` is called for every group-commit batch."""
    store = ReactionStore(database)
    engine = ReactionEngine(
        database=database, store=store, streams=chat.streams, clock=clock, on_batch=on_batch
    )
    service = ReactionService(database, store, engine, chat.lookup, chat.messages)
    chat.hooks.tallies = engine
    chat.hooks.stream_ended.append(service.stream_ended)
    return service
