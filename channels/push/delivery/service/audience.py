"""Who gets a notification: read page by page, right before the page is sent.

A small group is read by its members, a large one by the users who have devices, whichever are fewer. Both are in the
order of user ids, so that a job can go on with either. The readers of a channel's inbox are few, and are read at once.
A page costs the same few queries: the users, their memberships, their devices, their settings, and who of them is
online.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.event_views.conversations import thread_stream_id
from channels.push.delivery.models import DeviceKey, Job
from channels.push.delivery.service.notifications import build_notification, expiry_of
from channels.push.delivery.service.presence import Presence
from channels.push.models import Device
from channels.push.senders.models import Delivery, Notification
from channels.push.store.devices import DeviceStore
from conversations.models import (
    C2C_PREFIX,
    CHANNEL_SIGN,
    DEFAULT_SETTINGS,
    ConversationId,
    unread_of,
)
from conversations.policy import rings
from conversations.service.notification_settings import NotificationSettings
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import Commenting, Group, Head, Visibility
from groups.service.access.membership_reader import MembershipReader
from groups.service.messages.stream import StreamService
from groups.service.users import UserService

AcknowledgedAmong = Callable[[StreamId, int, Collection[UserId]], Awaitable[set[UserId]]]
"""Returns those of the users who acknowledged a message."""
InboxReaders = Callable[[GroupId], Awaitable[Collection[UserId]]]
"""Returns the owner and the admins who may read a channel's inbox."""
InboxReadSeq = Callable[[GroupId, UserId], Awaitable[int]]
"""Returns how far they have read the thread of a user, a cursor that they share."""

