"""Searches messages for their readers."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.search.errors import SearchTooShort
from channels.search.models import FoundMessage, SearchedConversation, SearchFilter, SearchPage
from conversations.errors import ConversationNotFound
from conversations.models import ConversationId, Dialogue, dialogue_of, group_of
from conversations.service.dialogues import DialogueService
from conversations.service.guard import ConversationGuard, dialogues_among
from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import instant_of, milliseconds_since_1970
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database
from groups.kernel.paging import count_fitting, decode_cursor, encode_cursor, json_size
from groups.kernel.text.search.query import Highlight, SearchQuery
from groups.models import (
    AccessContext,
    Group,
    Message,
    Place,
    Tally,
    User,
    WantedMessages,
    stream_of,
)
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.access.membership_reader import MembershipReader
from groups.service.hooks import TallyReader
from groups.service.messages.many_streams import ActiveStream, ManyStreams
from groups.service.messages.search_indexing import SearchIndexing
from groups.service.users import UserService

MOST_STREAMS: Final = 2_000
"""Conversations of one search, those that were active last. Looking into each of them takes 10 µs: 20 ms."""
ROUNDS: Final = 8
"""How often a call goes on where its terms found messages that the query does not match after all."""
READ_AT_ONCE: Final = 100
"""Messages of a round at least, also for a short page: some of them may not match."""
MOST_CHARACTERS: Final = 100_000
"""Of the texts that one call compares with the query; the others are left to the next page."""
COMPARED_AT_ONCE: Final = 10_000
"""Characters between two pauses for other requests: about 2 ms."""
MOST_TERMS: Final = 20
"""Of a query, the rarest, that the database compares; then its words are compared anyway."""
_CURSOR: Final = "search"
_NO_TALLY: Final = Tally()

TakeTurn = Callable[[Actor], object]
"""Counts one search of the actor. Raises: RateLimited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """The streams that a search looks through, and whose conversations they are."""

    streams: Sequence[ActiveStream]
    groups: Mapping[StreamId, GroupId]
    dialogues: Mapping[StreamId, Dialogue]
    floors: Mapping[StreamId, int]
    for_members: bool
    """Whether the groups are those of which the actor is a member; otherwise whoever may read there may search."""
    is_cut: bool = False


