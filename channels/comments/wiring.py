"""Builds comments on channels, and the hooks that end them."""

from collections.abc import Callable
from dataclasses import dataclass

from channels.comments.service.cleanup import LOOK_SECONDS, CommentCleanup
from channels.comments.service.comments import CommentService
from channels.comments.service.reactions import CommentReactions
from channels.comments.service.reading import CommentReader
from channels.comments.store import CommentStreamStore
from channels.limits import Limits
from groups.kernel.actor import Actor
from groups.kernel.background import PeriodicTask
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database
from groups.service.hooks import BlockReader
from groups.wiring import GroupChat, GroupCore
from reactions.service.engine import ReactionEngine

COMMENT_INDEXES = CommentStreamStore.INDEXES


@dataclass(frozen=True, kw_only=True, slots=True)
class Comments:
    """The services of comments on one database."""

    comments: CommentService
    reader: CommentReader
    reactions: CommentReactions
    cleanup: CommentCleanup
    cleanup_task: PeriodicTask

    async def close(self) -> None:
        """Finish what was submitted, and stop the cleanup, which any process goes on with."""
        await self.cleanup_task.stop()
        await self.comments.close()
        await self.reactions.close()


def build_cleanup(groups: GroupCore, engine: ReactionEngine) -> CommentCleanup:
    """Build the hooks that end comments with their post, and with their channel."""
    return CommentCleanup(
        database=groups.database,
        streams=groups.streams,
        store=CommentStreamStore(groups.database),
        delete_of_stream=[engine.delete_some],
    )


def assemble(
    database: Database,
    chat: GroupChat,
    engine: ReactionEngine,
    cleanup: CommentCleanup,
    blocks: BlockReader,
    take_turn: Callable[[Actor], object],
    limits: Limits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> Comments:
    """Build comments on this group chat. The cleanup is not started."""
    return Comments(
        comments=CommentService(
            database=database,
            streams=chat.streams,
            store=cleanup.store,
            access=chat.bulk_access,
            blocks=blocks,
            admin_log=chat.admin_log,
            take_turn=take_turn,
            limits=limits,
            group_limits=limits,
            clock=clock,
            on_batch=on_batch,
        ),
        reader=CommentReader(
            database=database,
            streams=chat.streams,
            guard=chat.guard,
            users=chat.users,
            blocks=blocks,
            tallies=engine,
        ),
        reactions=CommentReactions(engine=engine, access=chat.bulk_access),
        cleanup=cleanup,
        cleanup_task=PeriodicTask(cleanup.clear_ended, LOOK_SECONDS, name="comment-cleanup"),
    )
