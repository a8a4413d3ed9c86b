"""Comments as a reader sees them.

Flat cost: a page takes the same few commands for any number of comments, readers and subscribers; readers who ask at
once share them. What users whom the
reader blocks wrote is on it, marked, since a page is cut by numbers.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from channels.comments import policy
from channels.comments.errors import CommentNotFound
from channels.comments.models import (
    PostPlace,
    Quote,
    VisibleComment,
    is_from_channel,
)
from groups import policy as groups_policy
from groups.kernel.actor import Actor
from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from groups.models import AccessContext, Message, Tally, User
from groups.service.access.guard import AccessGuard
from groups.service.hooks import BlockReader, TallyReader
from groups.service.messages.pages import StreamPage, WantedPage
from groups.service.messages.stream import StreamService
from groups.service.users import UserService

_NO_TALLY: Final = Tally()


class _Asked(NamedTuple):
    """A reader, and a user whom they see."""

    reader_id: UserId
    user_id: UserId


class _Person(NamedTuple):
    """A user as a reader sees them."""

    profile: User | None
    is_blocked: bool


_STRANGER: Final = _Person(None, is_blocked=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentPage:
    """A page of comments, and its place in the stream."""

    page: StreamPage
    comments: Sequence[VisibleComment]


@dataclass(kw_only=True, slots=True)
class CommentReader:
    """Reads comments for users who may read their posts."""

    database: Database
    streams: StreamService
    guard: AccessGuard
    users: UserService
    blocks: BlockReader
    tallies: TallyReader
    _people: RequestBatcher[_Asked, _Person] = field(init=False)

    def __post_init__(self) -> None:
        self._people = RequestBatcher(self._find_people)

    async def access(self, actor: Actor, place: PostPlace) -> AccessContext:
        """The access of an actor who may read the comments. Raises: GroupNotFound, MessageNotFound, CommentsOff."""
        access = await self.guard.read_access_of(actor, place.channel_id)
        found = await self.streams.find(access.group.stream_id, place.seq)
        groups_policy.check(policy.reading_refusal(access, found))
        return access

    async def page(self, actor: Actor, place: PostPlace, wanted: WantedPage) -> CommentPage:
        """The wanted page of the comments on a post. Raises: BadCursor, and as `access`."""
        access = await self.access(actor, place)
        page = await self.streams.page(place.stream_id, wanted)
        comments = await self.shown(actor, place, page.messages, access)
        return CommentPage(page=page, comments=comments)

    async def get(self, actor: Actor, place: PostPlace, seq: int) -> VisibleComment:
        """One comment. Raises: CommentNotFound, and as `access`."""
        access = await self.access(actor, place)
        message = await self.streams.find(place.stream_id, seq)
        if message is None:
            raise CommentNotFound
        [comment] = await self.shown(actor, place, [message], access)
        return comment

    async def shown(
        self,
        actor: Actor,
        place: PostPlace,
        messages: Sequence[Message],
        access: AccessContext,
        *,
        are_new: bool = False,
    ) -> list[VisibleComment]:
        """These comments, with the profiles of those who wrote them, what they quote, and their reactions.

        `are_new`: there are no reactions to them yet.
        """
        if not messages:
            return []
        stream_id = place.stream_id
        here = {message.seq: message for message in messages}
        wanted = {m.quoted_seq for m in messages if m.quoted_seq is not None} - here.keys()
        quoted = await asyncio.gather(*(self.streams.find(stream_id, seq) for seq in wanted))
        here |= {message.seq: message for message in quoted if message is not None}
        people = await self._people_in(actor.user_id, place, here.values())
        seqs = [] if are_new else [message.seq for message in messages]
        tallies = await self.tallies.tallies_of(actor.user_id, stream_id, seqs)

        def quote_of(message: Message) -> Quote:
            return Quote(message, people.get(message.sender_id, _STRANGER).profile)

        def comment_of(message: Message) -> VisibleComment:
            sender = people.get(message.sender_id, _STRANGER)
            seq = message.quoted_seq
            return VisibleComment(
                place=place,
                message=message,
                access=access,
                tally=tallies.get(message.seq, _NO_TALLY),
                sender=sender.profile,
                quote=quote_of(here[seq]) if seq is not None and seq in here else None,
                is_sender_blocked=sender.is_blocked,
            )

        return [comment_of(message) for message in messages]

    async def _people_in(
        self, reader_id: UserId, place: PostPlace, comments: Iterable[Message]
    ) -> Mapping[UserId, _Person]:
        """The users who sent these comments, as the reader sees them."""
        senders = {m.sender_id for m in comments if not is_from_channel(m, place.channel_id)}
        asked = [_Asked(reader_id, sender) for sender in senders]
        found = await asyncio.gather(*(self._people.find(one) for one in asked))
        return {
            one.user_id: person
            for one, person in zip(asked, found, strict=True)
            if person is not None
        }

    async def _find_people(self, asked: Collection[_Asked]) -> dict[_Asked, _Person]:
        of_users = self.users.query_users({one.user_id for one in asked})
        of_blocks = self.blocks.query_blocks({(one.reader_id, one.user_id) for one in asked})
        await self.database.fetch_together(of_users, of_blocks)
        return {
            one: _Person(
                of_users.result.get(one.user_id), (one.reader_id, one.user_id) in of_blocks.result
            )
            for one in asked
        }
