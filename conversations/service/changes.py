"""What changed among a user's conversations since an instant, and pages of them, for a device that was offline.

Facts that a list shows lie in several documents: the membership, the profile of the group or of the other side, the
user's settings and read cursor, and the stream. Each has the time of its last change, so nothing is written for each
reader. A change is found by the clock of the process that made it and is visible later, so a reader asks from a little
before its last reading, and recognises by its mark what it reads twice (`groups.service.membership.sync`).

Promises:
    The same for any number: two commands find all changes, one loads a page of them. A third finds the ends of
    conversations whose group was disbanded and is being cleaned up.
    Complete: settings are read before heads, and memberships before departures, so whatever ends meanwhile is found as
    one or the other, or has a time that the next reading covers.
    Exact marks: a mark is made of the versions that were read with the content or before it. The same mark never stands
    for two contents.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from conversations.models import (
    C2C_PREFIX,
    DEFAULT_SETTINGS,
    ConversationId,
    ConversationSettings,
    ConversationSnapshot,
    Dialogue,
    ListedConversation,
    conversation_from,
    conversation_of,
    dialogue_conversation,
    group_of,
)
from conversations.service.conversation_list import listed_conversation
from conversations.service.guard import dialogues_among, heads_of_existing, streams_of
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Database
from groups.models import (
    AccessContext,
    Departure,
    DepartureKind,
    Group,
    Head,
    MembershipRow,
    Stream,
    User,
    stream_of,
)
from groups.service.access.membership_reader import (
    MembershipReader,
    MembershipSummary,
    summary_of,
)
from groups.service.membership.sync import ChangeReader, mark_of, order_of
from groups.service.users import UserService


class ConversationChange(NamedTuple):
    """A conversation that changed, or ended (`ended`), at `at_ms`; `key` is its order.

    The same state has the same `mark`. `next_mark` is that of the same state for the next reading, which asks from a
    later time and so finds fewer changes of profiles.
    """

    key: str
    conversation_id: ConversationId
    mark: bytes
    next_mark: bytes
    at_ms: int
    ended: Departure | None


@dataclass(frozen=True, slots=True)
class ConversationChanges:
    """All conversations of a user as they are, the changes among them in order, and their conversation groups' names.

    There may be more ends behind `horizon`, unless that is None; changes behind it are left out.
    """

    snapshot: ConversationSnapshot
    group_names: Sequence[str]
    changes: Sequence[ConversationChange]
    horizon: str | None


@dataclass(frozen=True, slots=True)
class LoadedConversation:
    """A conversation as a list shows it; `seen`: its group with the user's role; `mark` and `at_ms` as in a change."""

    listed: ListedConversation
    seen: tuple[AccessContext, Stream] | None
    mark: bytes
    at_ms: int


class _Profile(NamedTuple):
    """The version of the profile that a conversation shows, and when it changed."""

    version: int = 0
    changed_ms: int = 0


_OLD_PROFILE: Final = _Profile()
_OLD_MEMBERSHIP: Final = MembershipRow(GroupId(""), 0)
_OLD_HEAD: Final = Head(0, False)


@dataclass(frozen=True, slots=True)
class _Changed:
    """What changed in the time that a reading covers, of each kind of fact, by the conversations that show it."""

    memberships: Mapping[ConversationId, MembershipRow]
    settings: Mapping[ConversationId, ConversationSettings]
    profiles: Mapping[ConversationId, _Profile]
    heads: Mapping[ConversationId, Head]

    def state_of(self, key: ConversationId, since_ms: int) -> "_State":
        """What changed of the conversation since then, as a mark, and when."""
        membership = self.memberships.get(key, _OLD_MEMBERSHIP)
        settings = self.settings.get(key, DEFAULT_SETTINGS)
        profile = self.profiles.get(key, _OLD_PROFILE)
        head = self.heads.get(key, _OLD_HEAD)
        written_ms = max(head.active_ms, head.changed_ms)
        # A part that changed earlier is not in the mark: the next reading does not find it either.
        parts: list[str | int] = [key]
        if membership.changed_ms >= since_ms:
            parts += ["m", membership.role, membership.joined_ms, membership.changed_ms]
        if settings.changed_ms >= since_ms:
            parts += ["s", settings.read_seq, settings.version, settings.changed_ms]
        if profile.changed_ms >= since_ms:
            parts += ["p", *profile]
        if written_ms >= since_ms:
            parts += ["h", head.head_seq, head.version]
        at_ms = max(membership.changed_ms, settings.changed_ms, profile.changed_ms, written_ms)
        return _State(mark_of(*parts), at_ms)


