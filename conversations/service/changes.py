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
from typing import Any, NamedTuple

from conversations.models import (
    C2C_PREFIX,
    DEFAULT_SETTINGS,
    Conversation,
    ConversationId,
    ConversationSettings,
    ConversationSnapshot,
    Dialogue,
    ListedConversation,
    UserSettings,
    conversation_from,
    conversation_of,
    dialogue_conversation,
    group_of,
)
from conversations.service.guard import dialogues_among, heads_of_existing, streams_of
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
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
    """A conversation as a list shows it, with its stream's version; `seen` is its group with the user's role.

    `mark` and `at_ms` are as in a change.
    """

    listed: ListedConversation
    version: int
    seen: tuple[AccessContext, Stream] | None
    mark: bytes
    at_ms: int


class _Profile(NamedTuple):
    """The version of the profile that a conversation shows, where it changed lately; zeros where it did not."""

    version: int = 0
    changed_ms: int = 0


_OLD: _Profile = _Profile()
_NO_MEMBERSHIP = MembershipRow(GroupId(""), 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationChangeReader:
    """Finds changed conversations of the actor, and loads pages of conversations with their groups."""

    database: Database
    changes: ChangeReader
    memberships: MembershipReader
    users: UserService
    settings: ConversationSettingsStore
    groups: ConversationGroupStore

    async def find(
        self,
        actor: Actor,
        since: datetime,
        *beside: BatchedQuery[Any],
        next_since: datetime,
        after: str,
        most_departures: int,
    ) -> ConversationChanges:
        """The changes at or after the instant, behind the key `after`; `beside` are sent with the first command.

        `next_since` is the instant from which the next reading will ask.
        """
        user_id = actor.user_id
        of_memberships = self.changes.query_memberships(user_id)
        of_settings = self.settings.query_user_settings(user_id)
        of_groups = self.groups.query_groups(user_id)
        of_departures = self.changes.query_departures(
            user_id, since, after=after, limit=most_departures
        )
        await self.database.fetch_together(
            of_memberships, of_settings, of_groups, of_departures, *beside
        )
        memberships, settings = of_memberships.result, of_settings.result
        dialogues = dialogues_among(user_id, settings.dialogues)
        of_heads = self.memberships.query_heads({*memberships, *streams_of(dialogues)})
        profiles = _ProfileQueries.of(
            self, [one.group_id for one in memberships.values()], dialogues, since
        )
        await self.database.fetch_together(of_heads, *profiles.queries)
        heads = of_heads.result
        snapshot = ConversationSnapshot(
            memberships, settings, heads, heads_of_existing(dialogues, heads)
        )
        departures = of_departures.result
        horizon = _key_of(departures[-1]) if len(departures) == most_departures else None
        ended = await self._without_ended(actor, snapshot, dialogues, since)
        departed = {_conversation_of(departure): departure for departure in [*departures, *ended]}
        found = _ends(departed, snapshot) + _changes(
            snapshot, profiles.read(dialogues), _ms(since), _ms(next_since), departed
        )
        found = [
            one for one in found if one.key > after and (horizon is None or one.key <= horizon)
        ]
        found.sort()
        return ConversationChanges(
            snapshot, [group.name for group in of_groups.result], found, horizon
        )

    async def _without_ended(
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
        versions = profiles.read(dialogues)
        loaded: dict[ConversationId, LoadedConversation] = {}
        for group_id, (member, changed_ms) in of_members.result.items():
            key = conversation_of(group_id)
            group, stream = groups.get(group_id), streams.get(key)
            if group is None or stream is None:
                continue
            access = policy.access_of(actor, group, member)
            row = MembershipRow(
                group_id, member.joined_seq, _ms(member.joined_at), member.role.value, changed_ms
            )
            own = settings.get(key, DEFAULT_SETTINGS)
            conversation = conversation_from(key, row, stream.head, own)
            loaded[key] = _loaded(
                conversation,
                summary_of(access, stream),
                (access, stream),
                _state(key, row, own, versions.get(key, _OLD), stream.head),
            )
        users = {user: profile for user, (profile, _) in of_users.result.items()}
        for dialogue in dialogues:
            key = dialogue.conversation_id
            stream, stored = streams.get(dialogue.stream_id), settings.get(key)
            if stream is None or stored is None:
                continue
            summary = _dialogue_summary(dialogue, stream, groups, users)
            if summary is not None:
                loaded[key] = _loaded(
                    dialogue_conversation(key, stream.head, stored),
                    summary,
                    None,
                    _state(key, _NO_MEMBERSHIP, stored, versions.get(key, _OLD), stream.head),
                )
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


class _State(NamedTuple):
    mark: bytes
    at_ms: int


def _state(
    key: ConversationId,
    membership: MembershipRow,
    settings: ConversationSettings,
    profile: _Profile,
    head: Head,
) -> _State:
    """The mark of what a list shows of the conversation, and when the last of it changed."""
    mark = mark_of(
        key,
        profile.version,
        profile.changed_ms,
        membership.role,
        membership.joined_ms,
        membership.changed_ms,
        settings.read_seq,
        settings.version,
        settings.changed_ms,
        head.head_seq,
        head.version,
    )
    at_ms = max(
        profile.changed_ms,
        membership.changed_ms,
        settings.changed_ms,
        head.active_ms,
        head.changed_ms,
    )
    return _State(mark, at_ms)


def _changes(
    snapshot: ConversationSnapshot,
    profiles: Mapping[ConversationId, _Profile],
    since_ms: int,
    next_since_ms: int,
    departed: Collection[ConversationId],
) -> list[ConversationChange]:
    """The conversations that changed at or after the time, and those that the user left and has again."""
    found: list[ConversationChange] = []
    changed_ms = snapshot.user_settings.changed_ms
    for memberships, heads in (
        (snapshot.memberships, snapshot.heads),
        (dict.fromkeys(snapshot.dialogues, _NO_MEMBERSHIP), snapshot.dialogues),
    ):
        for key, membership in memberships.items():
            head = heads.get(key)
            if head is None:
                continue
            # The common case first: a user may have thousands that did not change.
            if (
                head.active_ms < since_ms
                and head.changed_ms < since_ms
                and membership.changed_ms < since_ms
                and changed_ms.get(key, 0) < since_ms
                and key not in profiles
                and key not in departed
            ):
                continue
            settings = _settings_of(snapshot.user_settings, key)
            profile = profiles.get(key, _OLD)
            mark, at_ms = _state(key, membership, settings, profile, head)
            next_mark = mark
            if 0 < profile.changed_ms < next_since_ms:
                next_mark = _state(key, membership, settings, _OLD, head).mark
            found.append(ConversationChange(_order(key), key, mark, next_mark, at_ms, None))
    return found


def _settings_of(user_settings: UserSettings, key: ConversationId) -> ConversationSettings:
    changed_ms = user_settings.changed_ms.get(key, 0)
    return user_settings.settings_of(key)._replace(changed_ms=changed_ms)


def _ends(
    departed: Mapping[ConversationId, Departure], snapshot: ConversationSnapshot
) -> list[ConversationChange]:
    """The conversations that the user no longer has."""
    ended: list[ConversationChange] = []
    for key, departure in departed.items():
        is_back = key in snapshot.dialogues or (
            key in snapshot.memberships and key in snapshot.heads
        )
        if is_back:
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


def _loaded(
    conversation: Conversation,
    summary: MembershipSummary,
    seen: tuple[AccessContext, Stream] | None,
    state: _State,
) -> LoadedConversation:
    listed = ListedConversation(
        conversation, summary.title, summary.face_url, summary.last_message, summary.verified
    )
    return LoadedConversation(listed, summary.head.version, seen, *state)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
