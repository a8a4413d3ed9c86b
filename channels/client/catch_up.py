"""Order and completeness of what a socket yields: what was missed is read over HTTP, and nothing comes twice.

Each conversation numbers its messages (`seq`) and its changes of messages (`version`). So a live event is new, or
known already, or it shows that something before it was missed, which is read first. After a reconnect `GET /v1/sync`
names the conversations in which anything happened.

Promises:
    Complete: every message, edit and deletion of the user's conversations is yielded, in the order of each
    conversation; several edits of one message that were missed are one. What cannot be replayed arrives as
    `Resynced`.
    Once: no event is yielded twice.
    Bounded: of one conversation at most `replay` missed messages are read, and as many changes.
"""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Literal

from channels.client.errors import Expired, NotFound, PermissionDenied
from channels.client.events import Resynced, SocketEvent, parse_event
from channels.client.models import Answer, SyncConversation, SyncEnd
from channels.client.position import Known, Position, Step
from channels.client.resources.base import parsed
from channels.client.resources.conversations import Conversations
from channels.client.transport import Query, Transport, path_of

PAGE: Final = 100
_SEEN_IDS: Final = 5_000
"""Ids of the newest events: two server processes may both deliver one around a reconnect."""
_GONE: Final = (NotFound, PermissionDenied)
"""The user may not read the conversation any more."""

POSTED, EDITED, RECALLED = "message.posted", "message.edited", "message.recalled"
_ENDING: Final = {
    *("channel.unsubscribed", "channel.deleted", "group.left", "group.disbanded"),
    "conversation.ended",
}
_BEGINNING: Final = {"channel.subscribed", "group.joined"}

Yielded = AsyncIterator[tuple[SocketEvent | None, Step]]
"""Events, each with what it changes in the position; None where the position alone moves."""


class _MessagePage(Answer):
    items: list[dict[str, Any]]
    next_cursor: str | None = None
    version: int | None = None


