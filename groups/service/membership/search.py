"""Finds members of a group by the beginning of their id, of their name, or of the last word of their name.

The names of all users are indexed, and not those of each group's members: that would cost every joining a read of the
user and an index entry. So a search by name goes through the users whose names fit, in steps, and keeps those who are
members.

Promises:
    Bounded: a page looks at no more than `USERS_A_PAGE` users beyond its last step, however many there are. A page may
    therefore be short, or empty, and still have a cursor to the rest.
    Complete: following the cursors finds each member who fits once, unless their name changes meanwhile.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.kernel.text.bounded import folded
from groups.models import Member
from groups.store.members import MemberStore
from groups.store.users import NamedUser, NameKey, UserStore, name_keys

USERS_A_STEP: Final = 200
USERS_A_PAGE: Final = 1_000

_KEYS: Final = (NameKey.WHOLE, NameKey.LAST_WORD)
_CURSOR: Final = "members by name"


class _Place(NamedTuple):
    """Where a search goes on: 0 is by id, then one for each of `_KEYS`; behind this key and this user."""

    stage: int
    key: str = ""
    user_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberSearch:
    """Searches the members of groups. The caller checks that the actor may list them."""

    members: MemberStore
    users: UserStore

    async def search(
        self, group_id: GroupId, words: str, *, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """A page of members who fit: by id, then by name, then by the last word of the name. Raises: BadCursor."""
        found: list[Member] = []
        place: _Place | None = _place_of(cursor)
        if place is not None and place.stage == 0:
            by_id = await self.members.list_of_group(
                group_id, after=place.user_id, limit=limit + 1, prefix=words
            )
            found, has_more = cut_page(by_id, limit)
            place = _Place(0, "", found[-1].user_id) if has_more else _Place(1)
        looked_at = 0
        while place is not None and len(found) < limit and looked_at < USERS_A_PAGE:
            rows, place = await self._step(group_id, words, place, limit - len(found))
            found += rows
            looked_at += USERS_A_STEP
        return found, encode_cursor(_CURSOR, *place) if place is not None else None

    async def _step(
        self, group_id: GroupId, words: str, place: _Place, limit: int
    ) -> tuple[list[Member], _Place | None]:
        """The next members by name, at most `limit`, and where to go on; None at the end."""
        prefix = folded(words)
        if not prefix:
            return [], None
        after = NamedUser(place.key, UserId(place.user_id)) if place.user_id else None
        named = await self.users.list_by_name(
            _KEYS[place.stage - 1], prefix, after=after, limit=USERS_A_STEP
        )
        members = await self.members.find_members(group_id, [row.user_id for row in named])
        fitting = [row for row in named if row.user_id in members]
        if place.stage > 1:
            fitting = await self._without_earlier(fitting, prefix)
        fitting = [row for row in fitting if not row.user_id.startswith(words)]
        shown = [members[row.user_id] for row in fitting[:limit]]
        if len(fitting) > limit:
            return shown, _Place(place.stage, *fitting[limit - 1])
        if len(named) == USERS_A_STEP:
            return shown, _Place(place.stage, *named[-1])
        return shown, _Place(place.stage + 1) if place.stage < len(_KEYS) else None

    async def _without_earlier(self, rows: list[NamedUser], prefix: str) -> list[NamedUser]:
        """Those of the users whom the search by the whole name has not found already."""
        users = await self.users.find_many(row.user_id for row in rows) if rows else {}
        return [
            row
            for row in rows
            if (user := users.get(row.user_id)) is not None
            and not name_keys(user.name)[NameKey.WHOLE].startswith(prefix)
        ]

    async def among(self, members: list[Member], words: str) -> list[Member]:
        """Those of a few members who fit, in the same order."""
        prefix = folded(words)
        users = await self.users.find_many(member.user_id for member in members)
        return [
            member
            for member in members
            if member.user_id.startswith(words)
            or (
                prefix
                and (user := users.get(member.user_id)) is not None
                and any(key.startswith(prefix) for key in name_keys(user.name).values())
            )
        ]


def _place_of(cursor: str | None) -> _Place:
    key = decode_cursor(_CURSOR, cursor, int, str, str)
    if key is None:
        return _Place(0)
    stage, name_key, user_id = key
    return _Place(min(max(int(stage), 0), len(_KEYS)), str(name_key), str(user_id))
