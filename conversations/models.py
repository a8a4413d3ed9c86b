"""The models of conversations: frozen, independent of the database.

Models that a list holds by the thousand are named tuples: a pydantic model takes ten times as long to make. They are
built from stored documents, and input from outside is validated before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from groups.kernel.ids import PAIR_SEPARATOR, USER_ID_BYTES, GroupId, StreamId, UserId, is_id
from groups.models import Head, LastMessage, MembershipRow, Message, inbox_stream_of, stream_of

ConversationId = StreamId
"""A conversation with a group is `group_<group id>`, which is also the id of the group's stream. A one-to-one
conversation is `c2c_<id of the other side>`, so its two sides have different ids for it."""

GROUP_PREFIX: Final = "group_"
C2C_PREFIX: Final = "c2c_"
AFTER_C2C_PREFIX: Final = "c2c`"
"""The first text after all texts that begin with `C2C_PREFIX`: the upper bound of a range query."""
CHANNEL_SIGN: Final = "@"
"""How the ids of Communities, and so of channels, begin. A user whose id begins with it has no one-to-one messages:
they could not be told from a channel."""

CHANNELS: Final = "channels"
CHATS: Final = "chats"
BUILT_IN_GROUPS: Final = (CHANNELS, CHATS)
"""The conversation groups that every user has: computed from the channel marker, without limits, not editable."""


class ConversationType(StrEnum):
    """Whether the other side is a group (a channel is one) or a single user."""

    GROUP = "group"
    C2C = "c2c"


class NotificationLevel(StrEnum):
    """For which messages of a conversation the user's devices ring.

    Messages cannot mention a user, so there is no level between the two. A level of a newer version reads as `ALL`:
    a needless ring does less harm than a missing one.
    """

    ALL = "all"
    NONE = "none"

    @classmethod
    def _missing_(cls, value: object) -> "NotificationLevel":
        return cls.ALL


class ReadScope(StrEnum):
    """Sets of conversations that can be marked as read at once, besides groups. These names are reserved."""

    ALL = "all"
    GROUP = ConversationType.GROUP.value
    C2C = ConversationType.C2C.value


RESERVED_NAMES: Final = frozenset({*BUILT_IN_GROUPS, *(scope.value for scope in ReadScope)})


class Model(BaseModel):
    """The base of this package's pydantic models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ConversationSettings(NamedTuple):
    """A user's settings for one conversation. The defaults hold for a conversation without stored settings.

    `read_seq`: the last message read, as far as stored (joining counts as reading). `pinned_at` None: not pinned.
    `hidden_at_seq`: the head when the user hid the conversation; a later message shows it again. `groups`: the names of
    the user's conversation groups that it is in. Queries for totals do not load `draft` and `custom_data`.

    `muted`: for ever; `muted_until`: muted up to this instant, which may be in the past. `accept` False: a channel must
    not write to the user. `begun_by_channel`: the channel began the thread, and the user has not written in it.
    `notifications`: for which messages devices ring; they count as unread all the same.

    `version` counts the changes of what is not the read cursor, and `changed_ms` is the time of the last change of
    either, by the user's own act, in milliseconds since 1970. Only queries for `sync` load them.
    """

    read_seq: int = 0
    muted: bool = False
    pinned_at: datetime | None = None
    hidden_at_seq: int | None = None
    groups: tuple[str, ...] = ()
    draft: str = ""
    custom_data: str = ""
    muted_until: datetime | None = None
    accept: bool = True
    begun_by_channel: bool = False
    notifications: NotificationLevel = NotificationLevel.ALL
    version: int = 0
    changed_ms: int = 0

    def is_muted(self, now: datetime) -> bool:
        """Whether unread totals leave the conversation out now, and no device rings for it.

        For ever, or until an instant that has not come.
        """
        return self.muted or (self.muted_until is not None and self.muted_until > now)

    def hides(self, head_seq: int) -> bool:
        """Whether lists and totals leave the conversation out, until its next message."""
        return self.hidden_at_seq is not None and head_seq <= self.hidden_at_seq


DEFAULT_SETTINGS: Final = ConversationSettings()


def unread_of(head_seq: int, read_seq: int, joined_seq: int) -> int:
    """Return how many messages are unread (promise P5): those after `read_seq` and after `joined_seq`."""
    return max(0, head_seq - (read_seq if read_seq > joined_seq else joined_seq))


