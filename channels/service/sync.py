"""What the first screen of an app needs, and what changed since a device last asked, in one call.

Promises:
    Complete: with the `sync_token` of a reading, a device gets every change of its conversations that was committed
    since: new ones, changed ones, read cursors and settings that moved elsewhere, and the ends of those that are gone.
    Once: the token holds marks of what was already sent from the time that is read again (`sync_tokens`). What comes
    again for lack of a mark says so (`may_repeat`).
    Current: a conversation is shown as it is now, at least as new as its change.
    Bounded: two commands find the changes among any number of conversations, one loads a page of them. The profile,
    the folders and the invitations are sent whole with each first page, since they are few.
    A device that was away longer than the server keeps departures gets an error, and starts anew.

Reactions, views and subscriber counts do not count as changes.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from channels.limits import Limits
from channels.models import Channel, ChannelProfile, size_of
from channels.service.sync_tokens import (
    MARKS,
    Reading,
    Since,
    decode_marks,
    encode_marks,
    milliseconds,
)
from channels.store import ChannelStore
from conversations import policy
from conversations.models import (
    Conversation,
    ConversationId,
    GroupTotal,
    Unread,
)
from conversations.service.changes import (
    ConversationChangeReader,
    ConversationChanges,
    LoadedConversation,
)
from conversations.service.conversation_list import ListFilter
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.paging import (
    count_fitting,
    cut_page,
    decode_cursor,
    encode_cursor,
    json_size,
)
from groups.models import (
    AccessContext,
    Departure,
    Group,
    Invitation,
    Stream,
    User,
    UserRestriction,
)
from groups.service.membership.invitations import InvitationService

_TOKEN: Final = "sync-all"
_START, _CHANGES = "sync-start", "sync-changes"
_INVITATIONS: Final = 50
_ENDED_BYTES: Final = 400  # of JSON of an ended conversation, which holds an id
_ITEM_BYTES: Final = 2_000  # of JSON of a conversation and its group, without the texts
_LISTED: Final = ListFilter()


@dataclass(frozen=True, slots=True)
class SyncedConversation:
    """A conversation as it is now; `channel` or `group` is what it is with, unless it is one-to-one."""

    loaded: LoadedConversation
    channel: Channel | None
    group: tuple[AccessContext, Stream] | None
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class SyncedEnd:
    """A conversation that the user no longer has."""

    conversation_id: ConversationId
    departure: Departure
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an app shows around the conversations, sent with the first page of a reading."""

    user: User
    restriction: UserRestriction | None
    invitations: Sequence[tuple[Invitation, Group]]
    invitations_cursor: str | None