class _State(NamedTuple):
    mark: bytes
    at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationChangeReader:
    """Finds changed conversations of the actor, and loads pages of conversations with their groups."""

    database: Database
    changes: ChangeReader
    memberships: MembershipReader
    users: UserService
    settings: ConversationSettingsStore
    groups: ConversationGroupStore
    clock: Clock

    async def find(
        self,
        actor: Actor,
        since: datetime,
        *beside: BatchedQuery[Any],
        next_since: datetime,
        after: str,
        most_departures: int,
        with_times: bool = False,
    ) -> ConversationChanges:
        """The changes at or after the instant, behind the key `after`; `beside` are sent with the first command.

        `next_since` is the instant from which the next reading will ask. `with_times` loads when each conversation was
        active.
        """
        user_id = actor.user_id
        of_memberships = self.changes.query_memberships(user_id, since, with_times=with_times)
        of_settings = self.settings.query_user_settings(user_id, since)
        of_groups = self.groups.query_groups(user_id)
        of_departures = self.changes.query_departures(
            user_id, since, after=after, limit=most_departures
        )
        await self.database.fetch_together(
            of_memberships, of_settings, of_groups, of_departures, *beside
        )
        memberships, (user_settings, settings) = of_memberships.result, of_settings.result
        dialogues = dialogues_among(user_id, user_settings.dialogues)
        of_heads = self.memberships.query_heads(
            {*memberships.all, *streams_of(dialogues)}, since, with_times=with_times
        )
        group_ids = [membership.group_id for membership in memberships.all.values()]
        profiles = _ProfileQueries.of(self, group_ids, dialogues, since)
        await self.database.fetch_together(of_heads, *profiles.queries)
        heads = of_heads.result
        snapshot = ConversationSnapshot(
            user_id,
            memberships.all,
            user_settings,
            heads.all,
            heads_of_existing(dialogues, heads.all),
        )
        departures = of_departures.result
        horizon = _key_of(departures[-1]) if len(departures) == most_departures else None
        ended = await self._find_ended(actor, snapshot, dialogues, since)
        departed = {_conversation_of(departure): departure for departure in [*departures, *ended]}
        changed = _Changed(
            memberships.changed,
            settings,
            profiles.read(dialogues),
            _by_conversation(heads.changed, dialogues),
        )
        found = _ends(departed, snapshot) + _changes(
            snapshot, changed, departed, _ms(since), _ms(next_since)
        )
        found = [
            one for one in found if one.key > after and (horizon is None or one.key <= horizon)
        ]
        found.sort()
        return ConversationChanges(
            snapshot, [group.name for group in of_groups.result], found, horizon
        )

    async def _find_ended(
        self,
        actor: Actor,
        snapshot: ConversationSnapshot,
        dialogues: Sequence[Dialogue],
        since: datetime,
    ) -> list[Departure]:
        """The ends of conversations that have a membership or settings still, and no stream any more."""
        missing = [
            (membership.group_id, False)
            for stream_id, membership in snapshot.memberships.items()
            if stream_id not in snapshot.heads
        ]
        if len(snapshot.dialogues) < len(dialogues):
            missing += [
                (dialogue.channel_id, True)
                for dialogue in dialogues
                if dialogue.channel_id is not None
                and dialogue.conversation_id not in snapshot.dialogues
            ]
        if not missing:
            return []
        return await self.changes.find_ends(self.database, actor.user_id, missing, since)

    async def load(
        self,
        actor: Actor,
        conversation_ids: Sequence[ConversationId],
        since: datetime,
        *beside: BatchedQuery[Any],
    ) -> dict[ConversationId, LoadedConversation]:
        """Those of the conversations that the actor has, hidden or not; `beside` are sent with the one command.

        Marks cover changes of profiles at or after the instant, as those of `find` with the same instant do.
        """
        if not conversation_ids:
            return {}
        user_id = actor.user_id
        group_ids = [
            group_id for key in conversation_ids if (group_id := group_of(key)) is not None
        ]
        dialogues = dialogues_among(
            user_id, [key for key in conversation_ids if group_of(key) is None]
        )
        of_settings = self.settings.query_settings(user_id, conversation_ids)
        of_members = self.memberships.query_members(user_id, group_ids)
        profiles = _ProfileQueries.of(self, group_ids, dialogues, since)
        of_groups = self.memberships.query_groups(profiles.group_ids)
        of_users = self.users.query_profiles(profiles.user_ids)
        of_streams = self.memberships.query_streams(
            {*map(stream_of, group_ids), *streams_of(dialogues)}
        )
        # In this order: versions before the content, and read cursors before heads, which only grow.
        await self.database.fetch_together(
            of_settings, of_members, *profiles.queries, *beside, of_groups, of_users, of_streams
        )
        groups, streams, settings = of_groups.result, of_streams.result, of_settings.result
        seen: dict[ConversationId, tuple[AccessContext, Stream]] = {}
        rows: dict[ConversationId, MembershipRow] = {}
        for group_id, (member, changed_ms) in of_members.result.items():
            key = conversation_of(group_id)
            group, stream = groups.get(group_id), streams.get(key)
            if group is not None and stream is not None:
                seen[key] = policy.access_of(actor, group, member), stream
                rows[key] = MembershipRow(
                    group_id,
                    member.joined_seq,
                    _ms(member.joined_at),
                    member.role.value,
                    changed_ms,
                )
        heads = {stream_id: stream.head for stream_id, stream in streams.items()}
        state_of = partial(
            _Changed(
                rows, settings, profiles.read(dialogues), _by_conversation(heads, dialogues)
            ).state_of,
            since_ms=_ms(since),
        )
        now = self.clock.now()
        loaded: dict[ConversationId, LoadedConversation] = {}
        for key, (access, stream) in seen.items():
            own = settings.get(key, DEFAULT_SETTINGS)
            conversation = conversation_from(user_id, key, rows[key], heads[key], own)
            listed = listed_conversation(conversation, summary_of(access, stream), now)
            loaded[key] = LoadedConversation(listed, (access, stream), *state_of(key))
        users = {user: profile for user, (profile, _) in of_users.result.items()}
        for dialogue in dialogues:
            key = dialogue.conversation_id
            of_dialogue, stored = streams.get(dialogue.stream_id), settings.get(key)
            if of_dialogue is None or stored is None:
                continue
            summary = _dialogue_summary(dialogue, of_dialogue, groups, users)
            if summary is not None:
                conversation = dialogue_conversation(key, of_dialogue.head, stored)
                listed = listed_conversation(conversation, summary, now)
                loaded[key] = LoadedConversation(listed, None, *state_of(key))
        return loaded


