"""Reads what lists of conversations show, with commands that users who ask at the same time share.

One command finds the memberships and settings of all of them, a second one the groups, streams and profiles that they
show. A command costs a third of a millisecond of CPU here and half as much in the database, and a user's few rows a
hundredth of that. Of a group or stream that did not change, the bytes are recognised and not decoded again.

A user with more than `FEW` conversations has the second command for themselves: it finds the heads of all streams,
which decide what is on a page. A third one finds what the page shows.

Promises:
    Heads are read last: they only grow, so `read_seq` never passes `head_seq`, whatever happens between the commands.
    Fresh: a list shows everything that was committed before its call (`groups.kernel.batching.requests`).
    Bounded: nobody waits for the heads of others. Where an answer for several users would be too large, each half of
    them gets one of its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from conversations.models import (
    NO_USER_SETTINGS,
    ConversationId,
    ConversationSnapshot,
    Dialogue,
    UserSettings,
    group_of,
)
from conversations.service.guard import (
    ConversationGuard,
    dialogues_among,
    heads_of_existing,
    streams_of,
)
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.batching.pages import PageBatcher, each_page
from groups.kernel.errors import AnswerTooLarge
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database
from groups.models import Group, Head, MembershipRow, Stream, User, stream_of
from groups.service.access.membership_reader import (
    MembershipReader,
    MembershipSummary,
    summary_for_member,
)
from groups.service.users import UserService

FEW: Final = 100
"""Conversations: a page may show as many."""
USERS_A_QUERY: Final = 64
"""Bounds the rows of a query: a user may have thousands of conversations."""


class Shown(NamedTuple):
    """Groups and other sides of dialogues as lists show them; it may hold more than one user's."""

    groups: Mapping[GroupId, Group]
    streams: Mapping[StreamId, Stream]
    users: Mapping[UserId, User]

    def summary_of_group(self, actor: Actor, membership: MembershipRow) -> MembershipSummary | None:
        """The actor's group as their list shows it; None where it is gone. The membership was read with its times."""
        group_id = membership.group_id
        group, stream = self.groups.get(group_id), self.streams.get(stream_of(group_id))
        if group is None or stream is None:
            return None
        return summary_for_member(actor, membership, group, stream)

    def summary_of_dialogue(self, dialogue: Dialogue) -> MembershipSummary | None:
        """The dialogue as its user's list shows it; None where it or its channel is gone.

        The title of a user without a name is their id. A channel is shown even if its user may no longer see it: they
        wrote to each other, and it may still answer.
        """
        stream = self.streams.get(dialogue.stream_id)
        if stream is None:
            return None
        if dialogue.channel_id is not None:
            channel = self.groups.get(dialogue.channel_id)
            if channel is None:
                return None
            title, face_url, verified = channel.name, channel.face_url, channel.verified
        else:
            user = self.users.get(UserId(dialogue.peer_id))
            title = (user.name if user else "") or dialogue.peer_id
            face_url, verified = user.face_url if user else "", False
        return MembershipSummary(title, face_url, stream.head, stream.last, verified)


_Heads = Mapping[StreamId, Head]


@dataclass(frozen=True, slots=True)
class _Own:
    """What is stored of one user's conversations, without what others change."""

    user_id: UserId
    memberships: Mapping[StreamId, MembershipRow]
    settings: UserSettings
    dialogues: Sequence[Dialogue]

    @property
    def is_few(self) -> bool:
        return len(self.memberships) + len(self.dialogues) <= FEW

    @property
    def stream_ids(self) -> set[StreamId]:
        """The streams whose heads tell which of the conversations exist, and how they are ordered."""
        return {*self.memberships, *streams_of(self.dialogues)}

    def snapshot(self, heads: _Heads) -> ConversationSnapshot:
        dialogues = heads_of_existing(self.dialogues, heads)
        return ConversationSnapshot(self.user_id, self.memberships, self.settings, heads, dialogues)


