"""The hub: which sessions of this process receive which stream, and how events reach them.

Promises:
    An event is encoded once, however many sessions receive it, and events for the same sessions are written together.
    The hub never waits for a socket: a session that cannot keep up skips events or closes by itself.
    A large audience does not block the server: after `WRITES_A_TURN` writes the event loop turns.
    A session receives every stream that its user is in, from `ready` on. Joins and leaves take effect in the order in
    which they were committed, so a user who left receives nothing that was posted afterwards.
    Counts of reactions, votes and comments go to sessions that watch the stream: at most two events a second for a
    message and type, the newest last.
    Comments go to sessions that watch those of the post, and to the users whom an event names; each gets them once.
    Users' own reactions and votes go to all their sessions at once, watching or not, without names.
Delivery is at most once: a client that was disconnected compares seqs and reads what it missed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, Protocol, TypeVar

from channels.acknowledgements.events import AcknowledgementReminded, AcknowledgementsChanged
from channels.buttons.events import ButtonsChanged
from channels.comments.events import (
    CommentEdited,
    CommentEvent,
    CommentPosted,
    CommentReacted,
    CommentRecalled,
)
from channels.comments.models import place_of
from channels.event_views.comments import comment_count_view
from channels.event_views.registry import views_of
from channels.event_views.view import EventView
from channels.server.metrics import Metrics
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.delivery import Delivery, Session, Skippable
from channels.server.realtime.frames import text_frame
from groups.events import (
    AccountKindChanged,
    GroupDisbanded,
    GroupSuspended,
    GroupUpdated,
    MembersJoined,
    MembersLeft,
    MessagePosted,
    StrangerBanned,
    TokensRevoked,
)
from groups.kernel.clock import Clock, SystemClock
from groups.kernel.errors import DomainError
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import AccountKind, Commenting, SuspensionMode, stream_of
from reactions.events import ReactionsChanged
from reactions.polls.events import PollChanged

log = logging.getLogger(__name__)

A = TypeVar("A")
K = TypeVar("K", UserId, StreamId)

MERGE_SECONDS: Final = 0.5
"""Between two events about the reactions to one message, the votes in it, or the number of its comments."""

NEEDED_BY_HUBS: Final = (GroupDisbanded, GroupSuspended, GroupUpdated)
"""Types of events that a hub needs even if no socket wants them: they end what sessions watch, or soon receive."""
CountsChanged = ReactionsChanged | PollChanged | ButtonsChanged | AcknowledgementsChanged
"""The events for those who watch a conversation. They hold totals, so a newer one replaces those before it."""
_WATCHED: Final[frozenset[str]] = frozenset(
    kind.model_fields["type"].default
    for kind in (
        *(ReactionsChanged, PollChanged, ButtonsChanged, AcknowledgementsChanged),
        *(CommentPosted, CommentEdited, CommentRecalled, CommentReacted),
    )
)
"""The types of events whose streams are watched, not received."""
_Merged = tuple[str, StreamId, int]
"""The key of merged events: a type of events, and the message of a stream that they are about."""


OnPosts = Callable[[StreamId, Sequence[int], int], None]
"""Called with the stream and seqs of a channel's posts, and the number of sessions to which they were handed."""


class UserListener(Protocol):
    """Learns which users have a session here."""

    def came(self, user_id: UserId) -> None:
        """The user has a first session."""

    def left(self, user_id: UserId) -> None:
        """The user's last session has ended."""


