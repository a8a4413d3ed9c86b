"""Checks of finished deletions: nothing from before them holds the id of a deleted user.

The record of a finished deletion does not name the user, so the check hashes every id that is stored, with the key of
the records. A person who came back with the same id is new: what is younger than the deletion is theirs, so places
without a time (`Place.at`) cannot be checked this way. `checks_of_user` takes the id, and reads everything.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from channels.user_data.models import digest_of, parts_of
from channels.user_data.registry import PLACES_OF
from channels.user_data.store.deletions import DeletionStore
from channels.user_data.store.walk import holds, values_at
from groups.kernel.data_checks import Check, Finding
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Document
from groups.kernel.mongo.snapshot import Snapshot
from groups.kernel.personal_data import Place, Then

_DELETIONS: Final = "user_deletions"
_CACHED: Final = 100_000
_NOT_READ: Final = "blobs."
"""Collections of bytes: of uploads, which name nobody."""


def checks(database: Database) -> list[Check]:
    """Return the checks of deletions."""
    audit = _Audit(deletions=DeletionStore(database))
    return [
        Check(
            "P9",
            "nothing is left of users who were deleted",
            "deletions",
            lambda snapshot: snapshot.count(_DELETIONS, [_IS_DONE]),
            audit.find_left,
        )
    ]


def checks_of_user(database: Database, user_id: UserId) -> list[Check]:
    """Return the check that no document holds this id, which reads the whole database."""
    search = _Search(database=database, user_id=user_id)
    return [
        Check(
            "P9",
            "no document holds the id",
            "collections",
            search.count,
            search.find_anywhere,
        )
    ]


_IS_DONE: Final[Document] = {"$match": {"state": "done"}}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    deletions: DeletionStore

    async def find_left(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Documents from before the end of a deletion that hold its user's id."""
        key = await self.deletions.find_key()
        ends: dict[str, datetime] = {
            row["_id"]: row["finished_at"] async for row in snapshot.rows(_DELETIONS, [_IS_DONE])
        }
        if key is None or not ends:
            return
        for collection, places in PLACES_OF.items():
            await snapshot.renew()
            checked = [
                place for place in places if place.at is not None and place.then is not Then.PASSES
            ]
            if not checked:
                continue
            shown = {place.path: 1 for place in checked} | {str(place.at): 1 for place in checked}
            digests: dict[str, str] = {}
            async for row in snapshot.rows(collection, [{"$project": shown}]):
                for place, digest in _held(row, checked, key, digests):
                    end, at = ends.get(digest), _at(row, place)
                    if end is not None and at is not None and at <= end:
                        problem = f"holds in {place.path} the id of a user who was deleted"
                        yield Finding("P9", f"{collection} {row['_id']}", problem)


def _held(
    row: Mapping[str, Any], places: list[Place], key: bytes, digests: dict[str, str]
) -> list[tuple[Place, str]]:
    found = []
    for place in places:
        for text in values_at(row, place.path.split(".")):
            for each in parts_of(text) if place.is_part else (text,):
                if each not in digests:
                    if len(digests) >= _CACHED:
                        digests.clear()
                    digests[each] = digest_of(key, each)
                found.append((place, digests[each]))
    return found


def _at(row: Mapping[str, Any], place: Place) -> datetime | None:
    value: Any = row
    for name in str(place.at).split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, datetime) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    database: Database
    user_id: UserId

    async def count(self, _: Snapshot) -> int:
        return len(await self._names())

    async def _names(self) -> list[str]:
        names = await self.database.collection_names()
        return [name for name in names if not name.startswith(_NOT_READ)]

    async def find_anywhere(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The number of documents of each collection that hold the id, as a value or a part of a key."""
        found: Counter[str] = Counter()
        for name in await self._names():
            await snapshot.renew()
            async for row in snapshot.rows(name, []):
                found[name] += self._holds(name, row)
        for name, times in found.items():
            if times:
                noun = "document holds" if times == 1 else "documents hold"
                yield Finding("P9", name, f"{times} {noun} the id")

    def _holds(self, name: str, row: Document) -> bool:
        if name == "events":
            # The event that says so to back ends; it ends with the log.
            told = [event for event in row["events"] if event["type"] == "user.deleted"]
            row = {**row, "events": [event for event in row["events"] if event not in told]}
        body = row.get("body")
        if name == "webhook_deliveries" and row.get("event_type") == "user.deleted":
            return False
        in_body = isinstance(body, bytes) and f'"{self.user_id}"'.encode() in body
        return in_body or holds(row, self.user_id)