@dataclass(frozen=True, slots=True)
class ListSource:
    """A user's conversations, without texts; `shown` is None where they are many: it is loaded for each page."""

    snapshot: ConversationSnapshot
    shown: Shown | None
    with_texts: Collection[ConversationId] | None
    """The conversations with a draft or custom data; None: it is not known."""


_Read = tuple[_Own, _Heads, Shown | None]


@dataclass(kw_only=True, slots=True)
class ConversationListReader:
    """Reads all conversations of users who want to see a list of them, and what it shows."""

    database: Database
    membership_reader: MembershipReader
    users: UserService
    settings: ConversationSettingsStore
    guard: ConversationGuard
    _batcher: PageBatcher[None, UserId, _Read] = field(init=False)

    def __post_init__(self) -> None:
        self._batcher = PageBatcher(each_page(self._read_users), max_weight=USERS_A_QUERY)

    async def read(self, actor: Actor) -> ListSource:
        """Read all conversations of the actor, and if they are few, what a list shows of them."""
        found = await self._batcher.find(None, actor.user_id)
        if found is None:  # too many conversations for the answer of one command
            return ListSource(await self.guard.snapshot(actor, with_times=True), None, None)
        own, heads, shown = found
        if shown is None:
            heads = await self.membership_reader.find_heads(own.stream_ids, with_times=True)
        return ListSource(own.snapshot(heads), shown, own.settings.with_texts)

    async def find_shown(self, actor: Actor, conversation_ids: Iterable[ConversationId]) -> Shown:
        """What a list shows of these conversations of the actor, with one command."""
        ids = list(conversation_ids)
        dialogues = dialogues_among(actor.user_id, [key for key in ids if group_of(key) is None])
        group_ids = {group_id for key in ids if (group_id := group_of(key)) is not None}
        return await self._fetch_shown(group_ids, dialogues)

    async def _read_users(self, _: None, user_ids: Sequence[UserId]) -> dict[UserId, _Read]:
        of_memberships = self.membership_reader.query_memberships(user_ids)
        of_settings = self.settings.query_settings_of_users(user_ids)
        try:
            await self.database.fetch_together(of_memberships, of_settings)
        except AnswerTooLarge:
            if len(user_ids) == 1:
                return {}  # and not an error for those who asked at the same time
            raise
        memberships, settings = of_memberships.result, of_settings.result
        of_users: dict[UserId, _Own] = {}
        group_ids: set[GroupId] = set()
        dialogues: list[Dialogue] = []
        for user_id in user_ids:
            own = settings.get(user_id, NO_USER_SETTINGS)
            rows = memberships.get(user_id, {})
            found = _Own(user_id, rows, own, dialogues_among(user_id, own.dialogues))
            of_users[user_id] = found
            if found.is_few:
                group_ids.update([row.group_id for row in rows.values()])
                dialogues += found.dialogues
        shown = await self._fetch_shown(group_ids, dialogues)
        heads = {stream_id: stream.head for stream_id, stream in shown.streams.items()}
        return {
            user_id: (found, heads, shown if found.is_few else None)
            for user_id, found in of_users.items()
        }

    async def _fetch_shown(self, group_ids: set[GroupId], dialogues: Sequence[Dialogue]) -> Shown:
        stream_ids = {*map(stream_of, group_ids), *streams_of(dialogues)}
        if not stream_ids:
            return Shown({}, {}, {})
        channels = {d.channel_id for d in dialogues if d.channel_id is not None}
        peers = {UserId(d.peer_id) for d in dialogues if d.channel_id is None}
        of_groups = self.membership_reader.query_groups(group_ids | channels)
        of_streams = self.membership_reader.query_streams(stream_ids)
        of_users = self.users.query_users(peers)
        await self.database.fetch_together(of_groups, of_streams, *([of_users] if peers else []))
        return Shown(of_groups.result, of_streams.result, of_users.result if peers else {})
