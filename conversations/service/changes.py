"""What changed among a user's conversations since an instant, and pages of them, for a device that was offline.

Facts that a list shows lie in several documents: the membership, the profile of the group or of the other side, the
user's settings and read cursor, and the stream. Each has the time of its last change, so nothing is written for each
reader. A change is found by the clock of the process that made it and is visible later, so a reader asks from a little
before its last reading, and recognises by its mark what it reads twice (`groups.service.membership.sync`).

Promises:
    The same for any number: two commands find all changes, one loads a page of them. A third finds the ends of
    conversations whose group was disbanded and is being cleaned up.
    Shared: users who ask at the same time share these commands, as far as they were here last about as long ago. A user
    with many conversations has the second one for themselves.
    Complete: settings are read before heads, and memberships before departures, so whatever ends meanwhile is found as
    one or the other, or has a time that the next reading covers.
    Exact marks: a mark is made of the versions that were read with the content or before it. The same mark never stands
    for two contents.
"""

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from conversations.models import (
    C2C_PREFIX,
    DEFAULT_SETTINGS,
    NO_USER_SETTINGS,
    ConversationGroup,
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
from conversations.service.conversation_list import listed_conversation
from conversations.service.guard import dialogues_among, heads_of_existing, streams_of
from conversations.service.list_reader import FEW, Shown
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.batching.pages import PageBatcher, each_page
from groups.kernel.clock import Clock
from groups.kernel.errors import AnswerTooLarge
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Changed, Database
from groups.models import (
    AccessContext,
    Departure,
    DepartureKind,
    Head,
    Member,
    MembershipRow,
    Stream,
    User,
    UserRestriction,
    stream_of,
)
from groups.service.access.membership_reader import MembershipReader, summary_of
from groups.service.membership.sync import ChangeReader, mark_of, order_of
from groups.service.moderation.restrictions import UserRestrictions
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
    """All conversations of a user as they are, the changes among them in order, their conversation groups' names.

    There may be more ends behind `horizon`, unless that is None; changes behind it are left out.
    """

    snapshot: ConversationSnapshot
    group_names: Sequence[str]
    user: User
    restriction: UserRestriction | None
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


USERS_A_QUERY: Final = 32
"""Bounds the rows of a query: a user may have thousands of conversations."""
LOADS_A_QUERY: Final = 16  # pages, which have drafts of up to 12 kB and profiles
_DEPARTURES_A_QUERY: Final = 1_000
_YOUNG: Final = timedelta(minutes=5)
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
        """The changes of the conversation since then, as a mark, and when; no mark where nothing changed."""
        membership = self.memberships.get(key, _OLD_MEMBERSHIP)
        settings = self.settings.get(key, DEFAULT_SETTINGS)
        profile = self.profiles.get(key, _OLD_PROFILE)
        head = self.heads.get(key, _OLD_HEAD)
        written_ms = max(head.active_ms, head.changed_ms)
        at_ms = max(membership.changed_ms, settings.changed_ms, profile.changed_ms, written_ms)
        if at_ms < since_ms:
            return _State(b"", at_ms)
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
        return _State(mark_of(*parts), at_ms)


class _State(NamedTuple):
    mark: bytes
    at_ms: int


class _Wanted(NamedTuple):
    """The changes that a user asks for."""

    user_id: UserId
    since: datetime
    after: str
    most_departures: int


class _Page(NamedTuple):
    """Common ground of users who share commands: `age` is about how long ago they were here last.

    A command asks from the instant of the one who was away longest.
    """

    with_times: bool
    age: int
    query_beside: "QueryOfUsers[Any] | None"


class _Others(NamedTuple):
    """Changes by others of the conversations of some users: their heads, and the profiles that they show."""

    heads: Changed[StreamId, Head]
    profiles: "_ProfileQueries"


@dataclass(frozen=True, slots=True)
class _Own:
    """Everything stored of one user; `others` is None where their conversations are many."""

    memberships: Changed[StreamId, MembershipRow]
    settings: UserSettings
    groups: Sequence[ConversationGroup]
    departures: Sequence[Departure]
    user: User
    restriction: UserRestriction | None
    dialogues: Sequence[Dialogue]
    beside: Any
    """The rows that the package above asked for, of all users of the command."""
    others: _Others | None = None

    @property
    def is_few(self) -> bool:
        return len(self.memberships.all) + len(self.dialogues) <= FEW


B = TypeVar("B")
QueryBeside = Callable[[Sequence[GroupId]], BatchedQuery[dict[GroupId, B]]]
"""Makes the query for what the package above has of groups."""
QueryOfUsers = Callable[[Collection[UserId]], BatchedQuery[B]]
"""Makes the query for what the package above asks of users, whose result they share."""


class _Load(NamedTuple):
    """The page of conversations that a user wants."""

    user_id: UserId
    conversation_ids: tuple[ConversationId, ...]
    since: datetime

    @property
    def group_ids(self) -> list[GroupId]:
        return [one for key in self.conversation_ids if (one := group_of(key)) is not None]

    @property
    def dialogues(self) -> list[Dialogue]:
        keys = [key for key in self.conversation_ids if group_of(key) is None]
        return dialogues_among(self.user_id, keys)


class _LoadPage(NamedTuple):
    """Common ground of users who share the command that loads their pages; `age` as in `_Page`."""

    age: int
    query_beside: QueryBeside[Any]


@dataclass(frozen=True, slots=True)
class _Facts:
    """The parts of a page: the user's own, and those shared with the others who asked."""

    settings: Mapping[ConversationId, ConversationSettings]
    members: Mapping[GroupId, tuple[Member, int]]
    profiles: "_ProfileQueries"
    shown: Shown
    beside: Mapping[GroupId, Any]


@dataclass(kw_only=True, slots=True)
class ConversationChangeReader:
    """Finds changed conversations of the actor, and loads pages of conversations with their groups."""

    database: Database
    changes: ChangeReader
    memberships: MembershipReader
    users: UserService
    restrictions: UserRestrictions
    settings: ConversationSettingsStore
    groups: ConversationGroupStore
    clock: Clock
    _batcher: PageBatcher[_Page, _Wanted, _Own] = field(init=False)
    _loader: "PageBatcher[_LoadPage, _Load, _Facts]" = field(init=False)

    def __post_init__(self) -> None:
        self._batcher = PageBatcher(each_page(self._read_users), max_weight=USERS_A_QUERY)
        self._loader = PageBatcher(each_page(self._read_loads), max_weight=LOADS_A_QUERY)

    async def find(
        self,
        actor: Actor,
        since: datetime,
        *,
        next_since: datetime,
        after: str,
        most_departures: int,
        with_times: bool = False,
        query_beside: QueryOfUsers[B] | None = None,
    ) -> tuple[ConversationChanges, B | None]:
        """The changes at or after the instant, behind the key `after`, and what the package above asks of users.

        `next_since` is the instant from which the next reading will ask. `with_times` loads when each conversation was
        active. Users who ask at the same time share the result of `query_beside`.
        """
        wanted = _Wanted(actor.user_id, since, after, most_departures)
        page = _Page(with_times, self._age(since), query_beside)
        own = await self._batcher.find(page, wanted)
        if own is None:
            raise AnswerTooLarge
        others = own.others
        if others is None:
            others = await self._read_others([own], since, with_times=with_times)
        since_ms, dialogues = _ms(since), own.dialogues
        snapshot = ConversationSnapshot(
            actor.user_id,
            own.memberships.all,
            own.settings,
            others.heads.all,
            heads_of_existing(dialogues, others.heads.all),
        )
        departures = own.departures
        horizon = _key_of(departures[-1]) if len(departures) == most_departures else None
        ended = await self._find_ended(actor, snapshot, dialogues, since)
        departed = {_conversation_of(departure): departure for departure in [*departures, *ended]}
        # The instant that was asked for may be that of another user, who was away longer.
        changed = _Changed(
            {
                key: row
                for key, row in own.memberships.changed.items()
                if row.changed_ms >= since_ms
            },
            {key: one for key, one in own.settings.settings.items() if one.changed_ms >= since_ms},
            _changed_profiles(own, others, since_ms),
            _changed_heads(own, others.heads.changed, since_ms),
        )
        found = _ends(departed, snapshot) + _changes(
            snapshot, changed, departed, since_ms, _ms(next_since)
        )
        found = [
            one for one in found if one.key > after and (horizon is None or one.key <= horizon)
        ]
        found.sort()
        names = [group.name for group in own.groups]
        restriction = policy.active_restriction(actor, own.restriction, self.clock.now())
        changes = ConversationChanges(snapshot, names, own.user, restriction, found, horizon)
        return changes, own.beside

    async def _read_users(
        self, page: "_Page", wanted: Sequence["_Wanted"]
    ) -> dict["_Wanted", "_Own"]:
        """Read everything stored of each user, and for those with few conversations, what others changed of these."""
        user_ids = list({one.user_id for one in wanted})
        since = min(one.since for one in wanted)
        of_memberships = self.changes.query_memberships(user_ids, since, with_times=page.with_times)
        of_settings = self.settings.query_user_settings(user_ids, since)
        of_groups = self.groups.query_groups(user_ids)
        of_departures = self._query_departures(wanted)
        of_users = self.users.query_users(user_ids)
        of_restrictions = self.restrictions.query(user_ids)
        of_beside = page.query_beside(user_ids) if page.query_beside is not None else None
        try:
            await self.database.fetch_together(
                *(of_memberships, of_settings, of_groups, of_departures),
                *(of_users, of_restrictions),
                *([of_beside] if of_beside is not None else []),
            )
        except AnswerTooLarge:
            if len(wanted) == 1:
                return {}  # and not an error for those who asked at the same time
            raise
        departures = await self._departures_of(wanted, of_departures.result)
        found: dict[_Wanted, _Own] = {}
        for one in wanted:
            user_id = one.user_id
            settings = of_settings.result.get(user_id, NO_USER_SETTINGS)
            found[one] = _Own(
                of_memberships.result.get(user_id) or Changed({}, {}),
                settings,
                of_groups.result.get(user_id, ()),
                departures[one],
                of_users.result.get(user_id) or User(user_id=user_id),
                of_restrictions.result.get(user_id),
                dialogues_among(user_id, settings.dialogues),
                of_beside.result if of_beside is not None else None,
            )
        few = {one: own for one, own in found.items() if own.is_few}
        if few:
            others = await self._read_others(list(few.values()), since, with_times=page.with_times)
            found |= {one: replace(own, others=others) for one, own in few.items()}
        return found

    def _query_departures(self, wanted: Sequence["_Wanted"]) -> BatchedQuery[list[Departure]]:
        if len(wanted) == 1:
            return self._query_departures_of(wanted[0])
        user_ids, since = {one.user_id for one in wanted}, min(one.since for one in wanted)
        return self.changes.query_departures_of_users(user_ids, since, limit=_DEPARTURES_A_QUERY)

    def _query_departures_of(self, one: "_Wanted") -> BatchedQuery[list[Departure]]:
        return self.changes.query_departures(
            one.user_id, one.since, after=one.after, limit=one.most_departures
        )

    async def _departures_of(
        self, wanted: Sequence["_Wanted"], found: list[Departure]
    ) -> dict["_Wanted", list[Departure]]:
        """The departures for which each asked; each has a command of their own in the rare case that not all came."""
        if len(wanted) == 1:
            return {wanted[0]: found}
        if len(found) == _DEPARTURES_A_QUERY:
            queries = [self._query_departures_of(one) for one in wanted]
            await asyncio.gather(*map(self.database.fetch_together, queries))
            return {one: query.result for one, query in zip(wanted, queries, strict=True)}
        of_users: dict[UserId, list[Departure]] = {}
        for departure in found:
            of_users.setdefault(departure.user_id, []).append(departure)
        return {
            one: [
                departure
                for departure in of_users.get(one.user_id, ())
                if departure.at >= one.since and _key_of(departure) > one.after
            ][: one.most_departures]
            for one in wanted
        }

    async def _read_others(
        self, users: Sequence["_Own"], since: datetime, *, with_times: bool
    ) -> "_Others":
        """The heads of the users' conversations, and the profiles that changed, with one command."""
        dialogues = [dialogue for own in users for dialogue in own.dialogues]
        memberships = [row for own in users for row in own.memberships.all.items()]
        stream_ids = {stream_id for stream_id, _ in memberships} | streams_of(dialogues)
        group_ids = {row.group_id for _, row in memberships}
        of_heads = self.memberships.query_heads(stream_ids, since, with_times=with_times)
        profiles = _ProfileQueries.of(self, group_ids, dialogues, since)
        await self.database.fetch_together(of_heads, *profiles.queries)
        return _Others(of_heads.result, profiles)

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
        query_beside: QueryBeside[B],
    ) -> tuple[dict[ConversationId, LoadedConversation], Mapping[GroupId, B]]:
        """Those of the conversations that the actor has, hidden or not, and what the package above has of their groups.

        Marks cover changes of profiles at or after the instant, as those of `find` with the same instant do. Users who
        ask at the same time share the one command, and the objects that it finds of groups.
        """
        if not conversation_ids:
            return {}, {}
        wanted = _Load(actor.user_id, tuple(conversation_ids), since)
        facts = await self._loader.find(_LoadPage(self._age(since), query_beside), wanted)
        assert facts is not None, "every user has facts"
        shown, settings, dialogues = facts.shown, facts.settings, wanted.dialogues
        seen: dict[ConversationId, tuple[AccessContext, Stream]] = {}
        rows: dict[ConversationId, MembershipRow] = {}
        for group_id, (member, changed_ms) in facts.members.items():
            key = conversation_of(group_id)
            group, stream = shown.groups.get(group_id), shown.streams.get(key)
            if group is not None and stream is not None:
                seen[key] = policy.access_of(actor, group, member), stream
                rows[key] = MembershipRow(
                    group_id,
                    member.joined_seq,
                    _ms(member.joined_at),
                    member.role.value,
                    changed_ms,
                )
        summaries = {key: summary_of(access, stream) for key, (access, stream) in seen.items()}
        heads = {key: summary.head for key, summary in summaries.items()}
        for dialogue in dialogues:
            if dialogue.stream_id in shown.streams:
                heads[dialogue.conversation_id] = shown.streams[dialogue.stream_id].head
        profiles = facts.profiles.read(dialogues, wanted.group_ids, _ms(since))
        state_of = partial(_Changed(rows, settings, profiles, heads).state_of, since_ms=_ms(since))
        now = self.clock.now()
        loaded: dict[ConversationId, LoadedConversation] = {}
        for key, of_group in summaries.items():
            own = settings.get(key, DEFAULT_SETTINGS)
            conversation = conversation_from(actor.user_id, key, rows[key], heads[key], own)
            listed = listed_conversation(conversation, of_group, now)
            loaded[key] = LoadedConversation(listed, seen[key], *state_of(key))
        for dialogue in dialogues:
            key = dialogue.conversation_id
            stored, summary = settings.get(key), shown.summary_of_dialogue(dialogue)
            if stored is not None and summary is not None:
                conversation = dialogue_conversation(key, summary.head, stored)
                listed = listed_conversation(conversation, summary, now)
                loaded[key] = LoadedConversation(listed, None, *state_of(key))
        return loaded, facts.beside

    async def _read_loads(
        self, page: "_LoadPage", wanted: Sequence["_Load"]
    ) -> dict["_Load", "_Facts"]:
        """Read the parts of the conversations of several users, with one command."""
        keys = {(one.user_id, key) for one in wanted for key in one.conversation_ids}
        pairs = {(group_id, one.user_id) for one in wanted for group_id in one.group_ids}
        group_ids = {group_id for group_id, _ in pairs}
        dialogues = [dialogue for one in wanted for dialogue in one.dialogues]
        of_settings = self.settings.query_timed_settings(keys)
        of_members = self.memberships.query_members(pairs)
        profiles = _ProfileQueries.of(self, group_ids, dialogues, min(one.since for one in wanted))
        of_beside = page.query_beside(list(group_ids))
        of_groups = self.memberships.query_groups(profiles.group_ids)
        of_users = self.users.query_users(profiles.user_ids)
        of_streams = self.memberships.query_streams(
            {*map(stream_of, group_ids), *streams_of(dialogues)}
        )
        # In this order: versions before the content, and read cursors before heads, which only grow.
        await self.database.fetch_together(
            of_settings, of_members, *profiles.queries, of_beside, of_groups, of_users, of_streams
        )
        shown = Shown(of_groups.result, of_streams.result, of_users.result)
        settings, members = of_settings.result, of_members.result
        return {
            one: _Facts(
                {
                    key: settings[one.user_id, key]
                    for key in one.conversation_ids
                    if (one.user_id, key) in settings
                },
                {
                    group_id: members[group_id, one.user_id]
                    for group_id in one.group_ids
                    if (group_id, one.user_id) in members
                },
                profiles,
                shown,
                of_beside.result,
            )
            for one in wanted
        }

    def _age(self, since: datetime) -> int:
        """About how long ago the instant is: the next number for each eightfold of time."""
        return ((self.clock.now() - since) // _YOUNG).bit_length() // 3


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
        group_ids: Iterable[GroupId],
        dialogues: Sequence[Dialogue],
        since: datetime,
    ) -> "_ProfileQueries":
        channel_ids = [one.channel_id for one in dialogues if one.channel_id is not None]
        user_ids = list({UserId(one.peer_id) for one in dialogues if one.channel_id is None})
        shown = list({*group_ids, *channel_ids})
        queries: list[BatchedQuery[Any]] = [reader.changes.query_versions(shown, since)]
        if user_ids:
            queries.append(reader.users.query_changed(user_ids, since))
        return cls(shown, user_ids, queries)

    def read(
        self, dialogues: Sequence[Dialogue], group_ids: Container[GroupId], since_ms: int
    ) -> dict[ConversationId, _Profile]:
        """The profiles that changed since then, by the conversations with these groups, and the dialogues, with them.

        The queries may have asked from an earlier instant, and for more conversations.
        """
        versions = self.queries[0].result
        found: dict[ConversationId, _Profile] = {
            conversation_of(group_id): _Profile(version.version, version.changed_ms)
            for group_id, version in versions.items()
            if group_id in group_ids
        }
        users: Mapping[UserId, int] = self.queries[1].result if self.user_ids else {}
        for dialogue in dialogues:
            if dialogue.channel_id is not None:
                version = versions.get(dialogue.channel_id)
                if version is not None:
                    found[dialogue.conversation_id] = _Profile(version.version, version.changed_ms)
            elif (changed_ms := users.get(UserId(dialogue.peer_id))) is not None:
                # Two changes within a millisecond would need two transactions within one.
                found[dialogue.conversation_id] = _Profile(changed_ms, changed_ms)
        return {key: one for key, one in found.items() if one.changed_ms >= since_ms}


def _changed_heads(
    own: _Own, heads: Mapping[StreamId, Head], since_ms: int
) -> dict[ConversationId, Head]:
    """The heads that changed, by the ids that the user has for their conversations."""
    memberships = own.memberships.all
    changed = {
        key: head
        for key, head in heads.items()
        if head.active_ms >= since_ms or head.changed_ms >= since_ms
    }
    of_groups = {key: head for key, head in changed.items() if key in memberships}
    of_dialogues = {
        dialogue.conversation_id: changed[dialogue.stream_id]
        for dialogue in own.dialogues
        if dialogue.stream_id in changed
    }
    return of_groups | of_dialogues


def _changed_profiles(own: _Own, others: _Others, since_ms: int) -> dict[ConversationId, _Profile]:
    """The profiles that changed, by the user's conversations that show them."""
    group_ids = {row.group_id for row in own.memberships.all.values()}
    return others.profiles.read(own.dialogues, group_ids, since_ms)


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
        is_same = next_since_ms == since_ms
        next_mark = mark if is_same else changed.state_of(key, next_since_ms).mark
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


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
