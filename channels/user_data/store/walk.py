"""Walks over the collections of all packages, by their places (`groups.kernel.personal_data`).

A walk goes by `_id`. One command has the database look at the next documents, and returns the keys of those that hold
the user's id, and where the next command goes on: so its cost in memory and on the wire is flat. On a sharded cluster
it asks every shard. It runs in the background, when a user is deleted, and for nobody else.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bson import MinKey, ObjectId, decode
from pymongo import UpdateOne

from channels.user_data.models import parts_of, with_alias
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, UserId
from groups.kernel.mongo import Collection, Database, Document, aggregate
from groups.kernel.mongo.driver import AS_BYTES
from groups.kernel.personal_data import Place, Then

_OBJECT_ID: Final = "oid:"
"""How positions begin in collections whose keys are no texts."""


@dataclass(frozen=True, slots=True)
class Walked:
    """The outcome of a step of a walk: the keys of the user's documents, and where to go on; None: the walk is over."""

    keys: Sequence[Any]
    after: str | None
    looked_at: int


class RawRow(NamedTuple):
    """A document that may hold anything, by its key."""

    key: Any
    raw: bytes

    def decode(self) -> Document:
        """The fields of the document, without its key."""
        document: Document = decode(self.raw)
        del document["_id"]
        return document


class WalkStore:
    """All collections that have places."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_keys(
        self, places: Sequence[Place], user_id: UserId, after: str, limit: int
    ) -> Walked:
        """Look at the next documents of the collection of these places."""
        collection = self._collection(places[0].collection)
        hits = [_holds(place, user_id) for place in places if place.then is not Then.PASSES]
        found = {"$push": {"$cond": [{"$or": hits}, "$_id", "$$REMOVE"]}}
        rows = await aggregate(
            collection,
            [
                {"$match": _behind(after)},
                {"$sort": {"_id": 1}},
                {"$limit": limit},
                {
                    "$group": {
                        "_id": None,
                        "last": {"$max": "$_id"},
                        "looked_at": {"$sum": 1},
                        "keys": found,
                    }
                },
            ],
        )
        if not rows:
            return Walked((), None, 0)
        row = rows[0]
        is_over = row["looked_at"] < limit
        return Walked(row["keys"], None if is_over else _to_position(row["last"]), row["looked_at"])

    async def find(self, collection: str, keys: Sequence[Any]) -> list[Document]:
        """The documents with these keys, as they are stored."""
        if not keys:
            return []
        match: Document = {"$match": {"_id": {"$in": list(keys)}}}
        return await aggregate(self._collection(collection), [match])

    async def find_of_user(
        self, place: Place, user_id: UserId, after: Any, limit: int
    ) -> list[Document]:
        """The next documents that an index on the place's field finds, by `_id`."""
        query: Document = {place.path: user_id}
        if after is not None:
            query = {place.path: user_id, "_id": {"$gt": after}}
        if place.path == "_id":
            query = {"_id": user_id}
            if after is not None:
                return []
        cursor = self._collection(place.collection).find(query, sort=[("_id", 1)], limit=limit)
        return await cursor.to_list(None)

    async def apply(
        self, places: Sequence[Place], documents: Sequence[Document], user_id: UserId, alias: str
    ) -> int:
        """Do what the places say to these documents; returns to how many. Repeating it changes nothing.

        Each document is written by itself, where it still is as it was read: a crash leaves some of them done.
        """
        collection = self._collection(places[0].collection)
        done = 0
        for document in documents:
            held = [
                place
                for place in places
                if place.then is not Then.PASSES and _is_held(place, document, user_id)
            ]
            if not held:
                continue
            done += 1
            if any(place.then is Then.DELETE for place in held):
                await collection.delete_one({"_id": document["_id"]})
                continue
            changes = {
                path: (before, after)
                for path, before, after in _renamed(document, user_id, alias)
                if path != "_id"
            }
            cleared = {name: value for place in held for name, value in place.clears.items()}
            match = {path: before for path, (before, _) in changes.items()}
            values = {
                path: after
                for path, (_, after) in changes.items()
                if not any(path == name or path.startswith(name + ".") for name in cleared)
            }
            await self._database.apply(
                collection,
                [UpdateOne({"_id": document["_id"], **match}, {"$set": {**values, **cleared}})],
                None,
            )
        return done

    async def next_raw(self, collection: str, after: str, limit: int) -> list[RawRow]:
        """The next documents, undecoded."""
        raw: Any = self._collection(collection).with_options(codec_options=AS_BYTES)
        cursor = raw.find(_behind(after), sort=[("_id", 1)], limit=limit)
        return [RawRow(row["_id"], bytes(row.raw)) for row in await cursor.to_list(None)]

    async def put_events(
        self, key: Any, events: Sequence[Any], heads: Sequence[Any] | None
    ) -> None:
        """Replace the events of a document of the log. Its lock keys, which are used at its commit only, go."""
        values: Document = {"events": list(events), "keys": []}
        if heads is not None:
            values["heads"] = list(heads)
        await self._collection("events").update_one({"_id": key}, {"$set": values})

    async def delete(self, collection: str, keys: Sequence[Any]) -> None:
        await self._collection(collection).delete_many({"_id": {"$in": list(keys)}})

    def position_of(self, key: Any) -> str:
        """The position of a walk behind the document with this key."""
        return _to_position(key)

    def _collection(self, name: str) -> Collection:
        return self._database.collection(name)