PAGE_USERS: Final = 500
ESTIMATE_SECONDS: Final = 60.0
"""Between two estimates of how many users have devices."""
_NOT_JOINED: Final = 2**53
"""In place of the seq at which a user joined: nothing is unread for them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A job whose message still exists, with the notification that it sends."""

    job: Job
    notification: Notification
    settings_of: ConversationId
    """The conversation whose settings decide. Those of a channel decide on its comments and its inbox too."""
    group: Group | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of recipients, by user id. `last`: the last user that was looked at; `is_end`: there are no more."""

    deliveries: Sequence[Delivery]
    last: str
    is_end: bool


@dataclass(kw_only=True, slots=True, eq=False)
class Audience:
    """Reads the recipients of jobs."""

    devices: DeviceStore
    memberships: MembershipReader
    settings: NotificationSettings
    streams: StreamService
    users: UserService
    presence: Presence
    acknowledged_among: AcknowledgedAmong
    inbox_readers: InboxReaders
    inbox_read_seq: InboxReadSeq
    clock: Clock
    ttl_seconds: int
    with_content: bool
    page_users: int = PAGE_USERS
    _estimate: int = field(default=0, init=False)
    _estimated_at: float = field(default=float("-inf"), init=False)

    async def open(self, job: Job) -> Opened | None:
        """The job with its notification; None where there is nothing to announce any more.

        That is: the message is deleted, or too old, or its group does not exist.
        """
        expires_at = expiry_of(job, self.ttl_seconds)
        if expires_at <= self.clock.now():
            return None
        message = await self.streams.find(job.stream_id, job.seq)
        if message is None or message.content is None:
            return None
        group: Group | None = None
        conversation_id, settings_of = str(job.stream_id), str(job.stream_id)
        if job.group_id is not None:
            group = (await self.memberships.find_groups([job.group_id])).get(job.group_id)
            if group is None or (job.post_seq is not None and group.comments is Commenting.OFF):
                return None
            names = [group.name]
            if not job.is_channel:
                names.append(await self._name_of(job.sender_id))
            if job.post_seq is not None:
                conversation_id = settings_of = group.stream_id
            elif job.is_inbox:
                conversation_id = thread_stream_id(job.group_id, job.sender_id)
                settings_of = group.stream_id
        else:
            assert job.peer_id is not None, "a dialogue has another side"
            conversation_id = settings_of = C2C_PREFIX + job.peer_id
            names = [await self._name_of(job.peer_id)]
        notification = build_notification(
            job,
            message.content,
            conversation_id=conversation_id,
            names=names,
            expires_at=expires_at,
            with_content=self.with_content,
        )
        return Opened(job, notification, ConversationId(settings_of), group)

    async def read(self, opened: Opened, after: str, upto: str | None) -> Page:
        """The recipients behind the user `after`, up to the user `upto` or the end; for a retry, all of them."""
        job = opened.job
        if job.is_retry or job.recipient_id is not None:
            user_ids = {user_id for user_id, _ in job.device_keys}
            if job.recipient_id is not None:
                user_ids = {job.recipient_id}
            joined = await self._joined(opened, sorted(user_ids))
            return Page(await self._deliveries(opened, joined), max(user_ids), is_end=True)
        page = self._page_of_inbox if job.is_inbox else self._page_of_group
        joined, last, is_end = await page(opened, after)
        if upto is not None and last >= upto:
            joined = {user_id: seq for user_id, seq in joined.items() if user_id <= upto}
            last, is_end = upto, True
        return Page(await self._deliveries(opened, joined), last, is_end)

    async def _page_of_inbox(
        self, opened: Opened, after: str
    ) -> tuple[dict[UserId, int], str, bool]:
        """As `_page_of_group`, the readers of the channel's inbox behind `after`: all of them are the last page."""
        assert opened.job.group_id is not None, "an inbox is a channel's"
        readers = sorted(await self.inbox_readers(opened.job.group_id))
        return (
            {user_id: 0 for user_id in readers if user_id > after},
            max([after, *readers]),
            True,
        )

    async def _page_of_group(
        self, opened: Opened, after: str
    ) -> tuple[dict[UserId, int], str, bool]:
        """The members of a page with the seqs at which they joined, the page's last user, and whether it is the last.

        The last user of the last page is `after` or a later one.
        """
        group, limit = opened.group, self.page_users
        assert group is not None, "a job of a group"
        if group.member_count <= max(limit, await self._count_users()):
            members = await self.memberships.list_joined(group.group_id, after=after, limit=limit)
            last = members[-1][0] if members else after
            return dict(members), last, len(members) < limit
        user_ids = await self.devices.list_users(after=after, limit=limit)
        last = user_ids[-1] if user_ids else after
        return await self._joined(opened, user_ids), last, len(user_ids) < limit

    async def _joined(self, opened: Opened, user_ids: Sequence[UserId]) -> dict[UserId, int]:
        """Those of the users who are in the conversation, with the seqs at which they joined; 0 in a dialogue."""
        group = opened.group
        if group is None:
            return dict.fromkeys(user_ids, 0)
        if opened.job.is_inbox:
            readers = await self.inbox_readers(group.group_id)
            return {user_id: 0 for user_id in user_ids if user_id in readers}
        found = await self.memberships.find_memberships(
            [(group.group_id, user_id) for user_id in user_ids]
        )
        joined = {user_id: row.joined_seq for (_, user_id), row in found.items()}
        if opened.job.post_seq is not None and group.visibility is Visibility.PUBLIC:
            # Who comments there need not subscribe. A user who was banned before the comment is not notified.
            joined = dict.fromkeys(user_ids, _NOT_JOINED) | joined
        return joined

    async def _deliveries(self, opened: Opened, joined: Mapping[UserId, int]) -> list[Delivery]:
        job = opened.job
        is_comment, is_reminder = job.post_seq is not None, job.is_reminder
        # Users who joined with this message or later have nothing unread. Comments are never unread.
        among = [
            user_id
            for user_id, joined_seq in joined.items()
            if user_id != job.sender_id and (is_comment or is_reminder or joined_seq < job.seq)
        ]
        if not among:
            return []
        of_users = await self.devices.find_devices(among)
        if is_reminder and of_users:
            # Read right before the page is sent, so nobody is reminded who acknowledged before.
            done = await self.acknowledged_among(job.stream_id, job.seq, of_users.keys())
            of_users = {user_id: of_users[user_id] for user_id in of_users.keys() - done}
        if not of_users:
            return []
        # Silent messages have no job.
        settings, online = await asyncio.gather(
            self.settings.find({(user_id, opened.settings_of) for user_id in of_users}),
            self.presence.online_among(of_users.keys()),
        )
        head = await self._head_of_channel(opened) if is_comment else None
        of_thread: int | None = None
        if job.is_inbox and job.group_id is not None:
            of_thread = await self.inbox_read_seq(job.group_id, job.sender_id)
        now, wanted = self.clock.now(), frozenset(job.device_keys)
        deliveries: list[Delivery] = []
        for user_id in sorted(of_users.keys() - online):
            of_user = settings.get((user_id, opened.settings_of), DEFAULT_SETTINGS)
            if of_thread is not None:
                read_seq = of_thread
            else:
                read_seq = of_user.read_seq if head is None else head.read_by(user_id)
                read_seq = max(read_seq, of_user.read_seq)
            seq = job.seq if head is None else head.head_seq
            unread = unread_of(seq, read_seq, joined[user_id])
            if (unread == 0 and not is_comment and not is_reminder) or not rings(
                of_user, now, is_silent=False
            ):
                continue
            deliveries += [
                Delivery(device, unread, is_repeat=False)
                for device in of_users[user_id]
                if not wanted or _key_of(device) in wanted
            ]
        return deliveries

    async def _head_of_channel(self, opened: Opened) -> Head | None:
        """The head of the channel, since a device shows how many of its posts are unread."""
        assert opened.group is not None, "comments are in a channel"
        stream_id = opened.group.stream_id
        stream = (await self.streams.heads([stream_id])).get(stream_id)
        return stream.head if stream is not None else None

    async def _name_of(self, side: str) -> str:
        """The name of a user or a channel, as notifications show it; empty where there is none."""
        if side.startswith(CHANNEL_SIGN):
            groups = await self.memberships.find_groups([GroupId(side)])
            group = groups.get(GroupId(side))
            return group.name if group else ""
        user = (await self.users.find_users([UserId(side)])).get(UserId(side))
        return user.name if user else ""

    async def _count_users(self) -> int:
        now = asyncio.get_running_loop().time()
        if now - self._estimated_at >= ESTIMATE_SECONDS:
            self._estimate = await self.devices.estimate_users()
            self._estimated_at = now
        return self._estimate


def _key_of(device: Device) -> DeviceKey:
    return device.user_id, device.device_id