@dataclass(slots=True)
class _Candidate:
    conversation: SearchedConversation
    message: Message
    highlights: list[Highlight]
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchService:
    """Searches in the messages that their reader may read."""

    database: Database
    conversations: ConversationGuard
    dialogues: DialogueService
    memberships: MembershipReader
    guard: AccessGuard
    bulk_access: BulkAccess
    many_streams: ManyStreams
    users: UserService
    tallies: TallyReader
    indexing: SearchIndexing
    take_turn: TakeTurn = field(default=lambda _: None)

    async def search(
        self, actor: Actor, wanted: SearchFilter, *, limit: int, cursor: str | None
    ) -> SearchPage:
        """A page of the messages that match, newest first.

        There may be fewer than `limit`, or none, and more behind the cursor. Raises: SearchTooShort; BadCursor;
        ConversationNotFound; Banned; PermissionRefused; RateLimited; SearchTooSlow.
        """
        query = SearchQuery.parse(wanted.text)
        if not query.terms:
            raise SearchTooShort
        after = place_in(cursor)
        self.take_turn(actor)
        scope = await self._scope(actor, wanted)
        found, end = await self._find(
            actor, scope, query, _wanted_messages(query, wanted), limit, after
        )
        fitting = count_fitting(json_size(each.message) for each in found)
        if fitting < len(found):
            found, end = found[:fitting], found[fitting - 1].place
        return SearchPage(
            items=await self._with_surroundings(actor, found),
            next_cursor=encode_cursor(_CURSOR, *end) if end is not None else None,
            searched_until=instant_of(end.at_ms) if end is not None else None,
            is_complete=not scope.is_cut and self.indexing.progress == 1.0,
            indexed=round(self.indexing.progress, 2),
        )

    async def _scope(self, actor: Actor, wanted: SearchFilter) -> _Scope:
        if wanted.conversation_id is None:
            return await self._all(actor, with_channels=wanted.sender_id is None)
        group_id = group_of(wanted.conversation_id)
        if group_id is None:
            return await self._dialogue(actor, wanted.conversation_id)
        try:
            access = await self.guard.read_access_of(actor, group_id)
        except GroupNotFound:
            raise ConversationNotFound from None
        if wanted.sender_id is not None and not policy.may_see_sender(
            access.group, access.effective_role
        ):
            raise PermissionRefused("Only the owner and admins may search by author here")
        stream_id = stream_of(group_id)
        return _Scope(
            streams=[ActiveStream(stream_id, 0)],
            groups={stream_id: group_id},
            dialogues={},
            floors={stream_id: policy.history_floor(access)},
            for_members=False,
        )

    async def _dialogue(self, actor: Actor, conversation_id: ConversationId) -> _Scope:
        dialogue = dialogue_of(actor.user_id, conversation_id)
        if dialogue is None:
            raise ConversationNotFound
        await self.dialogues.check_there(actor, dialogue)
        stream_id = dialogue.stream_id
        return _Scope(
            streams=[ActiveStream(stream_id, 0)],
            groups={},
            dialogues={stream_id: dialogue},
            floors={},
            for_members=False,
        )

    async def _all(self, actor: Actor, *, with_channels: bool) -> _Scope:
        """All conversations of the actor, hidden ones too. Nobody learns from a search who wrote a channel's posts."""
        snapshot = await self.conversations.snapshot(actor, with_times=True)
        streams = [
            ActiveStream(stream_id, head.active_ms)
            for stream_id in snapshot.memberships
            if (head := snapshot.heads.get(stream_id)) is not None
            and head.head_seq
            and (with_channels or not head.is_channel)
        ]
        dialogues = {
            dialogue.stream_id: dialogue
            for dialogue in dialogues_among(actor.user_id, list(snapshot.dialogues))
        }
        streams += [
            ActiveStream(stream_id, snapshot.dialogues[dialogue.conversation_id].active_ms)
            for stream_id, dialogue in dialogues.items()
        ]
        is_cut = len(streams) > MOST_STREAMS
        if is_cut:
            streams.sort(key=lambda stream: stream.active_ms, reverse=True)
            del streams[MOST_STREAMS:]
        memberships = {
            stream.stream_id: membership
            for stream in streams
            if (membership := snapshot.memberships.get(stream.stream_id)) is not None
        }
        return _Scope(
            streams=streams,
            groups={key: membership.group_id for key, membership in memberships.items()},
            dialogues=dialogues,
            floors=await self.memberships.history_floors(actor, memberships),
            for_members=True,
            is_cut=is_cut,
        )

    async def _find(
        self,
        actor: Actor,
        scope: _Scope,
        query: SearchQuery,
        wanted: WantedMessages,
        limit: int,
        after: Place | None,
    ) -> tuple[list[_Candidate], Place | None]:
        """The next matches, `limit` at most, and the place where to go on; None: there are no more."""
        found: list[_Candidate] = []
        characters = 0
        for _ in range(ROUNDS):
            places = await self.many_streams.find(
                scope.streams,
                wanted,
                limit=max(READ_AT_ONCE, limit + 1),
                after=after,
                floors=scope.floors,
            )
            candidates = await self._read(actor, scope, places.places)
            for candidate in candidates:
                if characters > MOST_CHARACTERS:
                    return found, after
                content = candidate.message.content
                texts = content.searched_texts if content is not None else ("",)
                before, characters = characters, characters + sum(map(len, texts))
                if before // COMPARED_AT_ONCE != characters // COMPARED_AT_ONCE:
                    await asyncio.sleep(0)
                highlights = query.match(*texts)
                if highlights is not None:
                    if len(found) == limit:
                        return found, found[-1].place
                    candidate.highlights = highlights
                    found.append(candidate)
                after = candidate.place
            after = places.end
            if after is None or len(found) == limit:
                break
        return found, after

    async def _read(
        self, actor: Actor, scope: _Scope, places: Collection[Place]
    ) -> list[_Candidate]:
        """The messages at these places that the actor may read, with one command."""
        if not places:
            return []
        streams = {place.stream_id for place in places}
        groups = {scope.groups[key]: (actor.user_id,) for key in streams & scope.groups.keys()}
        dialogues = {key: scope.dialogues[key] for key in streams & scope.dialogues.keys()}
        channels = {d.channel_id for d in dialogues.values() if d.channel_id is not None}
        peers = {UserId(d.peer_id) for d in dialogues.values() if d.channel_id is None}
        of_access = self.bulk_access.query(groups)
        of_channels = self.memberships.query_groups(channels)
        of_users = self.users.query_users(peers)
        of_messages = self.many_streams.query_messages(places)
        # Access before the messages: nobody loses it and sees what was written afterwards.
        await self.database.fetch_together(*of_access.queries, of_channels, of_users, of_messages)
        conversations: dict[StreamId, SearchedConversation] = {}
        for stream_id in streams:
            if (group_id := scope.groups.get(stream_id)) is not None:
                access = of_access.accesses_of([actor], group_id).get(actor)
                if access is not None and _may_read(access, for_members=scope.for_members):
                    conversations[stream_id] = _of_group(access)
            else:
                dialogue = dialogues[stream_id]
                other = _other_side(dialogue, of_channels.result, of_users.result)
                if other is not None:
                    conversations[stream_id] = other
        candidates: list[_Candidate] = []
        for place in places:
            message = of_messages.result.get(place.message_id)
            conversation = conversations.get(place.stream_id)
            if message is None or message.content is None or conversation is None:
                continue
            access = conversation.access
            if access is None or message.seq > policy.history_floor(access):
                candidates.append(_Candidate(conversation, message, [], place))
        return candidates

    async def _with_surroundings(
        self, actor: Actor, found: Sequence[_Candidate]
    ) -> list[FoundMessage]:
        """The messages with their reactions, and the profiles of their senders in chat groups, with one command."""
        if not found:
            return []
        user_id, seqs = actor.user_id, dict[StreamId, list[int]]()
        senders: set[UserId] = set()
        for each in found:
            message, access = each.message, each.conversation.access
            seqs.setdefault(message.stream_id, []).append(message.seq)
            if access is not None and not access.group.is_channel:
                senders.add(message.sender_id)
        of_tallies = self.tallies.query_pages(
            [(stream_id, of_stream, (user_id,)) for stream_id, of_stream in seqs.items()]
        )
        of_users = self.users.query_users(senders)
        await self.database.fetch_together(*of_tallies.queries, of_users)
        tallies = {
            stream_id: of_tallies.of_page(stream_id, of_stream, (user_id,))[user_id]
            for stream_id, of_stream in seqs.items()
        }
        return [
            FoundMessage(
                conversation=each.conversation,
                message=each.message,
                highlights=each.highlights,
                tally=tallies[each.message.stream_id].get(each.message.seq, _NO_TALLY),
                sender=of_users.result.get(each.message.sender_id),
            )
            for each in found
        ]


