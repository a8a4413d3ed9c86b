"""Conversations as services speak of them: frozen, without a trace of the database.

What lists hold by the thousand is a named tuple rather than a pydantic model, which costs ten times as much to make; it
is built from the store's own documents, and what came from outside was validated before.
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
"""The conversation with a group is `group_<group id>`, the id of the group's stream; with a user or a channel it is
`c2c_<id of the other side>`, which each side calls otherwise."""

GROUP_PREFIX: Final = "group_"
C2C_PREFIX: Final = "c2c_"
AFTER_C2C_PREFIX: Final = "c2c`"
"""The first text behind all that begin with `C2C_PREFIX`."""
CHANNEL_SIGN: Final = "@"
"""How the ids of Communities, and so of channels, begin. A user whose id does has no one-to-one messages: nobody could
tell him from a channel."""

CHANNELS: Final = "channels"
CHATS: Final = "chats"
BUILT_IN_GROUPS: Final = (CHANNELS, CHATS)
"""The conversation groups that everyone has: computed from the channel marker, uncapped, not editable."""


class ConversationType(StrEnum):
    """With whom: a group (a channel is one), or one other user."""

    GROUP = "group"
    C2C = "c2c"


class ReadScope(StrEnum):
    """What can be read at once beside a conversation group; so no conversation group is named like these."""

    ALL = "all"
    GROUP = ConversationType.GROUP.value
    C2C = ConversationType.C2C.value


RESERVED_NAMES: Final = frozenset({*BUILT_IN_GROUPS, *(scope.value for scope in ReadScope)})


class Model(BaseModel):
    """The base of this package's pydantic models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ConversationSettings(NamedTuple):
    """What a user set on one conversation; a conversation he never touched has none, which means these defaults.

    `read_seq`: the last message he read, as far as stored (joining counts as reading). `pinned_at` None: not pinned.
    `hidden_at_seq`: the head when he hid it; a later message shows it again. `groups`: his conversation groups by name.
    `draft` and `custom_data` are loaded for what is shown, not for counting.
    """

    read_seq: int = 0
    muted: bool = False
    pinned_at: datetime | None = None
    hidden_at_seq: int | None = None
    groups: tuple[str, ...] = ()
    draft: str = ""
    custom_data: str = ""

    def hides(self, head_seq: int) -> bool:
        """Whether lists and totals leave the conversation out, until its next message."""
        return self.hidden_at_seq is not None and head_seq <= self.hidden_at_seq


NO_OVERLAY: Final = ConversationSettings()


def unread_of(head_seq: int, read_seq: int, joined_seq: int) -> int:
    """How many messages are unread (promise P5): those behind the last one read, and joining reads what was there."""
    return max(0, head_seq - (read_seq if read_seq > joined_seq else joined_seq))


class Dialogue(NamedTuple):
    """One-to-one messages as one side sees them: the user, and the other user or the channel.

    Seen by a channel it is called a thread, and is told by the same two: the user and the channel.
    """

    user_id: UserId
    peer_id: str

    @property
    def channel_id(self) -> GroupId | None:
        """The channel, where the other side is one."""
        return GroupId(self.peer_id) if self.peer_id.startswith(CHANNEL_SIGN) else None

    @property
    def conversation_id(self) -> ConversationId:
        """What the user calls it."""
        return ConversationId(C2C_PREFIX + self.peer_id)

    @property
    def stream_id(self) -> StreamId:
        """The one stream of both sides."""
        if self.channel_id is not None:
            return inbox_stream_of(self.channel_id, self.user_id)
        return StreamId(C2C_PREFIX + PAIR_SEPARATOR.join(sorted((self.user_id, self.peer_id))))

    @property
    def sides(self) -> "tuple[Dialogue, ...]":
        """As each user in it sees it: once where the other side is a channel, or himself."""
        if self.channel_id is not None or self.peer_id == self.user_id:
            return (self,)
        return self, Dialogue(UserId(self.peer_id), self.user_id)


@dataclass(frozen=True, slots=True)
class DialogueMessage:
    """A message of a dialogue."""

    dialogue: Dialogue
    message: Message


class Thread(NamedTuple):
    """A channel's side of a dialogue; the read cursor is shared by all who read the channel's inbox.

    `active_ms`: when its last message was sent, in milliseconds since 1970.
    """

    channel_id: GroupId
    user_id: UserId
    read_seq: int
    active_ms: int

    @property
    def dialogue(self) -> Dialogue:
        """The same as the user sees it."""
        return Dialogue(self.user_id, self.channel_id)


class InboxUnread(NamedTuple):
    """What nobody of a channel has read in its inbox: so many messages, in so many threads."""

    messages: int
    threads: int


class Conversation(NamedTuple):
    """A user's relation to one group, or to one other side: the stream's head, and what he set.

    `group_id` is None where it is one-to-one; joining is not known there, and nothing was said before it began.
    `active_ms`: when the last message was sent, else when he joined, in milliseconds since 1970; 0 where it was not
    asked for.
    """

    conversation_id: ConversationId
    group_id: GroupId | None
    is_channel: bool
    head_seq: int
    joined_seq: int
    active_ms: int
    overlay: ConversationSettings

    @property
    def type(self) -> ConversationType:
        """With whom."""
        return ConversationType.C2C if self.group_id is None else ConversationType.GROUP

    @property
    def read_seq(self) -> int:
        """The last message that is read: joining reads what was there."""
        return max(self.overlay.read_seq, self.joined_seq)

    @property
    def unread_count(self) -> int:
        """How many messages are unread."""
        return unread_of(self.head_seq, self.overlay.read_seq, self.joined_seq)

    @property
    def is_hidden(self) -> bool:
        """Whether lists and totals leave it out, until its next message."""
        return self.overlay.hides(self.head_seq)