class Dialogue(NamedTuple):
    """A one-to-one conversation as one side sees it: `user_id` is that side, `peer_id` another user or a channel.

    For a channel the same conversation is a `Thread`, identified by the user and the channel.
    """

    user_id: UserId
    peer_id: str

    @property
    def channel_id(self) -> GroupId | None:
        return GroupId(self.peer_id) if self.peer_id.startswith(CHANNEL_SIGN) else None

    @property
    def conversation_id(self) -> ConversationId:
        return ConversationId(C2C_PREFIX + self.peer_id)

    @property
    def stream_id(self) -> StreamId:
        if self.channel_id is not None:
            return inbox_stream_of(self.channel_id, self.user_id)
        return StreamId(C2C_PREFIX + PAIR_SEPARATOR.join(sorted((self.user_id, self.peer_id))))

    @property
    def sides(self) -> "tuple[Dialogue, ...]":
        """The dialogue as each user in it sees it. One entry if the peer is a channel or the user themselves."""
        if self.channel_id is not None or self.peer_id == self.user_id:
            return (self,)
        return self, Dialogue(UserId(self.peer_id), self.user_id)


@dataclass(frozen=True, slots=True)
class DialogueMessage:
    """A message of a dialogue. `is_new`: it was written just now, so nobody has reacted to it."""

    dialogue: Dialogue
    message: Message
    is_new: bool = False


class Thread(NamedTuple):
    """A channel's side of a dialogue. All who read the channel's inbox share its read cursor.

    `active_ms`: when its last message was sent, in milliseconds since 1970. They share its tags too.
    """

    channel_id: GroupId
    user_id: UserId
    read_seq: int
    active_ms: int
    tags: tuple[str, ...] = ()

    @property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.user_id, self.channel_id)


class InboxUnread(NamedTuple):
    """How many messages of a channel's inbox are unread, and in how many threads."""

    messages: int
    threads: int


class Conversation(NamedTuple):
    """A user's conversation: the head of its stream and the user's settings.

    `group_id` is None for a one-to-one conversation; its `joined_seq` is 0. `active_ms`: when the last message was
    sent, or when the user joined if there is none, in milliseconds since 1970; 0 where it was not asked for.
    """

    conversation_id: ConversationId
    group_id: GroupId | None
    is_channel: bool
    head_seq: int
    joined_seq: int
    active_ms: int
    settings: ConversationSettings

    @property
    def type(self) -> ConversationType:
        return ConversationType.C2C if self.group_id is None else ConversationType.GROUP

    @property
    def read_seq(self) -> int:
        """The last message that counts as read: joining reads all earlier messages."""
        return max(self.settings.read_seq, self.joined_seq)

    @property
    def unread_count(self) -> int:
        return unread_of(self.head_seq, self.settings.read_seq, self.joined_seq)

    @property
    def is_hidden(self) -> bool:
        return self.settings.hides(self.head_seq)

    def read_up_to(self, seq: int) -> "Conversation":
        return self._replace(settings=self.settings._replace(read_seq=seq))


@dataclass(frozen=True, slots=True)
class UserSettings:
    """All stored settings of one user, in two parts, since most documents hold a read cursor alone.

    `read_seqs` has an entry for every document, 0 where nothing was read. `settings` has an entry only where more than
    a read cursor is stored. `dialogues` are the ids of one-to-one conversations: each has a document from its first
    message on, so these are all of them. `with_texts` have a draft or custom data, which are not loaded; only queries
    for lists tell.
    """

    read_seqs: dict[ConversationId, int] = field(default_factory=dict)
    settings: dict[ConversationId, ConversationSettings] = field(default_factory=dict)
    dialogues: list[ConversationId] = field(default_factory=list)
    with_texts: list[ConversationId] = field(default_factory=list)

    def settings_of(self, conversation_id: ConversationId) -> ConversationSettings:
        settings = self.settings.get(conversation_id)
        if settings is not None:
            return settings
        read_seq = self.read_seqs.get(conversation_id)
        return DEFAULT_SETTINGS if read_seq is None else ConversationSettings(read_seq)


NO_USER_SETTINGS: Final = UserSettings()