class Hub:
    """The open sessions of this process."""

    def __init__(
        self,
        metrics: Metrics,
        sockets_per_user: int,
        clock: Clock | None = None,
        *,
        presence: UserListener | None = None,
        on_posts: OnPosts | None = None,
    ) -> None:
        """`presence` learns which users are here; `on_posts`, to how many sessions a channel's posts were handed."""
        self._presence = presence
        self._on_posts = on_posts
        self._clock = clock or SystemClock()
        self._sockets_per_user = sockets_per_user
        self._metrics = metrics
        self._delivery = Delivery(metrics.frames.inc)
        self._sessions: defaultdict[UserId, set[Session]] = defaultdict(set)
        self._receivers: defaultdict[StreamId, set[Session]] = defaultdict(set)
        self._watchers: defaultdict[StreamId, set[Session]] = defaultdict(set)
        self._asking: set[tuple[StreamId, Session]] = set()
        self._left_while_loading: dict[Session, set[StreamId]] = {}
        self._merging: dict[_Merged, EventView | None] = {}

    def attach(self, session: Session) -> None:
        """Add the session. Its caller then reads the groups of the user, and passes them to `receive_groups`.

        Beyond `sockets_per_user` the user's oldest session is closed: it is the one most likely to be unused.
        """
        sessions = self._sessions[session.user_id]
        sessions.add(session)
        if len(sessions) > self._sockets_per_user:
            oldest = min(sessions, key=lambda one: one.opened_at)
            # It stops counting now, though closing takes a while. `detach` finds it removed.
            _discard(self._sessions, oldest.user_id, oldest)
            oldest.close_soon(CloseCode.REPLACED)
        self._left_while_loading[session] = set()
        self._metrics.sockets.inc()
        if self._presence is not None and len(sessions) == 1:
            self._presence.came(session.user_id)

    def receive_groups(self, session: Session, group_ids: Iterable[GroupId]) -> None:
        """Send the streams of these groups to the session, except those that its user left since `attach`."""
        left = self._left_while_loading.pop(session, set())
        for group_id in group_ids:
            stream_id = stream_of(group_id)
            if stream_id not in left:
                self._receive(session, stream_id)

    def detach(self, session: Session) -> None:
        self._left_while_loading.pop(session, None)
        _discard(self._sessions, session.user_id, session)
        for stream_id in session.streams:
            _discard(self._receivers, stream_id, session)
        for stream_id in session.watched:
            _discard(self._watchers, stream_id, session)
        session.streams.clear()
        session.watched.clear()
        self._metrics.sockets.dec()
        if self._presence is not None and session.user_id not in self._sessions:
            self._presence.left(session.user_id)

    async def watch_if(
        self,
        session: Session,
        stream_ids: Collection[StreamId],
        refusals: Callable[[Collection[StreamId]], Awaitable[Mapping[StreamId, A]]],
    ) -> dict[StreamId, A]:
        """`watch` each stream that `refusals` does not refuse; returns what it said of each.

        Asks again about streams of which the right may have ended meanwhile.
        """
        said: dict[StreamId, A] = {}
        asking = list(stream_ids)
        while asking:
            asked = {(stream_id, session) for stream_id in asking}
            self._asking |= asked
            try:
                answers = await refusals(asking)
            finally:
                # `unwatch` removed some: the right ended, maybe after it was read.
                current = asked & self._asking
                self._asking -= asked
            outdated: list[StreamId] = []
            for stream_id in asking:
                if (stream_id, session) not in current:
                    outdated.append(stream_id)
                    continue
                said[stream_id] = answers[stream_id]
                if not isinstance(said[stream_id], DomainError):
                    self.watch(session, stream_id)
            asking = outdated
        return said

    def watch(self, session: Session, stream_id: StreamId) -> None:
        """Send the counts of reactions and votes of a stream to the session, or the comments of a post."""
        session.watched.add(stream_id)
        self._watchers[stream_id].add(session)

    def unwatch(self, session: Session, stream_id: StreamId) -> None:
        """End `watch`, also a `watch_if` that is still asking. Idempotent."""
        self._asking.discard((stream_id, session))
        session.watched.discard(stream_id)
        _discard(self._watchers, stream_id, session)

    def _unwatch_channel(self, session: Session, group_id: GroupId) -> None:
        """End the watches of a group or channel, and of the comments there."""
        asking = [stream_id for stream_id, asker in self._asking if asker is session]
        for stream_id in [*session.watched, *asking]:
            place = place_of(stream_id)
            if stream_id == stream_of(group_id) or (place and place.channel_id == group_id):
                self.unwatch(session, stream_id)

    def sessions_of(self, user_id: UserId) -> Collection[Session]:
        return self._sessions.get(user_id, ())

    def users_receiving(self, stream_id: StreamId) -> set[UserId]:
        """Return the users who have sessions here that receive the stream."""
        return {session.user_id for session in self._receivers.get(stream_id, ())}

    @property
    def user_count(self) -> int:
        return len(self._sessions)

    def end_withdrawn(self, keys: Collection[str]) -> None:
        """Close the sessions whose tokens were signed by these keys, which the identity provider withdrew."""
        for sessions in list(self._sessions.values()):
            for session in list(sessions):
                session.end_if_withdrawn(keys)

    def close_all(self, code: CloseCode) -> None:
        for sessions in list(self._sessions.values()):
            for session in list(sessions):
                session.close_soon(code)

    def resync(self) -> None:
        """Close every session: this process missed events, so every client reconnects and compares seqs."""
        self.close_all(CloseCode.RESYNC)

    def _receive(self, session: Session, stream_id: StreamId) -> None:
        session.streams.add(stream_id)
        self._receivers[stream_id].add(session)

    def _stop_receiving(self, session: Session, stream_id: StreamId) -> None:
        session.streams.discard(stream_id)
        _discard(self._receivers, stream_id, session)

    def wants(self, event_type: str, routes: Sequence[str]) -> bool:
        """Whether a session here receives an event of this type with these routes (`EventBus.listen`)."""
        streams = self._watchers if event_type in _WATCHED else self._receivers
        return not (self._sessions.keys().isdisjoint(routes) and streams.keys().isdisjoint(routes))

    def on_events(self, events: Sequence[Event]) -> None:
        """Send the events of one transaction to the sessions that receive them (a listener of the event bus)."""
        # Posts to one stream are written together, up to an event that may change its receivers.
        posts: list[MessagePosted] = []
        for event in events:
            lag = (self._clock.now() - event.at).total_seconds()
            self._metrics.event_lag.observe(max(0.0, lag))
            if isinstance(event, CountsChanged):
                if event.stream_id in self._watchers:
                    self._merge((event.type, event.stream_id, event.seq), _views(event)[:1])
                self._send_own(event)
            elif isinstance(event, CommentEvent):
                self._send_comment(event)
            elif isinstance(event, AcknowledgementReminded):
                # `reminders` sends it, after it asked the database whom to leave out: a hub never waits.
                continue
            elif isinstance(event, MessagePosted):
                if posts and posts[-1].message.stream_id != event.message.stream_id:
                    self._send_posts(posts)
                    posts = []
                posts.append(event)
            else:
                self._send_posts(posts)
                posts = []
                self._dispatch(event)
        self._send_posts(posts)

    def send(self, *views: EventView) -> None:
        """Send views that have the same receivers, as one piece."""
        view = views[0]
        receivers: Collection[Session]
        if view.users is None:
            receivers = self._receivers.get(view.stream_id, ())
        else:
            receivers = [one for user_id in view.users for one in self.sessions_of(user_id)]
        if view.except_users:
            receivers = [one for one in receivers if one.user_id not in view.except_users]
        self._deliver(views, receivers)

    def _send_posts(self, posts: Sequence[MessagePosted]) -> None:
        if not posts:
            return
        newest = posts[-1].message
        receivers = self._receivers.get(newest.stream_id)
        own: list[EventView] = []
        shared: list[bytes] = []
        for event in posts:
            for view in _views(event):
                if view.users is not None:
                    own.append(view)
                elif receivers:
                    shared.append(text_frame(view.json()))
        if receivers and shared:
            skippable = Skippable(newest.stream_id, newest.seq)
            self._delivery.send(
                b"".join(shared), receivers, frames_count=len(shared), skippable=skippable
            )
            if self._on_posts is not None and posts[-1].is_channel:
                seqs = [event.message.seq for event in posts]
                self._on_posts(newest.stream_id, seqs, len(receivers))
        # After the posts: the event that moves their author's own read cursor.
        for view in own:
            self.send(view)

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, TokensRevoked):
            for session in list(self.sessions_of(event.user_id)):
                session.end_if_revoked(event.at)
            return
        if isinstance(event, AccountKindChanged):
            is_business = event.account_kind is AccountKind.BUSINESS
            for session in list(self.sessions_of(event.user_id)):
                session.end_if_other_kind(is_business=is_business)
            return
        if isinstance(event, MembersJoined):
            self._follow(event)
        # One write for views with the same receivers: marking 5,000 conversations read makes 5,000 of them.
        for _, views in groupby(_views(self._without_absent(event)), key=_receivers_of):
            self.send(*views)
        # After sending, so that users who leave receive this event.
        if isinstance(event, MembersLeft):
            self._follow(event)
        elif isinstance(event, GroupDisbanded):
            self._end_stream(event.group_id)
        elif isinstance(event, GroupSuspended) and event.mode is SuspensionMode.HIDDEN:
            self._unwatch_all(event.group_id)
        elif isinstance(event, StrangerBanned):
            for session in self.sessions_of(event.user_id):
                self._unwatch_channel(session, event.group_id)
        elif isinstance(event, GroupUpdated):
            if "visibility" in event.changed:
                self._unwatch_strangers(event.group_id)
            if event.changed.get("comments") == Commenting.OFF:
                for stream_id in self._comment_streams(event.group_id):
                    for session in self._watching(stream_id):
                        self.unwatch(session, stream_id)

    def _without_absent(self, event: Event) -> Event:
        # Only the users themselves receive joins to a channel, and few of a large batch are connected here.
        if isinstance(event, MembersJoined | MembersLeft) and not event.announce:
            here = tuple(user_id for user_id in event.user_ids if user_id in self._sessions)
            return event.model_copy(update={"user_ids": here})
        return event

    def _follow(self, event: MembersJoined | MembersLeft) -> None:
        stream_id = stream_of(event.group_id)
        for session in (one for user_id in event.user_ids for one in self.sessions_of(user_id)):
            left = self._left_while_loading.get(session, set())
            if isinstance(event, MembersJoined):
                left.discard(stream_id)
                self._receive(session, stream_id)
            else:
                left.add(stream_id)
                self._stop_receiving(session, stream_id)
                self._unwatch_channel(session, event.group_id)

    def _end_stream(self, group_id: GroupId) -> None:
        stream_id = stream_of(group_id)
        for left in self._left_while_loading.values():
            left.add(stream_id)
        for session in list(self._receivers.get(stream_id, ())):
            self._stop_receiving(session, stream_id)
        self._unwatch_all(group_id)

    def _unwatch_all(self, group_id: GroupId) -> None:
        for watched in (stream_of(group_id), *self._comment_streams(group_id)):
            for session in self._watching(watched):
                self.unwatch(session, watched)

    def _unwatch_strangers(self, group_id: GroupId) -> None:
        # The group may be closed to them now. Those who still may watch ask again.
        stream_id = stream_of(group_id)
        for watched in (stream_id, *self._comment_streams(group_id)):
            for session in self._watching(watched):
                if stream_id not in session.streams:
                    self.unwatch(session, watched)

    def _comment_streams(self, group_id: GroupId) -> set[StreamId]:
        """The streams of comments in the channel that a session watches, or asks for."""
        asked = {stream_id for stream_id, _ in self._asking}
        return {
            stream_id
            for stream_id in asked.union(self._watchers)
            if (place := place_of(stream_id)) is not None and place.channel_id == group_id
        }

    def _watching(self, stream_id: StreamId) -> set[Session]:
        asking = {session for asked, session in self._asking if asked == stream_id}
        return asking.union(self._watchers.get(stream_id, ()))

    def _deliver(self, views: Sequence[EventView], receivers: Collection[Session]) -> None:
        if receivers:
            encoded = b"".join([text_frame(view.json()) for view in views])
            self._delivery.send(
                encoded, receivers, frames_count=len(views), skippable=_skippable(views[-1])
            )

    def _send_comment(self, event: CommentEvent) -> None:
        views = _views(event)
        if isinstance(event, CommentReacted):
            if event.stream_id in self._watchers:
                self._merge((event.type, event.stream_id, event.seq), views)
            return
        receivers = set(self._watchers.get(event.stream_id, ()))
        if isinstance(event, CommentPosted):
            for user_id in event.notified:
                receivers.update(self.sessions_of(user_id))
        for view in views:
            self._deliver([view], receivers)
        if isinstance(event, CommentPosted | CommentRecalled):
            channel = stream_of(event.channel_id)
            if channel in self._watchers:
                count = comment_count_view(event)
                self._merge((count.payload["type"], channel, event.post_seq), [count])

    def _merge(self, key: _Merged, views: Sequence[EventView]) -> None:
        """Send the view to the watchers of the stream, unless one was sent lately: then later, or a newer one."""
        for view in views:
            if key in self._merging:
                self._merging[key] = view  # it holds totals, so the newest replaces all before it
            else:
                self._send_merged(key, view)

    def _send_own(self, event: CountsChanged) -> None:
        # At once and without a watch: it is what the users did themselves, mostly on another device. A batch names
        # hundreds of users and few of them are connected here, so the others cost a look-up each.
        here = [
            one._replace(user_ids=connected)
            for one in event.own
            if (connected := tuple(each for each in one.user_ids if each in self._sessions))
        ]
        if here:
            for view in _views(event.model_copy(update={"own": tuple(here)})):
                if view.users is not None:
                    self.send(view)

    def _flush(self, key: _Merged) -> None:
        view = self._merging.pop(key)
        if view is not None:
            self._send_merged(key, view)

    def _send_merged(self, key: _Merged, view: EventView) -> None:
        self._deliver([view], self._watchers.get(key[1], ()))
        self._merging[key] = None
        asyncio.get_running_loop().call_later(MERGE_SECONDS, self._flush, key)


def _views(event: Event) -> list[EventView]:
    try:
        return list(views_of(event))
    # A defect in one event must not withhold the other events of its transaction.
    except Exception:
        log.exception("cannot render the event %s", event.type)
        return []


def _receivers_of(view: EventView) -> tuple[object, ...]:
    return view.users, view.except_users, view.stream_id if view.users is None else None


def _skippable(view: EventView) -> Skippable | None:
    event_type = view.payload["type"]
    # Events of a channel's inbox name no conversation, so their receivers could not read them later.
    conversation_id = view.payload.get("conversation_id")
    if conversation_id is None or (
        view.users is not None and not event_type.startswith(("message.", "reactions.", "poll."))
    ):
        return None
    head_seq = view.payload["seq"] if event_type == "message.posted" else None
    return Skippable(conversation_id, head_seq)


def _discard(index: dict[K, set[Session]], key: K, session: Session) -> None:
    sessions = index.get(key)
    if sessions is not None:
        sessions.discard(session)
        if not sessions:
            del index[key]
