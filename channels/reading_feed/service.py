"""Reads pages of the feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conversations.service.conversation_list import ConversationListService, ListFilter
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database
from groups.kernel.paging import count_fitting, decode_cursor, encode_cursor, json_size
from groups.models import AccessContext, Message, Place, Tally, WantedMessages
from groups.service.access.bulk import BulkAccess
from groups.service.hooks import TallyReader
from groups.service.messages.many_streams import ActiveStream, ManyStreams

_CURSOR: Final = "feed"
_NO_TALLY: Final = Tally()


@dataclass(frozen=True, slots=True)
class FeedPost:
    """A post of the feed, the reader's access to its channel, and its reactions."""

    message: Message
    access: AccessContext
    tally: Tally


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some posts, newest first; there may be fewer than asked for, or none, and more to come."""

    posts: list[FeedPost]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingFeedService:
    """The feed of each user."""

    database: Database
    conversation_list: ConversationListService
    many_streams: ManyStreams
    bulk_access: BulkAccess
    tallies: TallyReader

    async def page(
        self, actor: Actor, *, conversation_group: str | None, limit: int, cursor: str | None
    ) -> FeedPage:
        """A page of the posts of the actor's channels, or of those in a conversation group, without deleted ones.

        Hidden channels are left out until they post again, as in the list of conversations; muted ones are not. Raises:
        BadCursor; ConversationGroupNotFound; SearchTooSlow.
        """
        after = place_in(_CURSOR, cursor)
        wanted = ListFilter(conversation_group=conversation_group)
        channels: dict[StreamId, GroupId] = {}
        streams: list[ActiveStream] = []
        for each in await self.conversation_list.find_all(actor, wanted):
            if each.is_channel and each.group_id is not None and each.head_seq:
                channels[each.conversation_id] = each.group_id
                streams.append(ActiveStream(each.conversation_id, each.active_ms))
        if not streams:
            return FeedPage([], None)
        found = await self.many_streams.find(streams, WantedMessages(), limit=limit, after=after)
        if not found.places:
            return FeedPage([], _cursor_of(found.end))
        posts = await self._read(actor, found.places, channels)
        fitting = count_fitting(json_size(post.message) for post in posts)
        if fitting < len(posts):
            last = posts[fitting - 1].message
            end = next(p for p in found.places if p[1:] == (last.seq, last.stream_id))
            return FeedPage(posts[:fitting], _cursor_of(end))
        return FeedPage(posts, _cursor_of(found.end))

    async def _read(
        self, actor: Actor, places: list[Place], channels: Mapping[StreamId, GroupId]
    ) -> list[FeedPost]:
        """The posts at these places that the actor may read, with one command."""
        seqs: dict[StreamId, list[int]] = {}
        for place in places:
            seqs.setdefault(place.stream_id, []).append(place.seq)
        users = {channels[stream_id]: (actor.user_id,) for stream_id in seqs}
        of_access = self.bulk_access.query(users)
        of_messages = self.many_streams.query_messages(places)
        of_tallies = self.tallies.query_pages(
            [(stream_id, of_stream, (actor.user_id,)) for stream_id, of_stream in seqs.items()]
        )
        await self.database.fetch_together(*of_access.queries, of_messages, *of_tallies.queries)
        accesses = {
            stream_id: of_access.accesses_of([actor], channels[stream_id]).get(actor)
            for stream_id in seqs
        }
        tallies = {
            stream_id: of_tallies.of_page(stream_id, of_stream, (actor.user_id,))[actor.user_id]
            for stream_id, of_stream in seqs.items()
        }
        posts: list[FeedPost] = []
        for place in places:
            message = of_messages.result.get(place.message_id)
            access = accesses[place.stream_id]
            if message is None or message.recalled_at is not None or access is None:
                continue
            # Left, or became private, since the list of conversations was read; or written before a group became one.
            if access.member is None or message.seq <= policy.history_floor(access):
                continue
            tally = tallies[place.stream_id].get(message.seq, _NO_TALLY)
            posts.append(FeedPost(message, access, tally))
        return posts


def place_in(name: str, cursor: str | None) -> Place | None:
    """The place in the cursor of the list `name`. Raises: BadCursor."""
    key = decode_cursor(name, cursor, int, int, str)
    return Place(int(key[0]), int(key[1]), StreamId(str(key[2]))) if key else None


def _cursor_of(place: Place | None) -> str | None:
    return encode_cursor(_CURSOR, *place) if place is not None else None
