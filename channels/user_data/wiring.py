"""Builds the export and the deletion of users on the services of a deployment."""

from dataclasses import dataclass
from typing import Final

from channels.broadcasts.service.positions import BroadcastPositions
from channels.comments.wiring import Comments
from channels.drafts.service.drafts import DraftCleanup
from channels.reports.service.withdrawal import ReportWithdrawal
from channels.subscriber_tags.service.withdrawal import TagWithdrawal
from channels.user_data.events import UserDeleted, UserDeletionBegan
from channels.user_data.policy import UserDataOptions
from channels.user_data.service.deletion import UserDeletions
from channels.user_data.service.export import UserExports
from channels.user_data.service.log_erasure import LogErasure
from channels.user_data.service.steps import DeletionSteps
from channels.user_data.service.worker import DeletionWorker
from channels.user_data.store.deletions import DeletionStore
from channels.user_data.store.walk import WalkStore
from channels.user_data.store.written import WrittenStore
from conversations.service.dialogue_endings import DialogueEndings
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.event_log.log import EventLog
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat
from reactions.service.withdrawal import Withdrawal

USER_DATA_INDEXES: Final[tuple[Index, ...]] = DeletionStore.INDEXES


@dataclass(frozen=True, kw_only=True, slots=True)
class UserData:
    """The services of users' data on one database."""

    exports: UserExports
    deletions: UserDeletions
    steps: DeletionSteps
    worker: DeletionWorker

    async def start(self) -> None:
        """Load the deletions, before the first token is checked, and go on with those that are not done."""
        await self.deletions.load()
        self.worker.start()

    async def close(self) -> None:
        """Stop; another process, or the next start, goes on."""
        await self.worker.close()
        await self.deletions.close()


def build(
    database: Database,
    chat: GroupChat,
    comments: Comments,
    endings: DialogueEndings,
    withdrawal: Withdrawal,
    drafts: DraftCleanup,
    reports: ReportWithdrawal,
    tags: TagWithdrawal,
    positions: BroadcastPositions,
    bus: EventBus,
    log: EventLog,
    options: UserDataOptions,
    clock: Clock,
) -> UserData:
    """Build the services, and listen to deletions of other processes. The worker is not started."""
    store, walk = DeletionStore(database), WalkStore(database)
    steps = DeletionSteps(
        database=database,
        walk=walk,
        log=LogErasure(walk=walk),
        fence=log.fence,
        users=chat.users,
        memberships=chat.membership,
        reader=chat.membership_reader,
        edits=chat.edits,
        media=chat.media,
        endings=endings,
        withdrawal=withdrawal,
        comments=comments.comments,
        drafts=drafts,
        reports=reports,
        tags=tags,
        positions=positions,
    )
    deletions = UserDeletions(
        database=database,
        deletions=store,
        memberships=chat.membership_reader,
        revocations=chat.revocations,
        options=options,
        clock=clock,
    )
    worker = DeletionWorker(
        database=database, deletions=store, known=deletions, steps=steps, clock=clock
    )
    deletions.on_begun.append(worker.wake)
    bus.listen(deletions.on_events, UserDeletionBegan, UserDeleted)
    bus.on_resync(deletions.reload)
    return UserData(
        exports=UserExports(
            walk=walk, written=WrittenStore(database), options=options, clock=clock
        ),
        deletions=deletions,
        steps=steps,
        worker=worker,
    )