@dataclass(frozen=True, slots=True)
class UserSettings:
    """What a user set on all conversations that he ever touched, in two parts, since most hold a read cursor alone.

    `read_seqs` has every one of them, 0 where he read nothing yet, and is what counts; `overlays` has those with more
    than a read cursor.
    """

    read_seqs: dict[ConversationId, int] = field(default_factory=dict)
    overlays: dict[ConversationId, ConversationSettings] = field(default_factory=dict)
    dialogues: list[ConversationId] = field(default_factory=list)
    """Those of them that are one-to-one: what a user set on one is made with its first message, so these are all."""

    def overlay(self, conversation_id: ConversationId) -> ConversationSettings:
        """What is set on the conversation."""
        overlay = self.overlays.get(conversation_id)
        if overlay is not None:
            return overlay
        read_seq = self.read_seqs.get(conversation_id)
        return NO_OVERLAY if read_seq is None else ConversationSettings(read_seq)


UNTOUCHED: Final = UserSettings()
"""Of a user who never set anything."""


@dataclass(frozen=True, slots=True)
class Response:
    """Conversations of one user as they were read: those of his seats whose streams have a head, and his dialogues.

    `heads` may hold more than these. Totals read it as it is, without an object for each conversation.
    """

    seats: Mapping[ConversationId, MembershipRow]
    touched: UserSettings
    heads: Mapping[StreamId, Head]
    dialogues: Mapping[ConversationId, Head] = field(default_factory=dict)

    def conversations(self) -> Iterator[Conversation]:
        """The conversations, in no order."""
        for conversation_id, seat in self.seats.items():
            head = self.heads.get(conversation_id)
            if head is not None:
                overlay = self.touched.overlay(conversation_id)
                yield conversation_from(conversation_id, seat, head, overlay)
        for conversation_id, head in self.dialogues.items():
            overlay = self.touched.overlay(conversation_id)
            yield dialogue_conversation(conversation_id, head, overlay)

    def read_up_to(self, read_seqs: Mapping[ConversationId, int]) -> "Response":
        """The same conversations, with these read cursors instead."""
        touched = replace(self.touched, read_seqs={**self.touched.read_seqs, **read_seqs})
        return replace(self, touched=touched)


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation with what a list shows of its group; `last` None: nothing was said, or not to him.

    `verified`: it is a channel, or with one, that the application vouches for.
    """

    conversation: Conversation
    title: str
    face_url: str
    last: LastMessage | None
    verified: bool


class ReadMark(Model):
    """How far a conversation is read."""

    conversation_id: ConversationId
    read_seq: int
    unread_count: int


class Unread(NamedTuple):
    """Totals of unread messages; `total` is channels and chats together, `conversation_groups` the user's own."""

    total: int
    channels: int
    chats: int
    conversation_groups: Mapping[str, int]


class ConversationGroup(NamedTuple):
    """A named set of one user's conversations; which they are is kept with each conversation."""

    name: str
    created_at: datetime


class GroupTotal(NamedTuple):
    """A conversation group with its totals: unread without the muted and hidden, conversations with them."""

    name: str
    unread_count: int
    conversation_count: int
    is_built_in: bool


def conversation_of(group_id: GroupId) -> ConversationId:
    """The conversation with a group."""
    return ConversationId(stream_of(group_id))


def conversation_from(
    conversation_id: ConversationId, seat: MembershipRow, head: Head, overlay: ConversationSettings
) -> Conversation:
    """The conversation that a membership, its stream's head and what was set on it make."""
    return Conversation(
        conversation_id,
        seat.group_id,
        head.is_channel,
        head.head_seq,
        seat.joined_seq,
        head.active_ms or seat.joined_ms,
        overlay,
    )


def dialogue_conversation(
    conversation_id: ConversationId, head: Head, overlay: ConversationSettings
) -> Conversation:
    """The conversation that a dialogue's head and what was set on it make.

    With a channel too it is a chat: what counts as a channel's is what it posts.
    """
    return Conversation(conversation_id, None, False, head.head_seq, 0, head.active_ms, overlay)


def dialogue_of(user_id: UserId, conversation_id: ConversationId) -> Dialogue | None:
    """The user's dialogue of this id; None where it is none, or of a user who has no one-to-one messages."""
    if not conversation_id.startswith(C2C_PREFIX) or user_id.startswith(CHANNEL_SIGN):
        return None
    dialogue = Dialogue(user_id, conversation_id.removeprefix(C2C_PREFIX))
    if dialogue.channel_id is None and not is_id(dialogue.peer_id, USER_ID_BYTES):
        return None
    return dialogue


def group_of(conversation_id: ConversationId) -> GroupId | None:
    """The group of a conversation; None for an id of another kind."""
    if not conversation_id.startswith(GROUP_PREFIX):
        return None
    return GroupId(conversation_id.removeprefix(GROUP_PREFIX))


ConversationKey = tuple[UserId, ConversationId]
"""One user's conversation, among those of many users."""
