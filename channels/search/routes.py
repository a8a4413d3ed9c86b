"""The endpoint of searches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from channels.routes.dialogue_responses import DialogueMessageResponse, dialogue_message_response
from channels.routes.responses import PostResponse, post_response
from channels.search.errors import SearchTooShort
from channels.search.models import FoundMessage, SearchFilter
from channels.search.service import SearchService
from conversations.errors import ConversationNotFound
from conversations.models import ConversationId, DialogueMessage
from groups import policy
from groups.errors import Banned, SearchTooSlow
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import Response, get
from groups.kernel.errors import BadCursor, PermissionRefused, RateLimited
from groups.kernel.ids import AnyIdText, GroupId, UserId
from groups.kernel.paging import Page, PageQuery
from groups.models import Kind
from groups.routes.responses.fields import Instant, InstantText
from groups.routes.responses.messages import MessageResponse, message_response, poll_seen_by


class MessageSearchQuery(PageQuery):
    """What to search for, and where."""

    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description='Words, "phrases" and emoji, all of which must be there; the last word may be unfinished.',
            examples=["hello"],
        ),
    ]
    conversation_id: Annotated[
        AnyIdText | None,
        Field(description="Only in this one; without it, in all your conversations."),
    ] = None
    kind: Annotated[Kind | None, Field(description="Only messages of this kind.")] = None
    sender_id: Annotated[
        AnyIdText | None,
        Field(
            description="Only messages from this user, or from a channel that wrote to you. The authors of posts are"
            " known to the owner and admins only, and in their channel only."
        ),
    ] = None
    since: Annotated[
        InstantText | None, Field(alias="from", description="Not older than this instant.")
    ] = None
    until: Annotated[
        InstantText | None, Field(alias="to", description="Not newer than this instant.")
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise PydanticCustomError("from_to", "from must not be later than to")
        return self


class HighlightResponse(Response):
    """A part of `message.text` that matches, in UTF-16 code units: `text.slice(start, end)` in JavaScript."""

    start: int
    end: int


class FoundMessageResponse(Response):
    """A message that was found, with its conversation.

    One of `channel_id` (a post), `group_id` (a message of a chat group) and `peer_id` (a one-to-one message) is set.
    `highlights` is empty where a title, the name of a file or a place matches, and not the text.
    """

    conversation_id: ConversationId
    channel_id: GroupId | None
    group_id: GroupId | None
    peer_id: str | None
    title: str
    face_url: str
    verified: bool
    is_channel: bool
    message: Annotated[
        PostResponse | MessageResponse | DialogueMessageResponse,
        Field(description="As in the list of its conversation."),
    ]
    highlights: list[HighlightResponse]


class MessageSearchPage(Page[FoundMessageResponse]):
    """Messages that match, newest first. A page may have few of them, or none, and more behind `next_cursor`."""

    searched_until: Annotated[
        Instant | None,
        Field(description="Older messages are behind `next_cursor`; null: there are no more."),
    ]
    is_complete: Annotated[
        bool,
        Field(
            description="false: only the 2,000 conversations that were active last are searched, or older messages are"
            " still being indexed."
        ),
    ]
    indexed: Annotated[
        float,
        Field(description="The share of older messages that are indexed after an upgrade; 1: all."),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchRoutes:
    """Searches."""

    tag = "Conversations"

    searching: SearchService
    clock: Clock

    @get(
        "/v1/search/messages",
        errors=[
            SearchTooShort,
            ConversationNotFound,
            PermissionRefused,
            Banned,
            BadCursor,
            RateLimited,
            SearchTooSlow,
        ],
    )
    async def search_messages(self, actor: Actor, query: MessageSearchQuery) -> MessageSearchPage:
        """Search in the messages of your channels, groups and one-to-one conversations, newest first.

        Upper and lower case, accents and skin tones are alike. It searches texts, captions, titles of posts and links,
        and names of files and places. With `conversation_id` it searches in one conversation, also in a public channel
        to which you do not subscribe.
        """
        wanted = SearchFilter(
            text=query.q,
            conversation_id=ConversationId(query.conversation_id)
            if query.conversation_id is not None
            else None,
            kind=query.kind,
            sender_id=UserId(query.sender_id) if query.sender_id is not None else None,
            since=query.since,
            until=query.until,
        )
        page = await self.searching.search(actor, wanted, limit=query.limit, cursor=query.cursor)
        now = self.clock.now()
        return MessageSearchPage.model_construct(
            items=[_item(found, now) for found in page.items],
            next_cursor=page.next_cursor,
            searched_until=page.searched_until,
            is_complete=page.is_complete,
            indexed=page.indexed,
        )


def _item(found: FoundMessage, now: datetime) -> FoundMessageResponse:
    conversation = found.conversation
    access, dialogue = conversation.access, conversation.dialogue
    group = access.group if access is not None else None
    is_channel = group is not None and group.is_channel
    return FoundMessageResponse.model_construct(
        conversation_id=conversation.conversation_id,
        channel_id=group.group_id if group is not None and is_channel else None,
        group_id=group.group_id if group is not None and not is_channel else None,
        peer_id=dialogue.peer_id if dialogue is not None else None,
        title=conversation.title,
        face_url=conversation.face_url,
        verified=conversation.verified,
        is_channel=is_channel,
        message=_message(found, now),
        highlights=[
            HighlightResponse.model_construct(start=start, end=end)
            for start, end in found.highlights
        ],
    )


def _message(
    found: FoundMessage, now: datetime
) -> PostResponse | MessageResponse | DialogueMessageResponse:
    message, tally = found.message, found.tally
    access, dialogue = found.conversation.access, found.conversation.dialogue
    if dialogue is not None:
        return dialogue_message_response(DialogueMessage(dialogue, message), tally)
    assert access is not None, "it is one of the two"
    group = access.group
    if group.is_channel:
        return post_response(message, access, tally, now)
    with_sender = policy.may_see_sender(group, access.effective_role)
    return message_response(
        message,
        group.group_id,
        tally,
        found.sender,
        with_sender=with_sender,
        poll=poll_seen_by(access, message, tally, now),
    )
