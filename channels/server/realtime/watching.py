"""`watch`: a session receives the counts of reactions and votes of groups and channels, beginning with those it shows.

It watches the comments on a post in the same way, under the id of their stream; the client then reads them over HTTP.

Promises:
    A session watches what its user may read, and `WATCHED_STREAMS` at most. Each conversation of a frame has a result
    of its own: the counts, or why it is not watched.
    No gap: the counts are read after the session watches, so a change is in them, or in an event that follows, or in
    both. Both hold totals, and the newest comes last.
    Flat cost: a frame takes at most six commands for 1 or 100 conversations (the stores gather what is asked
    at once), and its answer is cut at `ANSWER_BYTES`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from channels.buttons.service.queue import counts_of, indexes_of
from channels.comments.models import PostPlace, place_of
from channels.errors import WatchLimitReached
from channels.server.realtime.client_frames import WATCHED_STREAMS, Unwatch, Watch
from channels.server.realtime.hub import Hub
from channels.server.realtime.session import SocketSession
from conversations.errors import ConversationNotFound
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, NotFound
from groups.kernel.ids import GroupId, StreamId
from groups.models import AccessContext, Content, Poll, Tally, stream_of
from groups.routes.responses.polls import PollResponse

ANSWER_BYTES: Final = 256 * 1024
"""Of counts in one answer, as estimated: a message may carry a thousand emoji."""
_TALLY_BYTES: Final = 80
_COUNT_BYTES: Final = 24
_GROUP_PREFIX: Final = stream_of(GroupId(""))

ReadAccess = Callable[[Actor, GroupId], Awaitable[AccessContext]]
"""What the actor may do in a group that they may read. Raises: DomainError. Concurrent callers share its queries."""
CommentAccess = Callable[[Actor, PostPlace], Awaitable[AccessContext]]
"""The same for the comments on a post."""
ReadCounts = Callable[
    [Actor, Sequence[tuple[AccessContext, Sequence[int] | None]], int],
    Awaitable[Mapping[StreamId, Mapping[int, Tally]]],
]
"""The counts of some messages of several groups; of the newest ones where None is given."""


FindVoted = Callable[
    [Collection[tuple[StreamId, int]]], Awaitable[Mapping[tuple[StreamId, int], Content]]
]
"""The contents of some messages that have votes, or presses of buttons."""


@dataclass(slots=True)
class Watching:
    """Answers the frames `watch` and `unwatch`."""

    hub: Hub
    read_access: ReadAccess
    comment_access: CommentAccess
    read_counts: ReadCounts
    find_voted: FindVoted
    clock: Clock

    async def watch(self, session: SocketSession, frame: Watch) -> dict[str, Any | DomainError]:
        """Watch each conversation of the frame. Returns its counts as they are sent, or the error, in order."""
        actor = session.claims.actor
        results: dict[str, Any | DomainError] = {
            name: ConversationNotFound()
            for name in frame.named
            if not name.startswith(_GROUP_PREFIX) and place_of(name) is None
        }
        names = [StreamId(name) for name in frame.named if name not in results]
        room = WATCHED_STREAMS - len(session.watched)
        more = [name for name in names if name not in session.watched]
        results |= {name: WatchLimitReached(limit=WATCHED_STREAMS) for name in more[room:]}
        said = await self.hub.watch_if(
            session,
            [name for name in names if name not in results],
            lambda asked: self._accesses(actor, asked),
        )
        wanted = frame.wanted
        allowed: list[tuple[AccessContext, Sequence[int] | None]] = []
        for name, access in said.items():
            if isinstance(access, DomainError):
                results[name] = access
            elif name.startswith(_GROUP_PREFIX):
                allowed.append((access, wanted[name]))
        counts = await self.read_counts(actor, allowed, frame.newest) if allowed else {}
        voted = await self._find_voted(counts)
        now, left = self.clock.now(), ANSWER_BYTES
        accesses = {access.group.stream_id: access for access, _ in allowed}
        for name in names:
            if name in results:
                continue
            if name not in session.watched:  # the right ended while the counts were read
                results[name] = GroupNotFound()
                continue
            if not name.startswith(_GROUP_PREFIX):
                # The client reads the comments now, with the reactions to them.
                results[name] = {"reactions": [], "complete": False}
                continue
            tallies = counts.get(name, {})
            shown: list[dict[str, Any]] = []
            shown_polls: list[dict[str, Any]] = []
            shown_buttons: list[dict[str, Any]] = []
            for seq in sorted(tallies, reverse=True):
                tally = tallies[seq]
                content = voted.get((name, seq))
                poll = content.poll if content is not None else None
                buttons = content.all_buttons if content is not None else ()
                left -= _TALLY_BYTES + _COUNT_BYTES * len(tally.counts)
                if poll is not None:
                    left -= _TALLY_BYTES + _COUNT_BYTES * len(poll.options)
                left -= _COUNT_BYTES * len(buttons)
                if left < 0:
                    break
                shown.append(
                    {"seq": seq, "counts": tally.counts, "total": tally.total, "mine": tally.mine}
                )
                if poll is not None:
                    shown_polls.append(_poll(seq, poll, tally, accesses[name], now))
                elif buttons:
                    presses, pressed = (
                        counts_of(buttons, tally),
                        indexes_of(buttons, tally.my_votes),
                    )
                    shown_buttons.append({"seq": seq, "presses": presses, "pressed": pressed})
            of_polls: dict[str, Any] = {"polls": shown_polls} if shown_polls else {}
            of_buttons: dict[str, Any] = {"buttons": shown_buttons} if shown_buttons else {}
            results[name] = {
                "reactions": shown,
                **of_polls,
                **of_buttons,
                "complete": len(shown) == len(tallies),
            }
        return {name: results[name] for name in frame.named}

    async def _find_voted(
        self, counts: Mapping[StreamId, Mapping[int, Tally]]
    ) -> Mapping[tuple[StreamId, int], Content]:
        places = [
            (stream_id, seq)
            for stream_id, tallies in counts.items()
            for seq, tally in tallies.items()
            if tally.has_had_votes
        ]
        return await self.find_voted(places) if places else {}

    async def _accesses(
        self, actor: Actor, stream_ids: Collection[StreamId]
    ) -> Mapping[StreamId, AccessContext | DomainError]:
        found = await asyncio.gather(*(self._access(actor, name) for name in stream_ids))
        return dict(zip(stream_ids, found, strict=True))

    async def _access(self, actor: Actor, stream_id: StreamId) -> AccessContext | DomainError:
        try:
            if (place := place_of(stream_id)) is not None:
                return await self.comment_access(actor, place)
            return await self.read_access(actor, GroupId(stream_id.removeprefix(_GROUP_PREFIX)))
        except DomainError as error:
            return error

    def unwatch(self, session: SocketSession, frame: Unwatch) -> None:
        """End the watches of the frame. Idempotent."""
        for name in frame.named:
            self.hub.unwatch(session, StreamId(name))


def _poll(
    seq: int, poll: Poll, tally: Tally, access: AccessContext, now: datetime
) -> dict[str, Any]:
    shown = PollResponse.seen_by(access, poll, tally, now)
    votes = [option.votes for option in shown.options] if shown.voters is not None else None
    return {"seq": seq, "options": votes, "voters": shown.voters, "mine": shown.mine}


def is_any_missing(results: Mapping[str, Any | DomainError]) -> bool:
    """Whether a result says that something was not found."""
    return any(isinstance(result, NotFound) for result in results.values())