@dataclass(frozen=True, slots=True)
class ConversationSnapshot:
    """All conversations of one user as they were read: memberships whose stream has a head, and dialogues.

    `heads` may hold other streams too. Totals are computed from it directly, without an object for each conversation.
    """

    user_id: UserId
    memberships: Mapping[ConversationId, MembershipRow]
    user_settings: UserSettings
    heads: Mapping[StreamId, Head]
    dialogues: Mapping[ConversationId, Head] = field(default_factory=dict)

    def conversations(self) -> Iterator[Conversation]:
        """The conversations, in no particular order."""
        for conversation_id, membership in self.memberships.items():
            head = self.heads.get(conversation_id)
            if head is not None:
                settings = self.user_settings.settings_of(conversation_id)
                yield conversation_from(self.user_id, conversation_id, membership, head, settings)
        for conversation_id, head in self.dialogues.items():
            settings = self.user_settings.settings_of(conversation_id)
            yield dialogue_conversation(conversation_id, head, settings)

    def with_read_seqs(self, read_seqs: Mapping[ConversationId, int]) -> "ConversationSnapshot":
        user_settings = replace(
            self.user_settings, read_seqs={**self.user_settings.read_seqs, **read_seqs}
        )
        return replace(self, user_settings=user_settings)


class ListedConversation(NamedTuple):
    """A conversation as a list shows it. `last` is None if there is no message that the user may read.

    `verified`: it is a verified channel, or a dialogue with one. `version`: of its stream. `muted`: now, for ever or
    until `muted_until`.
    """

    conversation: Conversation
    title: str
    face_url: str
    last: LastMessage | None
    verified: bool
    version: int
    muted: bool
    muted_until: datetime | None


class ReadMark(Model):
    """How far a user has read a conversation."""

    conversation_id: ConversationId
    read_seq: int
    unread_count: int


class Unread(NamedTuple):
    """Totals of unread messages. `total` is `channels` plus `chats`; `conversation_groups` are the user's own."""

    total: int
    channels: int
    chats: int
    conversation_groups: Mapping[str, int]


class ConversationGroup(NamedTuple):
    """A named set of one user's conversations. Each conversation's settings store which groups it is in."""

    name: str
    created_at: datetime


class GroupTotal(NamedTuple):
    """The totals of a conversation group. Muted and hidden conversations count as conversations, not as unread."""

    name: str
    unread_count: int
    conversation_count: int
    built_in: bool


def conversation_of(group_id: GroupId) -> ConversationId:
    """Return the id of the conversation with a group."""
    return ConversationId(stream_of(group_id))


def conversation_from(
    user_id: UserId,
    conversation_id: ConversationId,
    membership: MembershipRow,
    head: Head,
    settings: ConversationSettings,
) -> Conversation:
    """Build the conversation of a member of a group, who has read what they wrote."""
    written = head.read_by(user_id)
    if written > settings.read_seq:
        settings = settings._replace(read_seq=written)
    return Conversation(
        conversation_id,
        membership.group_id,
        head.is_channel,
        head.head_seq,
        membership.joined_seq,
        head.active_ms or membership.joined_ms,
        settings,
    )


def dialogue_conversation(
    conversation_id: ConversationId, head: Head, settings: ConversationSettings
) -> Conversation:
    """Build a one-to-one conversation. One with a channel counts as a chat: only a channel's posts count as channel."""
    return Conversation(conversation_id, None, False, head.head_seq, 0, head.active_ms, settings)


def dialogue_of(user_id: UserId, conversation_id: ConversationId) -> Dialogue | None:
    """Return the user's dialogue with this id; None if the id is no dialogue's, or the user may have no dialogues."""
    if not conversation_id.startswith(C2C_PREFIX) or user_id.startswith(CHANNEL_SIGN):
        return None
    dialogue = Dialogue(user_id, conversation_id.removeprefix(C2C_PREFIX))
    if dialogue.channel_id is None and not is_id(dialogue.peer_id, USER_ID_BYTES):
        return None
    return dialogue


def group_of(conversation_id: ConversationId) -> GroupId | None:
    """Return the group of a conversation; None if it is not with a group."""
    if not conversation_id.startswith(GROUP_PREFIX):
        return None
    return GroupId(conversation_id.removeprefix(GROUP_PREFIX))


ConversationKey = tuple[UserId, ConversationId]
"""A user and one of their conversations."""