@dataclass(frozen=True, slots=True)
class _ProfileQueries:
    """The queries for the profiles that conversations show, as far as they changed."""

    group_ids: Sequence[GroupId]
    user_ids: Sequence[UserId]
    queries: Sequence[BatchedQuery[Any]]

    @classmethod
    def of(
        cls,
        reader: ConversationChangeReader,
        group_ids: Sequence[GroupId],
        dialogues: Sequence[Dialogue],
        since: datetime,
    ) -> "_ProfileQueries":
        channel_ids = [one.channel_id for one in dialogues if one.channel_id is not None]
        user_ids = [UserId(one.peer_id) for one in dialogues if one.channel_id is None]
        shown = [*group_ids, *channel_ids]
        queries: list[BatchedQuery[Any]] = [reader.changes.query_versions(shown, since)]
        if user_ids:
            queries.append(reader.users.query_changed(user_ids, since))
        return cls(shown, user_ids, queries)

    def read(self, dialogues: Sequence[Dialogue]) -> dict[ConversationId, _Profile]:
        """The profiles that changed, by the conversations that show them."""
        versions = self.queries[0].result
        found: dict[ConversationId, _Profile] = {
            conversation_of(group_id): _Profile(*version) for group_id, version in versions.items()
        }
        users: Mapping[UserId, int] = self.queries[1].result if self.user_ids else {}
        for dialogue in dialogues:
            if dialogue.channel_id is not None:
                version = versions.get(dialogue.channel_id)
                if version is not None:
                    found[dialogue.conversation_id] = _Profile(*version)
            elif (changed_ms := users.get(UserId(dialogue.peer_id))) is not None:
                # Two changes within a millisecond would need two transactions within one.
                found[dialogue.conversation_id] = _Profile(changed_ms, changed_ms)
        return found


