"""The steps of a deletion, in their order: what is counted or announced first, then all places of all packages.

Each step goes over the user's documents page by page, and does the same when it is repeated: so a killed process costs
the repetition of one page. The steps:

    profile      name and picture become empty; those who see the user receive it (in the first round)
    memberships  the user leaves every group and channel, as they could do themselves
    places       one step for each collection with ids of users (`registry.PLACES_OF`); before some documents go, the
                 service that counts or announces them is called (`_before`)
    log          the events; then the consumers of the log are fenced (`EventLog.fence`); the deliveries of webhooks

A request, a job or a consumer that began before the deletion may write behind a step. So the steps go round: at least
twice, and until each of them, one after the other, found nothing. After the fence no consumer writes the id, however
far it lags: the events that it reads do not name the user any more. No step waits for it. `MOST_ROUNDS` end the
deletion of somebody to whom others write without a pause.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from channels.broadcasts.service.positions import BroadcastPositions
from channels.comments.errors import CommentNotFound
from channels.comments.models import place_of
from channels.comments.service.comments import CommentService
from channels.drafts.service.drafts import DraftCleanup
from channels.reports.service.withdrawal import ReportWithdrawal
from channels.subscriber_tags.service.withdrawal import TagWithdrawal
from channels.user_data.limits import LEAST_ROUNDS, MOST_ROUNDS, WALKED_AT_ONCE
from channels.user_data.models import Deletion, Messages, Progress
from channels.user_data.registry import PLACES_OF
from channels.user_data.service.log_erasure import LogErasure
from channels.user_data.store.walk import WalkStore
from conversations.service.dialogue_endings import DialogueEndings, dialogue_of
from groups.errors import GroupNotFound, JoinRequestNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import stream_of
from groups.service.access.membership_reader import MembershipReader
from groups.service.media.service import MediaService
from groups.service.membership.service import MembershipService
from groups.service.messages.edits import EditService
from groups.service.users import UserService
from reactions.service.withdrawal import Withdrawal

_MEMBERSHIPS_AT_ONCE: Final = 50
_GROUP_PREFIX: Final = stream_of(GroupId(""))

Document = Mapping[str, Any]


class Stepped(NamedTuple):
    """The outcome of a part of a step; `after` None: the step is over. `found`: documents that held the id."""

    after: str | None
    walked: int
    changed: int
    found: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionSteps:
    """The steps on the services of a deployment."""

    database: Database
    walk: WalkStore
    log: LogErasure
    fence: Callable[[], Awaitable[None]]
    """Ends what consumers of the log began before (`EventLog.fence`)."""
    users: UserService
    memberships: MembershipService
    reader: MembershipReader
    edits: EditService
    media: MediaService
    endings: DialogueEndings
    withdrawal: Withdrawal
    comments: CommentService
    drafts: DraftCleanup
    reports: ReportWithdrawal
    tags: TagWithdrawal
    positions: BroadcastPositions

    @property
    def names(self) -> tuple[str, ...]:
        """The steps of a round, in order."""
        return ("profile", "memberships", *PLACES_OF, "events", "webhook_deliveries")

    def needed(self, progress: Progress) -> int:
        """How many steps the deletion takes if nothing of the user is found any more."""
        a_round = len(self.names)
        wanted = max(LEAST_ROUNDS * a_round, progress.clean_from + a_round)
        return min(wanted, MOST_ROUNDS * a_round)

    def is_clean(self, progress: Progress) -> bool:
        """Whether a whole round found nothing."""
        return progress.step - progress.clean_from >= len(self.names)

    async def run(self, deletion: Deletion) -> Progress:
        """Do the next part of the present step; returns how far it is then.

        Raises: OwnerCannotLeave, where the user came to own a group meanwhile.
        """
        progress = deletion.progress
        name = self.names[progress.step % len(self.names)]
        if name == "profile":
            done = await self._profile(deletion)
        elif name == "memberships":
            done = await self._memberships(deletion)
        elif name == "events":
            done = _stepped(*await self.log.erase_events(deletion, progress.after))
            if done.after is None:
                await self.fence()
        elif name == "webhook_deliveries":
            done = _stepped(*await self.log.delete_deliveries(deletion, progress.after))
        else:
            done = await self._places(name, deletion)
        moved = replace(
            progress,
            walked=progress.walked + done.walked,
            changed=progress.changed + done.changed,
            clean_from=progress.step + 1 if done.found else progress.clean_from,
        )
        if done.after is None:
            return replace(moved, step=progress.step + 1, after="")
        return replace(moved, after=done.after)

    async def _profile(self, deletion: Deletion) -> Stepped:
        user_id = _user_of(deletion)
        if deletion.progress.step > 0:
            return Stepped(None, 0, 0, 0)  # the first round has deleted it
        await self.users.update(_as(user_id), {"name": "", "face_url": ""})
        return Stepped(None, 1, 1, 1)

    async def _memberships(self, deletion: Deletion) -> Stepped:
        user_id = _user_of(deletion)
        # Always from the beginning: those that are left are gone.
        page = await self.reader.list_of_user(user_id, after="", limit=_MEMBERSHIPS_AT_ONCE)
        left = 0
        for member in page:
            try:
                await self.memberships.leave(_as(user_id), member.group_id)
                left += 1
            except GroupNotFound:
                continue  # it is being deleted, and its memberships with it; the places see to the rest
        is_over = len(page) < _MEMBERSHIPS_AT_ONCE or not left
        return Stepped(None if is_over else "more", len(page), left, left)

    async def _places(self, collection: str, deletion: Deletion) -> Stepped:
        user_id, places = _user_of(deletion), PLACES_OF[collection]
        walked = await self.walk.next_keys(places, user_id, deletion.progress.after, WALKED_AT_ONCE)
        documents = await self.walk.find(collection, walked.keys)
        before = self._before.get(collection)
        if before is not None and documents:
            for document in documents:
                await before(document, deletion)
            documents = await self.walk.find(collection, walked.keys)
        changed = await self.walk.apply(places, documents, user_id, deletion.alias)
        return Stepped(walked.after, walked.looked_at, changed, len(walked.keys))

    @property
    def _before(self) -> Mapping[str, Callable[[Document, Deletion], Awaitable[None]]]:
        return {
            "join_requests": self._withdraw_request,
            "reactions": self._withdraw_reaction,
            "streams": self._end_dialogue,
            "messages": self._delete_message,
            "drafts": self._delete_draft,
            "media": self._disown,
            "reports": self._withdraw_report,
            "subscriber_tags": self._withdraw_tags,
            "broadcasts": self._step_back,
        }

    async def _withdraw_request(self, row: Document, deletion: Deletion) -> None:
        user_id = _user_of(deletion)
        try:
            await self.memberships.refuse(_as(user_id), GroupId(row["group_id"]), user_id)
        except (GroupNotFound, JoinRequestNotFound):
            return

    async def _withdraw_reaction(self, row: Document, deletion: Deletion) -> None:
        await self.withdrawal.withdraw(row["message_id"], _user_of(deletion))

    async def _end_dialogue(self, row: Document, deletion: Deletion) -> None:
        await self.endings.end(StreamId(row["_id"]), _user_of(deletion))

    async def _delete_message(self, row: Document, deletion: Deletion) -> None:
        user_id, stream_id = _user_of(deletion), row["stream_id"]
        if dialogue_of(stream_id, user_id) is not None:
            # Left by a process that was killed while it ended the conversation.
            await self.endings.end(StreamId(stream_id), user_id)
            return
        if row["sender_id"] != user_id or row["recalled_at"] is not None:
            return
        place = place_of(stream_id)
        # With the application's rights: the user is no member any more.
        author = Actor(user_id, is_app_admin=True)
        try:
            if place is not None:
                await self.comments.recall(author, place, row["seq"])
            elif deletion.messages is Messages.DELETE and stream_id.startswith(_GROUP_PREFIX):
                group_id = GroupId(stream_id.removeprefix(_GROUP_PREFIX))
                await self.edits.recall(author, group_id, row["seq"])
        except (GroupNotFound, MessageNotFound, CommentNotFound):
            return  # what it belongs to is gone, or is being deleted with all its messages

    async def _delete_draft(self, row: Document, deletion: Deletion) -> None:
        if row["author_id"] == _user_of(deletion):

            async def work(tx: Tx) -> None:
                await self.drafts.forget(GroupId(row["channel_id"]), row["draft_id"], tx)

            await self.database.run(work)

    async def _disown(self, row: Document, deletion: Deletion) -> None:
        user_id = _user_of(deletion)
        await self.media.disown(row["_id"], user_id, UserId(deletion.alias))

    async def _withdraw_report(self, row: Document, deletion: Deletion) -> None:
        if row["user_id"] == _user_of(deletion):
            await self.reports.withdraw(row["_id"])

    async def _withdraw_tags(self, row: Document, deletion: Deletion) -> None:
        await self.tags.withdraw(GroupId(row["channel_id"]), _user_of(deletion))

    async def _step_back(self, row: Document, deletion: Deletion) -> None:
        if row["after"] == _user_of(deletion):
            channel_id, broadcast_id = GroupId(row["channel_id"]), row["broadcast_id"]
            await self.positions.step_back(channel_id, broadcast_id, _user_of(deletion))


def _stepped(after: str | None, walked: int, changed: int) -> Stepped:
    return Stepped(after, walked, changed, changed)


def _user_of(deletion: Deletion) -> UserId:
    assert deletion.user_id is not None, "a deletion that is not done has its user"
    return deletion.user_id


def _as(user_id: UserId) -> Actor:
    return Actor(user_id)
