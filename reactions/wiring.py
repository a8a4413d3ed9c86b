"""Builds reactions and polls on group chat: the store stays inside, the services come out."""

from collections.abc import Sequence
from typing import Final

from groups.kernel.mongo import Index
from groups.wiring import GroupChat, GroupCore
from reactions.polls.service.closing import PollClosing
from reactions.polls.service.polls import PollService
from reactions.service.engine import ReactionEngine
from reactions.service.reactions import ReactedHook, ReactionService
from reactions.service.withdrawal import Withdrawal, WithdrawnHook
from reactions.store import ReactionStore

REACTION_INDEXES: Final[tuple[Index, ...]] = ReactionStore.INDEXES


def build_engine(groups: GroupCore) -> ReactionEngine:
    """Build the part of reactions that group chat calls through hooks."""
    return ReactionEngine(
        database=groups.database,
        store=ReactionStore(groups.database),
        streams=groups.streams,
        clock=groups.clock,
        on_batch=groups.on_batch,
    )


def assemble(
    chat: GroupChat, engine: ReactionEngine, *, reacted: Sequence[ReactedHook] = ()
) -> ReactionService:
    """Build reactions to the messages of this group chat. `reacted` are hooks of packages above."""
    return ReactionService(
        engine=engine, access=chat.bulk_access, messages=chat.messages, reacted=reacted
    )


def build_withdrawal(
    chat: GroupChat, engine: ReactionEngine, *, hooks: Sequence[WithdrawnHook] = ()
) -> Withdrawal:
    """Build what takes back all that a deleted user holds on messages. `hooks` are of packages above."""
    return Withdrawal(engine=engine, access=chat.bulk_access, hooks=hooks)


def assemble_polls(chat: GroupChat, engine: ReactionEngine) -> PollService:
    """Build polls among the messages of this group chat."""
    return PollService(
        engine=engine, access=chat.bulk_access, guard=chat.guard, admin_log=chat.admin_log
    )


def build_poll_closing(chat: GroupChat, engine: ReactionEngine) -> PollClosing:
    """Build what announces polls that close by themselves."""
    return PollClosing(engine=engine, access=chat.bulk_access)