def _by_conversation(
    heads: Mapping[StreamId, Head], dialogues: Sequence[Dialogue]
) -> dict[ConversationId, Head]:
    """The heads by the ids that the user has for their conversations."""
    of_dialogues = {
        dialogue.conversation_id: heads[dialogue.stream_id]
        for dialogue in dialogues
        if dialogue.stream_id in heads
    }
    return {**heads, **of_dialogues}


def _changes(
    snapshot: ConversationSnapshot,
    changed: _Changed,
    departed: Collection[ConversationId],
    since_ms: int,
    next_since_ms: int,
) -> list[ConversationChange]:
    """The conversations of the user that changed, and those that they left and have again."""
    keys = {
        *changed.memberships,
        *changed.settings,
        *changed.profiles,
        *changed.heads,
        *departed,
    }
    found: list[ConversationChange] = []
    for key in keys:
        if not _exists(key, snapshot):  # the profile or the stream of another one, or it ended
            continue
        mark, at_ms = changed.state_of(key, since_ms)
        next_mark = changed.state_of(key, next_since_ms).mark
        found.append(ConversationChange(_order(key), key, mark, next_mark, at_ms, None))
    return found


def _exists(key: ConversationId, snapshot: ConversationSnapshot) -> bool:
    return key in snapshot.dialogues or (key in snapshot.memberships and key in snapshot.heads)


def _ends(
    departed: Mapping[ConversationId, Departure], snapshot: ConversationSnapshot
) -> list[ConversationChange]:
    """The conversations that the user no longer has."""
    ended: list[ConversationChange] = []
    for key, departure in departed.items():
        if _exists(key, snapshot):
            continue
        at_ms = _ms(departure.at)
        mark = mark_of(key, at_ms, departure.reason.value)
        ended.append(ConversationChange(_key_of(departure), key, mark, mark, at_ms, departure))
    return ended


def _order(key: ConversationId) -> str:
    """The place of a conversation in the order of departures."""
    group_id = group_of(key)
    if group_id is not None:
        return order_of(group_id, is_dialogue=False)
    return order_of(key.removeprefix(C2C_PREFIX), is_dialogue=True)


def _key_of(departure: Departure) -> str:
    return order_of(departure.group_id, is_dialogue=departure.kind is DepartureKind.DIALOGUE)


def _conversation_of(departure: Departure) -> ConversationId:
    if departure.kind is DepartureKind.DIALOGUE:
        return Dialogue(departure.user_id, departure.group_id).conversation_id
    return conversation_of(departure.group_id)


def _dialogue_summary(
    dialogue: Dialogue,
    stream: Stream,
    groups: Mapping[GroupId, Group],
    users: Mapping[UserId, User],
) -> MembershipSummary | None:
    """The dialogue as its user's list shows it; None where its channel is gone."""
    if dialogue.channel_id is not None:
        channel = groups.get(dialogue.channel_id)
        if channel is None:
            return None
        title, face_url, verified = channel.name, channel.face_url, channel.verified
    else:
        user = users.get(UserId(dialogue.peer_id))
        title = (user.name if user else "") or dialogue.peer_id
        face_url, verified = user.face_url if user else "", False
    return MembershipSummary(title, face_url, stream.head, stream.last, verified)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
