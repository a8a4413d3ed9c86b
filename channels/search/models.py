"""The models of searches."""

from dataclasses import dataclass
from datetime import datetime

from conversations.models import ConversationId, Dialogue
from groups.kernel.ids import UserId
from groups.kernel.text.search.query import Highlight
from groups.models import AccessContext, Kind, Message, Tally, User


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilter:
    """What to search for, and where. Without a `conversation_id`, in all conversations of the user."""

    text: str
    conversation_id: ConversationId | None = None
    kind: Kind | None = None
    sender_id: UserId | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedConversation:
    """A conversation in which something is found. One of `access` and `dialogue` is set."""

    conversation_id: ConversationId
    title: str
    face_url: str
    verified: bool
    access: AccessContext | None = None
    dialogue: Dialogue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMessage:
    """A message that matches, and where in its text. `sender`: the profile, where chat groups show one."""

    conversation: SearchedConversation
    message: Message
    highlights: list[Highlight]
    tally: Tally
    sender: User | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Some messages, newest first.

    `searched_until`: down to when this page and those before it searched; None: to the end. `is_complete` False: some
    conversations were left out, or older messages are not indexed yet; `indexed` is their share from 0 to 1.
    """

    items: list[FoundMessage]
    next_cursor: str | None
    searched_until: datetime | None
    is_complete: bool
    indexed: float
