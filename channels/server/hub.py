"""The hub: which sessions of this process hear which stream, and handing events to them.

Promises:
    A frame is encoded once, however many sessions get it, and no socket is ever awaited here: a session that cannot
    keep up is closed by itself, and the others do not notice.
    A session hears every stream its user is in, from the moment it is `ready`; joining and leaving move it along, in
    the order in which they were committed, so nobody hears what was posted after he left.
    Reactions go to sessions that watch the stream, at most two frames a second a message, the newest counts last.
Delivery is at most once: a socket that was away compares seqs and reads what it missed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from channels.server.closing import CloseCode
from channels.server.metrics import Metrics
from channels.server.wire import Frame, frames_of
from groups.events import GroupDisbanded, GroupUpdated, MembersJoined, MembersLeft
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import stream_of
from reactions.events import ReactionsChanged

K = TypeVar("K", UserId, StreamId)

MERGE_SECONDS: Final = 0.5  # between two frames about the reactions to one message


class Session(Protocol):
    """One authenticated socket, as the hub knows it."""

    user_id: UserId
    streams: set[StreamId]
    watched: set[StreamId]

    def push(self, frame: bytes) -> None:
        """Queue a frame; never waits."""
        ...

    def close_soon(self, code: CloseCode) -> None:
        """Have the session closed; never waits."""
        ...


class Hub:
    """The live sessions of this process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._of_user: defaultdict[UserId, set[Session]] = defaultdict(set)
        self._of_stream: defaultdict[StreamId, set[Session]] = defaultdict(set)
        self._watchers: defaultdict[StreamId, set[Session]] = defaultdict(set)
        self._left_while_loading: dict[Session, set[StreamId]] = {}
        self._merging: dict[tuple[StreamId, int], Frame | None] = {}

    # --- sessions -------------------------------------------------------------------------------------------------

    def attach(self, session: Session) -> None:
        """Know the session; the streams of its user are being read meanwhile (`settle`)."""
        self._of_user[session.user_id].add(session)
        self._left_while_loading[session] = set()
        self._metrics.sockets.inc()

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

    def watch(self, session: Session, stream_id: StreamId) -> None:
        """Let the session hear the reactions in a stream."""
        session.watched.add(stream_id)
        self._watchers[stream_id].add(session)

    def unwatch(self, session: Session, stream_id: StreamId) -> None:
        """End `watch`; when there was none this changes nothing."""
        session.watched.discard(stream_id)
        _discard(self._watchers, stream_id, session)

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

    def on_event(self, event: Event) -> None:
        """Hand the event to the sessions that should hear it (a listener of the bus)."""
        lag = (datetime.now(UTC) - event.at).total_seconds()
        self._metrics.event_lag.observe(max(0.0, lag))
        if isinstance(event, ReactionsChanged):
            self._merge(event)
            return
        if isinstance(event, MembersJoined):
            self._follow_joins(event)
        for frame in frames_of(self._narrowed(event)):
            self._send(frame)
        # After the frames: who leaves hears of it still.
        if isinstance(event, MembersLeft):
            self._follow_leaves(event)
        elif isinstance(event, GroupDisbanded):
            self._end(stream_of(event.group_id))
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
        for session in list(self._watchers.get(stream_id, ())):
            self.unwatch(session, stream_id)

    def _turn_strangers_away(self, stream_id: StreamId) -> None:
        # They watched while everyone might; whoever still may watches anew.
        for session in list(self._watchers.get(stream_id, ())):
            if stream_id not in session.streams:
                self.unwatch(session, stream_id)

    def _send(self, frame: Frame) -> None:
        audience: Iterable[Session]
        if frame.users is None:
            audience = self._of_stream.get(frame.stream_id, ())
        else:
            audience = [s for user_id in frame.users for s in self._of_user.get(user_id, ())]
        self._push(frame, audience)

    def _push(self, frame: Frame, audience: Iterable[Session]) -> None:
        if not audience:
            return
        encoded = frame.encode()
        pushed = 0
        for session in audience:
            if session.user_id not in frame.besides:
                session.push(encoded)
                pushed += 1
        self._metrics.frames.inc(pushed)

    # --- reactions ------------------------------------------------------------------------------------------------

    def _merge(self, event: ReactionsChanged) -> None:
        if event.stream_id not in self._watchers:
            return
        frame = next(iter(frames_of(event)))
        key = (event.stream_id, event.seq)
        if key in self._merging:
            self._merging[key] = frame  # counts, not changes: the newest says it all
            return
        self._push(frame, self._watchers[event.stream_id])
        self._merging[key] = None
        asyncio.get_running_loop().call_later(MERGE_SECONDS, self._flush, key)

    def _flush(self, key: tuple[StreamId, int]) -> None:
        frame = self._merging.pop(key)
        watchers = self._watchers.get(key[0], ())
        if frame is not None:
            self._push(frame, watchers)
            self._merging[key] = None
            asyncio.get_running_loop().call_later(MERGE_SECONDS, self._flush, key)


def _discard(index: dict[K, set[Session]], key: K, session: Session) -> None:
    sessions = index.get(key)
    if sessions is not None:
        sessions.discard(session)
        if not sessions:
            del index[key]