class CatchUp:
    """The conversations as one app knows them, and the events that it still lacks."""

    def __init__(
        self, transport: Transport, conversations: Conversations, position: Position, replay: int
    ) -> None:
        self._transport = transport
        self._conversations = conversations
        self._position = position.model_copy(deep=True)
        self._replay = replay
        self._threads: dict[str, int] = {}
        self._ids: deque[str] = deque(maxlen=_SEEN_IDS)
        self._known_ids: set[str] = set()
        self._former: dict[str, Known] = {}
        """The last state of conversations that ended. The event of an end may be older than that state."""
        self._fresh: dict[str, int] = {}
        """Conversations that began in this session: what is known of them may be newer than their next event, but of
        changes only those up to this version were yielded."""

    @property
    def has_begun(self) -> bool:
        return self._position.sync_token is not None

    def position(self) -> Position:
        return self._position.model_copy(deep=True)

    async def begin(self) -> None:
        """Take the present state as known: from here on nothing is missed."""
        cursor: str | None = None
        while True:
            page = await self._conversations.sync(cursor=cursor, limit=PAGE)
            for item in page.items:
                if isinstance(item, SyncConversation):
                    self._set(item.conversation_id, _known_of(item))
            self._position.sync_token = page.sync_token or self._position.sync_token
            cursor = page.next_cursor
            if cursor is None:
                return

    # --- after a reconnect --------------------------------------------------------------------------------------------

    async def missed(
        self, reason: Literal["connected", "reconnected"] | None = "reconnected"
    ) -> Yielded:
        """All that happened since the last sync. `reason` None: without `Resynced`, since live events told the rest."""
        self._fresh.clear()
        self._former.clear()
        since, cursor = self._position.sync_token, None
        while True:
            try:
                page = await self._conversations.sync(since, cursor=cursor, limit=PAGE)
            except Expired:
                # Away for longer than the server remembers: every conversation is compared, and ends are not named.
                since, cursor = None, None
                continue
            changed: list[SyncConversation] = []
            ended: list[SyncEnd] = []
            for item in page.items:
                if isinstance(item, SyncEnd):
                    yield None, self._set(item.conversation_id, None)
                    ended.append(item)
                    continue
                changed.append(item)
                async for one in self._of_changed(item):
                    yield one
            cursor = page.next_cursor
            if page.sync_token is not None:
                self._position.sync_token = page.sync_token
            if reason is None:
                yield None, Step(sync_token=page.sync_token)
            else:
                invitations = page.invitations.items if page.invitations is not None else None
                yield (
                    Resynced(
                        reason=reason,
                        conversations=changed,
                        ended=ended,
                        unread=page.unread,
                        conversation_groups=page.conversation_groups,
                        invitations=invitations,
                        is_last=cursor is None,
                    ),
                    Step(sync_token=page.sync_token),
                )
            if cursor is None:
                return

    async def _of_changed(self, item: SyncConversation) -> Yielded:
        conversation_id = item.conversation_id
        known = self._position.known.get(conversation_id)
        if known is None:
            # It is new here: what is unread was missed.
            seq = min(item.read_seq, item.head_seq)
            known = Known(
                seq=seq, version=item.version, is_channel=item.is_channel, first_seq=seq + 1
            )
            yield None, self._set(conversation_id, known)
        elif known.is_channel != item.is_channel:  # a group became a channel
            known = known.model_copy(update={"is_channel": item.is_channel})
            yield None, self._set(conversation_id, known)
        if item.version > known.version:
            async for one in self._changes(conversation_id):
                yield one
        if item.head_seq > self._position.known[conversation_id].seq:
            async for one in self._messages(conversation_id, item.head_seq):
                yield one

    # --- live ---------------------------------------------------------------------------------------------------------

    async def live(self, payload: Mapping[str, Any], user_id: str) -> Yielded:
        """An event of the socket, with what was missed before it."""
        if self._is_repeated(payload.get("event_id")):
            return
        kind, conversation_id = payload.get("type"), payload.get("conversation_id")
        if kind in {POSTED, EDITED, RECALLED}:
            if conversation_id is None:
                events = self._of_thread(payload)
            elif kind == POSTED:
                events = self._posted(payload)
            else:
                events = self._changed(payload)
            async for one in events:
                yield one
            return
        step = Step()
        if conversation_id is not None and payload.get("user_id", user_id) == user_id:
            if kind in _ENDING:
                if conversation_id in self._position.known:
                    self._former[conversation_id] = self._position.known[conversation_id]
                step = self._set(conversation_id, None)
            elif kind in _BEGINNING:
                step = await self._began(conversation_id)
        yield parse_event(payload), step

    async def behind(self, conversation_id: str, head_seq: int | None) -> Yielded:
        """The server left out events of a conversation."""
        if head_seq is not None and conversation_id in self._position.known:
            async for one in self._changes(conversation_id):
                yield one
            async for one in self._messages(conversation_id, head_seq):
                yield one
        yield Resynced(reason="behind", conversation_ids=[conversation_id]), Step()

    async def _posted(self, payload: Mapping[str, Any]) -> Yielded:
        conversation_id, seq = payload["conversation_id"], payload["seq"]
        known = self._position.known.get(conversation_id)
        if known is None:
            # The first one. All later changes of it are wanted, whatever the version is.
            is_channel = payload.get("channel_id") is not None
            known = Known(seq=seq - 1, version=0, is_channel=is_channel, first_seq=seq)
            self._set(conversation_id, known)
        if seq > known.seq + 1:
            async for one in self._messages(conversation_id, seq):
                yield one
            known = self._position.known.get(conversation_id, known)
        if seq > known.seq:
            yield parse_event(payload), self._seen(conversation_id, known, seq=seq)

    async def _changed(self, payload: Mapping[str, Any]) -> Yielded:
        conversation_id, seq = payload["conversation_id"], payload["seq"]
        version = payload["version"]
        known = self._position.known.get(conversation_id)
        if known is None:
            yield parse_event(payload), Step()
            return
        if seq > known.seq:
            async for one in self._messages(conversation_id, seq):
                yield one
            known = self._position.known.get(conversation_id, known)
        if version > known.version + 1:
            async for one in self._changes(conversation_id):
                yield one
            known = self._position.known.get(conversation_id, known)
        if version > known.version:
            yield parse_event(payload), self._seen(conversation_id, known, version=version)
        elif version > self._fresh.get(conversation_id, version):
            self._fresh[conversation_id] = version
            yield parse_event(payload), Step()

    async def _of_thread(self, payload: Mapping[str, Any]) -> Yielded:
        """A message of a channel's inbox: in order while the socket lasts."""
        stream_id, seq = payload["stream_id"], payload["seq"]
        if payload["type"] == POSTED:
            if seq <= self._threads.get(stream_id, 0):
                return
            self._threads[stream_id] = seq
        yield parse_event(payload), Step()

    async def _began(self, conversation_id: str) -> Step:
        if conversation_id in self._position.known:
            return Step()  # the last sync knew it already
        try:
            item = await self._conversations.get(conversation_id)
        except _GONE:
            return Step()
        former = self._former.pop(conversation_id, Known(seq=0, version=0))
        known = Known(
            seq=max(former.seq, min(item.read_seq, item.head_seq)),
            version=max(former.version, item.version),
            is_channel=item.is_channel,
        )
        self._fresh[conversation_id] = former.version
        return self._set(conversation_id, known)

    # --- what was missed of one conversation --------------------------------------------------------------------------

    async def _messages(self, conversation_id: str, head_seq: int) -> Yielded:
        """The messages after the known ones, at least up to `head_seq`."""
        known = self._position.known[conversation_id]
        if head_seq - known.seq > self._replay:
            step = self._seen(conversation_id, known, seq=head_seq)
            yield Resynced(reason="gap", conversation_ids=[conversation_id]), step
            return
        query: dict[str, object] = {"after_seq": known.seq, "limit": PAGE}
        async for page in self._pages(conversation_id, query):
            for item in reversed(page.items):
                known = self._position.known[conversation_id]
                if item["seq"] > known.seq:
                    event = parse_event(_payload(POSTED, conversation_id, known, item))
                    yield event, self._seen(conversation_id, known, seq=item["seq"])

    async def _changes(self, conversation_id: str) -> Yielded:
        """The changes of known messages after the known version, and the messages up to the last one that changed."""
        known = self._position.known[conversation_id]
        query: dict[str, object] = {"changed_since": known.version, "limit": PAGE}
        count = head_seq = 0
        async for page in self._pages(conversation_id, query):
            for item in page.items:
                known = self._position.known[conversation_id]
                head_seq = max(head_seq, item["seq"])
                if known.first_seq <= item["seq"] <= known.seq and item["version"] > known.version:
                    kind = EDITED if item["recalled_at"] is None else RECALLED
                    event = parse_event(_payload(kind, conversation_id, known, item))
                    yield event, self._seen(conversation_id, known, version=item["version"])
            count += len(page.items)
            if page.version is not None:
                known = self._position.known[conversation_id]
                if page.version > known.version and (page.next_cursor is None):
                    yield None, self._seen(conversation_id, known, version=page.version)
            if count > self._replay:
                yield Resynced(reason="gap", conversation_ids=[conversation_id]), Step()
                break
        if head_seq > self._position.known[conversation_id].seq:
            # The version covers changes of these messages. Their live events would bring them as they were before.
            async for one in self._messages(conversation_id, head_seq):
                yield one

    async def _pages(
        self, conversation_id: str, query: Mapping[str, object]
    ) -> AsyncIterator[_MessagePage]:
        path = _path_of(conversation_id, self._position.known[conversation_id])
        cursor: str | None = None
        while True:
            try:
                page = await self._read(path, {**query, "cursor": cursor})
            except _GONE:
                return  # its end comes as an event, or with the next sync
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _read(self, path: str, query: Query) -> _MessagePage:
        answered = await self._transport.send("GET", path, query=query)
        return parsed(_MessagePage, answered.body)

    # --- what is known ------------------------------------------------------------------------------------------------

    def _set(self, conversation_id: str, known: Known | None) -> Step:
        step = Step(conversation_id, known)
        step.apply(self._position)
        return step

    def _seen(
        self,
        conversation_id: str,
        known: Known,
        *,
        seq: int | None = None,
        version: int | None = None,
    ) -> Step:
        update = {"seq": seq, "version": version}
        known = known.model_copy(
            update={name: value for name, value in update.items() if value is not None}
        )
        return self._set(conversation_id, known)

    def _is_repeated(self, event_id: object) -> bool:
        if not isinstance(event_id, str):
            return False
        if event_id in self._known_ids:
            return True
        if len(self._ids) == _SEEN_IDS:
            self._known_ids.discard(self._ids[0])
        self._ids.append(event_id)
        self._known_ids.add(event_id)
        return False


def _known_of(item: SyncConversation) -> Known:
    return Known(seq=item.head_seq, version=item.version, is_channel=item.is_channel)


def _path_of(conversation_id: str, known: Known) -> str:
    if conversation_id.startswith("c2c_"):
        return path_of("conversations", conversation_id, "messages")
    group_id = conversation_id.removeprefix("group_")
    if known.is_channel:
        return path_of("channels", group_id, "posts")
    return path_of("groups", group_id, "messages")


def _payload(
    kind: str, conversation_id: str, known: Known, item: Mapping[str, Any]
) -> dict[str, Any]:
    """The event of a message that was read over HTTP."""
    payload: dict[str, Any] = {
        "type": kind,
        "stream_id": conversation_id,
        "conversation_id": conversation_id,
        "seq": item["seq"],
    }
    if kind == POSTED:
        payload["at"] = item["created_at"]
    else:
        payload["version"] = item["version"]
        payload["at"] = item["recalled_at"] or item["edited_at"] or item["created_at"]
    if conversation_id.startswith("c2c_"):
        return {**payload, "message": item}
    group_id = conversation_id.removeprefix("group_")
    if known.is_channel:
        return {**payload, "channel_id": group_id, "post": item}
    return {**payload, "group_id": group_id, "message": item}
