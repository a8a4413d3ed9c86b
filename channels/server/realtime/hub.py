"""The hub: which sessions of this process hear which stream, and handing events to them.

Promises:
    A frame is encoded once, however many sessions get it, and frames for the same sessions are written as one piece.
    No socket is ever awaited here: a session that cannot keep up leaves out detail or closes by itself, and the others
    do not notice.
    A crowd does not hold up the server: after `WRITES_A_TURN` writes the event loop turns, and requests are served.
    A session hears every stream its user is in, from the moment it is `ready`; joining and leaving move it along, in
    the order in which they were committed, so nobody hears what was posted after he left.
    Reactions go to sessions that watch the stream, at most two frames a second a message, the newest counts last.
Delivery is at most once: a socket that was away compares seqs and reads what it missed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, TypeVar

from channels.server.metrics import Metrics
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.delivery import Delivery, Detail, Session
from channels.server.wire.frame import Frame
from channels.server.wire.told import frames_of
from groups.events import (
    GroupDisbanded,
    GroupUpdated,
    MembersJoined,
    MembersLeft,
    MessagePosted,
    StrangerBanned,
    TokensRevoked,
)
from groups.kernel.clock import Clock, SystemClock
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import stream_of
from reactions.events import ReactionsChanged

log = logging.getLogger(__name__)

K = TypeVar("K", UserId, StreamId)

MERGE_SECONDS: Final = 0.5  # between two frames about the reactions to one message


class Hub:
    """The live sessions of this process."""

    def __init__(self, metrics: Metrics, sockets_per_user: int, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._sockets_per_user = sockets_per_user
        self._metrics = metrics
        self._delivery = Delivery(metrics.frames.inc)
        self._of_user: defaultdict[UserId, set[Session]] = defaultdict(set)
        self._of_stream: defaultdict[StreamId, set[Session]] = defaultdict(set)
        self._watchers: defaultdict[StreamId, set[Session]] = defaultdict(set)
        self._asking: set[tuple[StreamId, Session]] = set()
        self._left_while_loading: dict[Session, set[StreamId]] = {}
        self._merging: dict[tuple[StreamId, int], Frame | None] = {}

    # --- sessions -------------------------------------------------------------------------------------------------

    def attach(self, session: Session) -> None:
        """Know the session; the streams of its user are being read meanwhile (`settle`).

        Beyond `sockets_per_user` his oldest one is closed: likelier than the newest it is one that nobody reads.
        """
        of_user = self._of_user[session.user_id]
        of_user.add(session)
        if len(of_user) > self._sockets_per_user:
            oldest = min(of_user, key=lambda one: one.opened_at)
            self._turn_away(oldest)
        self._left_while_loading[session] = set()
        self._metrics.sockets.inc()

    def _turn_away(self, session: Session) -> None:
        # It no longer counts, though its closing takes a while; `detach` finds it gone already.
        _discard(self._of_user, session.user_id, session)
        session.close_soon(CloseCode.REPLACED)

    def settle(self, session: Session, group_ids: Iterable[GroupId]) -> None:
        """Let the session hear the streams that were read, but for those left since the reading began."""
        left = self._left_while_loading.pop(session, set())
        for group_id in group_ids:
            stream_id = stream_of(group_id)
            if stream_id not in left:
                self._hear(session, stream_id)

    def detach(self, session: Session) -> None:
        """Forget the session."""
        self._left_while_loading.pop(session, None)
        _discard(self._of_user, session.user_id, session)
        for stream_id in session.streams:
            _discard(self._of_stream, stream_id, session)
        for stream_id in session.watched:
            _discard(self._watchers, stream_id, session)
        session.streams.clear()
        session.watched.clear()
        self._metrics.sockets.dec()

    async def watch_if(
        self, session: Session, stream_id: StreamId, may_watch: Callable[[], Awaitable[object]]
    ) -> None:
        """`watch`, once `may_watch` has read that the session may; what takes that right meanwhile is not missed.

        Raises: what `may_watch` raises.
        """
        asked, is_outdated = (stream_id, session), True
        while is_outdated:
            self._asking.add(asked)
            try:
                await may_watch()
            finally:
                # Taken out by `unwatch`, the right was taken behind what was read: it is read again.
                is_outdated = asked not in self._asking
                self._asking.discard(asked)
        self.watch(session, stream_id)

    def watch(self, session: Session, stream_id: StreamId) -> None:
        """Let the session hear the reactions in a stream."""
        session.watched.add(stream_id)
        self._watchers[stream_id].add(session)

    def unwatch(self, session: Session, stream_id: StreamId) -> None:
        """End `watch`, also one that is being asked for; when there was none this changes nothing."""
        self._asking.discard((stream_id, session))
        session.watched.discard(stream_id)
        _discard(self._watchers, stream_id, session)

    def has_any(self, user_ids: Iterable[UserId]) -> bool:
        """Whether a session of any of them is here."""
        return any(user_id in self._of_user for user_id in user_ids)

    def tell(self, frame: Frame) -> None:
        """Send a frame that tells no event by itself to whom it names."""
        self._send(frame)

    def close_all(self, code: CloseCode) -> None:
        """Have every session closed."""
        for sessions in list(self._of_user.values()):
            for session in list(sessions):
                session.close_soon(code)

    def resync(self) -> None:
        """Events were lost to this process: every client must come back and compare."""
        self.close_all(CloseCode.RESYNC)

    def _hear(self, session: Session, stream_id: StreamId) -> None:
        session.streams.add(stream_id)
        self._of_stream[stream_id].add(session)

    def _unhear(self, session: Session, stream_id: StreamId) -> None:
        session.streams.discard(stream_id)
        _discard(self._of_stream, stream_id, session)
        self.unwatch(session, stream_id)

    # --- events ---------------------------------------------------------------------------------------------------

    def on_events(self, events: Sequence[Event]) -> None:
        """Hand the events of one transaction to the sessions that should hear them (a listener of the bus)."""
        # Frames to all of one stream are gathered for as long as nobody comes or goes.
        gathered = _Gathered()
        for event in events:
            lag = (self._clock.now() - event.at).total_seconds()
            self._metrics.event_lag.observe(max(0.0, lag))
            if isinstance(event, ReactionsChanged):
                self._merge(event)
            elif isinstance(event, MessagePosted):
                if gathered.stream_id != event.message.stream_id:
                    self._send_gathered(gathered)
                    gathered = _Gathered(event.message.stream_id)
                gathered.events.append(event)
            else:
                self._send_gathered(gathered)
                gathered = _Gathered()
                self._tell(event)
        self._send_gathered(gathered)

    def _send_gathered(self, gathered: "_Gathered") -> None:
        if gathered.stream_id is None:
            return
        audience = self._of_stream.get(gathered.stream_id)
        own: list[Frame] = []
        shared: list[bytes] = []
        for event in gathered.events:
            for frame in _rendered(event):
                if frame.users is not None:
                    own.append(frame)
                elif audience:
                    shared.append(frame.encode())
        if audience and shared:
            detail = Detail(gathered.stream_id, gathered.events[-1].message.seq)
            self._delivery.send(b"".join(shared), audience, frames_count=len(shared), detail=detail)
        # Behind the posts: what tells an author that he has read his own.
        for frame in own:
            self._send(frame)

    def _tell(self, event: Event) -> None:
        if isinstance(event, TokensRevoked):
            for session in list(self._of_user.get(event.user_id, ())):
                session.end_if_revoked(event.at)
            return
        if isinstance(event, MembersJoined):
            self._follow_joins(event)
        # As one piece what goes to the same: who reads five thousand conversations at once is told so in one write.
        for _, frames in groupby(_rendered(self._narrowed(event)), key=_audience_of):
            self._send(*frames)
        # After the frames: who leaves hears of it still.
        if isinstance(event, MembersLeft):
            self._follow_leaves(event)
        elif isinstance(event, GroupDisbanded):
            self._end(stream_of(event.group_id))
        elif isinstance(event, StrangerBanned):
            for session in self._of_user.get(event.user_id, ()):
                self.unwatch(session, stream_of(event.group_id))
        elif isinstance(event, GroupUpdated) and "visibility" in event.changed:
            self._turn_strangers_away(stream_of(event.group_id))

    def _narrowed(self, event: Event) -> Event:
        # A batch of joins to a channel is told to those who joined alone, and few of them are here.
        if isinstance(event, MembersJoined | MembersLeft) and not event.announce:
            here = tuple(user_id for user_id in event.user_ids if user_id in self._of_user)
            return event.model_copy(update={"user_ids": here})
        return event

    def _follow_joins(self, event: MembersJoined) -> None:
        stream_id = stream_of(event.group_id)
        for user_id in event.user_ids:
            for session in self._of_user.get(user_id, ()):
                if session in self._left_while_loading:
                    self._left_while_loading[session].discard(stream_id)
                self._hear(session, stream_id)

    def _follow_leaves(self, event: MembersLeft) -> None:
        stream_id = stream_of(event.group_id)
        for user_id in event.user_ids:
            for session in self._of_user.get(user_id, ()):
                if session in self._left_while_loading:
                    self._left_while_loading[session].add(stream_id)
                self._unhear(session, stream_id)

    def _end(self, stream_id: StreamId) -> None:
        for session in self._left_while_loading:
            self._left_while_loading[session].add(stream_id)
        for session in list(self._of_stream.get(stream_id, ())):
            self._unhear(session, stream_id)
        for session in self._watching(stream_id):
            self.unwatch(session, stream_id)

    def _turn_strangers_away(self, stream_id: StreamId) -> None:
        # They watched while everyone might; whoever still may watches anew.
        for session in self._watching(stream_id):
            if stream_id not in session.streams:
                self.unwatch(session, stream_id)

    def _watching(self, stream_id: StreamId) -> set[Session]:
        asking = {session for asked, session in self._asking if asked == stream_id}
        return asking.union(self._watchers.get(stream_id, ()))

    def _send(self, *frames: Frame) -> None:
        """Send frames that have one audience."""
        frame = frames[0]
        audience: Collection[Session]
        if frame.users is None:
            audience = self._of_stream.get(frame.stream_id, ())
        else:
            audience = [s for user_id in frame.users for s in self._of_user.get(user_id, ())]
        if frame.besides:
            audience = [session for session in audience if session.user_id not in frame.besides]
        self._push(frames, audience)

    def _push(self, frames: Sequence[Frame], audience: Collection[Session]) -> None:
        if audience:
            encoded = b"".join([frame.encode() for frame in frames])
            self._delivery.send(
                encoded, audience, frames_count=len(frames), detail=_detail_of(frames[-1])
            )

    # --- reactions ------------------------------------------------------------------------------------------------

    def _merge(self, event: ReactionsChanged) -> None:
        if event.stream_id not in self._watchers:
            return
        frame = next(iter(frames_of(event)))
        key = (event.stream_id, event.seq)
        if key in self._merging:
            self._merging[key] = frame  # counts, not changes: the newest says it all
            return
        self._push([frame], self._watchers[event.stream_id])
        self._merging[key] = None
        asyncio.get_running_loop().call_later(MERGE_SECONDS, self._flush, key)

    def _flush(self, key: tuple[StreamId, int]) -> None:
        frame = self._merging.pop(key)
        watchers = self._watchers.get(key[0], ())
        if frame is not None:
            self._push([frame], watchers)
            self._merging[key] = None
            asyncio.get_running_loop().call_later(MERGE_SECONDS, self._flush, key)


@dataclass(slots=True)
class _Gathered:
    """Posts to one stream, to be written as one piece."""

    stream_id: StreamId | None = None
    events: list[MessagePosted] = field(default_factory=list)


def _rendered(event: Event) -> list[Frame]:
    try:
        return list(frames_of(event))
    # A defect in telling one event must not take the transaction's others from anybody.
    except Exception:
        log.exception("cannot tell %s", event.type)
        return []


def _audience_of(frame: Frame) -> tuple[object, ...]:
    return frame.users, frame.besides, frame.stream_id if frame.users is None else None


def _detail_of(frame: Frame) -> Detail | None:
    kind = frame.payload["type"]
    # Messages in a channel's inbox name no conversation of those who read it: there is nothing to read on in.
    conversation_id = frame.payload.get("conversation_id")
    if conversation_id is None or (frame.users is not None and not kind.startswith("message.")):
        return None
    return Detail(conversation_id, frame.payload["seq"] if kind == "message.posted" else None)


def _discard(index: dict[K, set[Session]], key: K, session: Session) -> None:
    sessions = index.get(key)
    if sessions is not None:
        sessions.discard(session)
        if not sessions:
            del index[key]