def renamed_in(value: Any, user_id: str, alias: str) -> Any:
    """The value with the alias in the place of the id, also in keys of maps."""
    if isinstance(value, str):
        return with_alias(value, user_id, alias)
    if isinstance(value, Mapping):
        return {
            with_alias(key, user_id, alias): renamed_in(each, user_id, alias)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [renamed_in(each, user_id, alias) for each in value]
    return value


def holds(value: Any, user_id: str) -> bool:
    """Whether the id is anywhere in the value, as a whole part of a text."""
    if isinstance(value, str):
        return user_id in value and user_id in parts_of(value)
    if isinstance(value, Mapping):
        return any(holds(key, user_id) or holds(each, user_id) for key, each in value.items())
    if isinstance(value, list):
        return any(holds(each, user_id) for each in value)
    return False


def _renamed(
    document: Mapping[str, Any], user_id: str, alias: str, before: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """The paths that hold the id, each with its value before and after."""
    for name, value in document.items():
        path = before + name
        if isinstance(value, Mapping) and not any(user_id in parts_of(key) for key in value):
            yield from _renamed(value, user_id, alias, path + ".")
            continue
        after = renamed_in(value, user_id, alias)
        if after != value:
            yield path, value, after


def _is_held(place: Place, document: Mapping[str, Any], user_id: UserId) -> bool:
    return any(
        user_id in parts_of(value) if place.is_part else value == user_id
        for value in values_at(document, place.path.split("."))
    )


def values_at(value: Any, path: Sequence[str]) -> Iterator[str]:
    """The texts at a path, through arrays."""
    if isinstance(value, list):
        for each in value:
            yield from values_at(each, path)
    elif not path:
        if isinstance(value, str):
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def _holds(place: Place, user_id: UserId) -> Document:
    """The condition that a document holds the id at the place, as an expression of the database."""
    field = f"${place.path}"
    if not place.is_part:
        # A literal: an id may begin with a dollar sign.
        literal: Document = {"$literal": user_id}
        as_array = {"$cond": [{"$isArray": [field]}, field, [field]]}
        return {"$in": [literal, as_array]}
    edge = f"{SEPARATOR}{PAIR_SEPARATOR}"
    pattern = f"(^|[{edge}])(c2c_|inbox_)?{re.escape(user_id)}($|[{edge}])"
    text = {"$convert": {"input": field, "to": "string", "onError": "", "onNull": ""}}
    return {"$regexMatch": {"input": text, "regex": {"$literal": pattern}}}


def _to_position(key: Any) -> str:
    return _OBJECT_ID + str(key) if isinstance(key, ObjectId) else str(key)


def _behind(after: str) -> Document:
    # The least of all keys: behind any other bound, only keys of its own type are found.
    if not after:
        return {"_id": {"$gt": MinKey()}}
    if after.startswith(_OBJECT_ID):
        return {"_id": {"$gt": ObjectId(after.removeprefix(_OBJECT_ID))}}
    return {"_id": {"$gt": after}}