def place_in(cursor: str | None) -> Place | None:
    """The place in a cursor. Raises: BadCursor."""
    key = decode_cursor(_CURSOR, cursor, int, int, str)
    return Place(int(key[0]), int(key[1]), StreamId(str(key[2]))) if key else None


def _wanted_messages(query: SearchQuery, wanted: SearchFilter) -> WantedMessages:
    first, *others = sorted(query.terms, key=lambda term: (-query.terms[term], term))
    return WantedMessages(
        term=first,
        other_terms=tuple(others[: MOST_TERMS - 1]),
        kind=wanted.kind,
        sender_id=wanted.sender_id,
        since_ms=milliseconds_since_1970(wanted.since) if wanted.since else None,
        until_ms=milliseconds_since_1970(wanted.until) if wanted.until else None,
    )


def _may_read(access: AccessContext, *, for_members: bool) -> bool:
    if for_members and access.member is None:
        return False
    return policy.reading_refusal(access.group, access.effective_role) is None


def _of_group(access: AccessContext) -> SearchedConversation:
    group = access.group
    return SearchedConversation(
        conversation_id=group.stream_id,
        title=group.name,
        face_url=group.face_url,
        verified=group.verified,
        access=access,
    )


def _other_side(
    dialogue: Dialogue, channels: Mapping[GroupId, Group], users: Mapping[UserId, User]
) -> SearchedConversation | None:
    """The dialogue as its user sees it; None where its channel is deleted."""
    channel_id = dialogue.channel_id
    if channel_id is None:
        user = users.get(UserId(dialogue.peer_id))
        title = (user.name if user else "") or dialogue.peer_id
        face_url, verified = user.face_url if user else "", False
    else:
        channel = channels.get(channel_id)
        if channel is None:
            return None
        title, face_url, verified = channel.name, channel.face_url, channel.verified
    return SearchedConversation(
        conversation_id=dialogue.conversation_id,
        title=title,
        face_url=face_url,
        verified=verified,
        dialogue=dialogue,
    )