@dataclass(frozen=True, slots=True)
class SyncPage:
    """A page of conversations. A page of changes has a token only when it is the last."""

    items: Sequence[SyncedConversation | SyncedEnd]
    next_cursor: str | None
    sync_token: str | None
    folders: Sequence[GroupTotal]
    surroundings: Surroundings | None

    @property
    def unread(self) -> Unread:
        """The totals over all folders."""
        return policy.sum_of(self.folders)


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncService:
    """Reads the conversations of one user for a device that starts or comes back."""

    store: ChannelStore
    changes: ConversationChangeReader
    invitations: InvitationService
    limits: Limits
    clock: Clock

    async def start(self, actor: Actor, *, limit: int, cursor: str | None) -> SyncPage:
        """A page of the actor's conversations in the order of their list, without hidden ones.

        Every page has a token. That of the last page that a device reads knows most, so least is sent again.
        """
        now = self.clock.now()
        key = decode_cursor(_START, cursor, int, int, str, int, int, str)
        after: policy.SortKey | None = None
        reading = Reading(milliseconds(now))
        if key is not None:
            after = cast(policy.SortKey, key[:3])
            reading = Reading(int(key[3]), decode_marks(str(key[5])), bool(key[4]))
        found, surroundings = await self._find(
            actor,
            Since(reading.next_since_ms, frozenset()),
            reading,
            is_first=key is None,
            after="",
            most=MARKS,
            with_times=True,
        )
        keyed: list[tuple[policy.SortKey, Conversation]] = []
        hidden: set[ConversationId] = set()
        for conversation in found.snapshot.conversations():
            if _LISTED.admits(conversation):
                keyed.append((policy.sort_key(conversation), conversation))
            else:
                hidden.add(conversation.conversation_id)
        if key is None:
            # What ended or is hidden is in no list of this reading, so the next one need not send that it is.
            for change in found.changes:
                if change.ended is not None or change.conversation_id in hidden:
                    reading.remember(change.next_mark, change.at_ms)
        if after is not None:
            keyed = [pair for pair in keyed if pair[0] > after]
        keyed, has_more = cut_page(heapq.nsmallest(limit + 1, keyed), limit)
        keys = {conversation.conversation_id: key for key, conversation in keyed}
        synced = await self._load(actor, list(keys), reading)
        page = list(synced.values())
        fitting = count_fitting(map(_size_of, page))
        if fitting < len(page):
            page, has_more = page[:fitting], True
            last = keys[page[-1].loaded.listed.conversation.conversation_id]
        else:
            last = keyed[-1][0] if keyed else (0, 0, "")
        for item in page:
            reading.remember(item.loaded.mark, item.loaded.at_ms)
        next_cursor = None
        if has_more:
            # A device may go on from here without the rest, of which it has no marks.
            next_cursor = encode_cursor(
                _START,
                *last,
                reading.started_ms,
                int(reading.is_partial),
                encode_marks(reading.marks),
            )
            reading.is_partial = True
        return SyncPage(page, next_cursor, self._token(reading), _folders(found, now), surroundings)

    async def list_changes(
        self, actor: Actor, token: str, *, limit: int, cursor: str | None
    ) -> SyncPage:
        """A page of what changed since the token, by id. Raises: BadCursor; SyncTokenExpired."""
        now = self.clock.now()
        known = _parsed(token)
        known.check_age(milliseconds(now), self.limits.departure_seconds)
        key = decode_cursor(_CHANGES, cursor, str, int, int, str)
        after, reading = "", Reading(milliseconds(now))
        if key is not None:
            after = str(key[0])
            reading = Reading(int(key[1]), decode_marks(str(key[3])), bool(key[2]))
        found, surroundings = await self._find(
            actor, known, reading, is_first=key is None, after=after, most=limit + 1 + MARKS
        )
        new = [change for change in found.changes if change.mark not in known.marks][:limit]
        synced = await self._load(
            actor, [one.conversation_id for one in new if one.ended is None], reading
        )
        # A conversation that ended a moment ago is in neither; the next reading sends its end.
        items: list[SyncedConversation | SyncedEnd | None] = [
            _repeated(synced.get(change.conversation_id), known.may_repeat(change.at_ms))
            if change.ended is None
            else SyncedEnd(
                change.conversation_id, change.ended, may_repeat=known.may_repeat(change.at_ms)
            )
            for change in new
        ]
        fitting = count_fitting(map(_size_of, items))
        has_more, last = found.horizon is not None, found.horizon or after
        done, sent = after, 0
        for change in found.changes:
            if change.mark in known.marks:
                reading.remember(change.next_mark, change.at_ms)
            elif sent == fitting:
                has_more, last = True, done
                break
            else:
                item = items[sent]
                if isinstance(item, SyncedConversation):
                    reading.remember(item.loaded.mark, item.loaded.at_ms)
                elif item is not None:
                    reading.remember(change.next_mark, change.at_ms)
                sent += 1
            done = change.key
        page = [item for item in items[:fitting] if item is not None]
        if not has_more:
            return SyncPage(page, None, self._token(reading), _folders(found, now), surroundings)
        marks = encode_marks(reading.marks)
        next_cursor = encode_cursor(
            _CHANGES, last, reading.started_ms, int(reading.is_partial), marks
        )
        return SyncPage(page, next_cursor, None, _folders(found, now), surroundings)

    def _token(self, reading: Reading) -> str:
        until_ms = reading.known_until_ms(self.clock.now())
        return encode_cursor(_TOKEN, reading.next_since_ms, until_ms, encode_marks(reading.marks))

    async def _find(
        self,
        actor: Actor,
        known: Since,
        reading: Reading,
        *,
        is_first: bool,
        after: str,
        most: int,
        with_times: bool = False,
    ) -> tuple[ConversationChanges, Surroundings | None]:
        found, invited = await self.changes.find(
            actor,
            known.instant,
            next_since=reading.next_since,
            after=after,
            most_departures=most,
            with_times=with_times,
            query_beside=self.invitations.query_first if is_first else None,
        )
        if not is_first:
            return found, None
        invitations, next_cursor = await self.invitations.list_first(
            actor, invited, limit=_INVITATIONS
        )
        return found, Surroundings(found.user, found.restriction, invitations, next_cursor)

    async def _load(
        self, actor: Actor, conversation_ids: Sequence[ConversationId], reading: Reading
    ) -> dict[ConversationId, SyncedConversation]:
        """Those of the conversations that the actor still has, in this order."""
        found, profiles = await self.changes.load(
            actor, conversation_ids, reading.next_since, self.store.query_profiles
        )
        return {key: _synced(found[key], profiles) for key in conversation_ids if key in found}


def _synced(
    loaded: LoadedConversation, profiles: Mapping[GroupId, ChannelProfile]
) -> SyncedConversation:
    if loaded.seen is None:
        return SyncedConversation(loaded, None, None)
    access, stream = loaded.seen
    profile = profiles.get(access.group.group_id) if access.group.is_channel else None
    if profile is None:
        return SyncedConversation(loaded, None, loaded.seen)
    return SyncedConversation(loaded, Channel(access, stream, profile), None)


def _repeated(item: SyncedConversation | None, may_repeat: bool) -> SyncedConversation | None:
    if item is None or not may_repeat:
        return item
    return SyncedConversation(item.loaded, item.channel, item.group, may_repeat=True)


def _parsed(token: str) -> Since:
    key = decode_cursor(_TOKEN, token, int, int, str)
    assert key is not None, "there is one"
    return Since(int(key[0]), frozenset(decode_marks(str(key[2]))), int(key[1]))


def _folders(found: ConversationChanges, now: datetime) -> list[GroupTotal]:
    return policy.group_totals(found.snapshot, found.group_names, now)


def _size_of(item: SyncedConversation | SyncedEnd | None) -> int:
    """The approximate size of the item's JSON, in bytes."""
    if not isinstance(item, SyncedConversation):
        return _ENDED_BYTES
    listed = item.loaded.listed
    settings = listed.conversation.settings
    texts = (settings.draft, settings.custom_data, *settings.groups, listed.title, listed.face_url)
    rough = _ITEM_BYTES + 6 * sum(map(len, texts))
    if rough > 6_000:
        rough = _ITEM_BYTES + json_size(*texts)
    if item.channel is not None:
        return rough + size_of(item.channel)
    return rough + (json_size(item.group[0].group) if item.group is not None else 0)
