"""The fields of stored documents and events, and the snapshot of them.

`Witness` reads every collection after every call of a server. `python -m tests.stored_fields` writes the snapshot of
the next version.
"""

import asyncio
import io
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from bson import Int64, ObjectId
from PIL import Image
from pydantic import BaseModel

from channels.server.app import INDEXES
from channels.webhooks.models import Attempt, DeliveryStatus, DisabledReason
from groups.kernel.actor import Actor
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Collection, Document
from tests.api import (
    Answer,
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    conversation_of,
    id_of,
    open_api,
    open_database,
    part,
)
from tests.cost.test_query_shapes import a_dialogue_to_announce, every_call
from tests.mongod import Mongod, scratch_directory
from tests.sounds import wav

SNAPSHOT: Final = Path(__file__).parents[1] / "tests/server/stored_fields.json"

OUTBOX: Final = "events"
COLLECTIONS: Final = sorted({index.collection for index in INDEXES})
"""Our collections, except the outbox, whose documents are events (`event_fields`)."""

MAPS: Final = frozenset(
    {
        "groups.custom",
        "tallies.counts",
        "tallies.votes",
        "insights.hours",
        "report_cases.reasons",
        "admin_log.before",
        "admin_log.after",
        "broadcasts.not_reached",
    }
)
"""Sub-documents whose keys are data."""

FROM_NEWER: Final = "field_of_a_newer_version"

SUBDOCUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "messages": (
        "content.form_answer.answers",
        "content.form_answer",
        "content.links",
        "content.media",
        "content.location",
        "content.poll",
        "content",
        "origin",
    ),
    "drafts": (
        "content.links",
        "content.media",
        "content.location",
        "content.poll",
        "content",
        "origin",
        "failure",
    ),
    "automatic_messages": ("content", "hours.times", "hours"),
    "menus": ("entries",),
    "broadcasts": ("content", "segment", "failure"),
    "subscriber_tag_counts": ("counts",),
    "groups": ("marking", "suspension"),
    "report_cases": ("target", "profile", "texts", "resolution"),
    "webhooks": ("old_secrets",),
    "webhook_deliveries": ("attempts",),
    "devices": ("target",),
    "forms": ("content.fields", "content"),
    "streams": ("last", "edits", "recalls"),
}
"""Objects, and arrays of objects, in documents; inner ones first."""

_KINDS: Final[dict[type, str]] = {
    str: "string",
    bool: "bool",
    # A sum of fractions is a whole number now and then.
    int: "number",
    float: "number",
    Int64: "number",
    datetime: "date",
    type(None): "null",
    dict: "object",
    list: "array",
    bytes: "binary",
    ObjectId: "objectid",
}

Fields = dict[str, str]
"""The types by path, such as `messages.content.text`; with `optional` before them if some documents lack the field."""


@dataclass(slots=True)
class _Seen:
    """The documents, or sub-documents, at one path."""

    times: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@dataclass(slots=True)
class Witness:
    """Reads all documents and adds a field to each, as a newer process might. The server must tolerate it."""

    collection: Callable[[str], Collection]
    seen: dict[str, _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    last: dict[tuple[str, Any], Document] = field(default_factory=dict)
    """The documents as they were read last, also those that are deleted."""
    lost: set[str] = field(default_factory=set)
    """Documents that the server rewrote without the newer field."""
    showing: set[str] = field(default_factory=set)
    """The calls whose answers showed the newer field."""
    refused: set[str | None] = field(default_factory=set)
    """The codes of calls that failed."""
    _marked: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def hear(self, answer: Answer) -> None:
        """Check one answer of the server."""
        if FROM_NEWER in answer.text:
            self.showing.add(f"{answer.method} {answer.path}")
        if answer.status >= 400:
            self.refused.add(answer.refusal[1])

    async def look(self) -> None:
        """Read all collections, and add the newer field where it is missing."""
        await asyncio.gather(*(self._look_into(name) for name in COLLECTIONS))

    async def _look_into(self, name: str) -> None:
        rows = await self.collection(name).find({}).to_list(None)
        for row in rows:
            self._note(name, row)
            self.last[name, row["_id"]] = row
        keys = {row["_id"] for row in rows}
        without = {row["_id"] for row in rows if FROM_NEWER not in row}
        self.lost |= {f"{name} {key}" for key in self._marked[name] & without}
        if rows:
            await self.collection(name).update_many({}, _marks(name))
        self._marked[name] = keys

    def _note(self, path: str, row: Mapping[str, Any]) -> None:
        seen = self.seen[path]
        seen.times += 1
        for name, value in row.items():
            if name == FROM_NEWER:
                continue
            seen.fields[name] += 1
            below = f"{path}.{name}"
            if below in MAPS:
                seen.kinds[name].add("map")
                continue
            seen.kinds[name] |= _kinds_in(value)
            if isinstance(value, dict):
                self._note(below, value)
            if isinstance(value, list):
                for one in value:
                    if isinstance(one, dict):
                        self._note(f"{below}[]", one)
                    for inner in one if isinstance(one, list) else ():
                        if isinstance(inner, dict):
                            self._note(f"{below}[][]", inner)

    @property
    def fields(self) -> Fields:
        """The fields of all documents read so far."""
        return {
            f"{path}.{name}": ("" if seen.fields[name] == seen.times else "optional ")
            + " | ".join(sorted(seen.kinds[name]))
            for path, seen in sorted(self.seen.items())
            for name in sorted(seen.fields)
        }


def _kinds_in(value: Any) -> set[str]:
    """The type of a stored value; an empty array has none, since the type of its items is unknown."""
    if isinstance(value, list):
        return {f"array of {_KINDS[type(one)]}" for one in value}
    return {_KINDS[type(value)]}


def _marks(collection: str) -> list[Document]:
    """The update that adds the newer field to documents, and to the objects in them."""
    stages: list[Document] = [
        {"$set": {path.partition(".")[0]: _marked("", path.split("."))}}
        for path in SUBDOCUMENTS.get(collection, ())
    ]
    return [*stages, {"$set": {FROM_NEWER: 1}}]


def _marked(around: str, path: Sequence[str]) -> Document:
    """The object, or array of objects, at this path within another one; what is null or missing stays so."""
    value = f"${around}{path[0]}"
    if len(path) > 1:
        inner = _marked(f"{around}{path[0]}.", path[1:])
        is_there = {"$eq": [{"$type": value}, "object"]}
        return {"$cond": [is_there, {"$mergeObjects": [value, {path[1]: inner}]}, value]}
    one = {FROM_NEWER: 1}
    return {
        "$switch": {
            "branches": [
                {
                    "case": {"$eq": [{"$type": value}, "object"]},
                    "then": {"$mergeObjects": [value, one]},
                },
                {
                    "case": {"$isArray": [value]},
                    "then": {"$map": {"input": value, "in": {"$mergeObjects": ["$$this", one]}}},
                },
            ],
            "default": value,
        }
    }


async def story(api: Api) -> None:
    """Make every call, and store every field that a document may have."""
    await every_call(api)
    await _every_field(api)


async def _every_field(api: Api) -> None:
    ada, bob, cat = (api.new_user() for _ in range(3))
    icon = "https://example.org/a.png"
    await ada.patch("/v1/users/me", {"name": "Ada", "face_url": icon})
    # Groups and members.
    work = {"type": "work", "name": "Tea", "custom": {"colour": "red"}, "member_limit": 9}
    made = await ada.post("/v1/groups", work, idempotency_key="once")
    tea = f"/v1/groups/{part(made.body['group_id'])}"
    await ada.put(f"{tea}/members/{part(bob.id)}")
    await bob.get(f"{tea}/members")
    await ada.delete(f"{tea}/members/me")  # the Work group has no owner now
    await bob.get(tea)
    chat = await a_chat_group(ada, bob)
    for answer in ({}, {"quoted_seq": 1}):
        await ada.post(f"{chat}/messages", {"kind": "text", "text": "Hello", **answer})
    await ada.patch(f"{chat}/members/{part(bob.id)}", {"mute_seconds": 60})
    await bob.patch(f"{chat}/members/{part(bob.id)}", {"name_card": "B"})
    await bob.get(f"{chat}/members")
    # Messages of every kind, signed, forwarded, edited, pinned.
    path = await a_channel(ada, bob, cat, admins=(cat,))
    await ada.patch(path, {"settings": {"reactions": ["👍"], "signatures": True}})
    # An invitation that is hidden from a user who blocks the inviter.
    shy = api.new_user()
    await shy.put(f"/v1/blocks/{part(ada.id)}")
    await ada.put(f"{path}/subscribers/{part(shy.id)}")
    picture = io.BytesIO()
    Image.new("RGB", (2_000, 2_000), "teal").save(picture, "PNG")
    upload = await ada.call("POST", "/v1/media", data=picture.getvalue(), headers={})
    image = {"kind": "image", "images": [upload.body["media_id"]], "custom": {"n": 1}}
    place = {"latitude": 22.5, "longitude": 114.1, "name": "Pier", "address": "1 Bay Road"}
    link = {"title": "Tea", "url": "https://example.org/tea"}
    sound = await ada.call("POST", "/v1/media", data=wav(), headers={})
    audio = {"kind": "audio", "audio": sound.body["media_id"]}
    link |= {"description": "A drink", "image": upload.body["media_id"]}
    poll = {"question": "Tea?", "options": ["Yes", "No"], "closes_at": "2036-01-01T00:00:00Z"}
    for body in (
        image,
        {"kind": "location", "location": place, "links": [link]},
        {"kind": "poll", "poll": poll},
    ):
        await ada.post(f"{path}/posts", body)
        await ada.post(f"{path}/drafts", {"post": body})
    await ada.get(f"{path}/drafts")
    await ada.put(f"{path}/posts/1/pin")
    await bob.put(f"{path}/posts/3/vote", {"options": [0]})
    await ada.patch(path, {"settings": {"retention_days": 365}})
    asking = {"kind": "text", "text": "Read this", "acknowledge": True}
    await ada.post(f"{path}/drafts", {"post": asking})
    asked = (await ada.post(f"{path}/posts", asking)).body["seq"]
    await bob.put(f"{path}/posts/{asked}/acknowledgement")
    await ada.post(f"{path}/posts/{asked}/acknowledgements/reminder")
    await ada.patch(f"{path}/posts/2", {"kind": "text", "text": "No pier"})
    await ada.delete(f"{path}/posts/2")
    await bob.get(f"{path}/posts")
    forward = {"forward": {"channel_id": id_of(path), "seq": 1}}
    await ada.post(f"{path}/drafts", {"post": forward})
    await ada.post(f"{path}/posts", forward)
    await ada.post(f"{path}/posts", audio)
    for grants in (["post"], ["pin_posts"]):  # the later invitation replaces the earlier one
        invited = await ada.post(f"{path}/invitations", {"user_id": bob.id, "grants": grants})
        assert invited.status == 201
    expires_at = rfc3339(api.clock.now() + timedelta(days=1))
    new = {"name": "Poster", "expires_at": expires_at, "max_uses": 5, "approval": True}
    link = (await ada.post(f"{path}/invite-links", new)).body["code"]
    await api.new_user("fay").post(f"/v1/invite-links/{link}/join", {"text": "May I?"})
    await ada.delete(f"{path}/invite-links/{link}")
    # A scheduled post that fails, since its author may no longer post.
    soon = rfc3339(api.clock.now() + timedelta(seconds=60))
    text = {"kind": "text", "text": "Hello"}
    await cat.post(f"{path}/drafts", {"post": text, "publish_at": soon})
    await ada.delete(f"{path}/admins/{part(cat.id)}")
    api.clock.move(seconds=120)
    await api.services.channels.drafting.scheduler.publish_due()
    failed = (await ada.get(f"{path}/drafts?scheduled=true")).items
    assert [draft["failure"]["code"] for draft in failed] == ["posting_not_allowed"]
    await ada.patch(f"{path}/drafts/{failed[0]['draft_id']}", {"post": text})
    await ada.put(f"{path}/canned-replies/hours", {"text": "We open at nine"})
    button = {"text": "Order", "kind": "event", "data": "tea"}
    with_button = {"kind": "text", "text": "Tea?", "buttons": [[button]]}
    await ada.post(f"{path}/drafts", {"post": with_button})
    offered = await ada.post(f"{path}/posts", with_button)
    await bob.put(f"{path}/posts/{offered.body['seq']}/buttons/0/press")
    sizes = {"name": "size", "label": "Size", "kind": "choice", "options": ["S", "L"]}
    named = {"name": "name", "label": "Name", "max_length": 50}
    form = {"title": "Order", "text": "Tea.", "fields": [sizes, named], "confirmation": "Thanks"}
    await ada.put(f"{path}/forms/order", form)
    answered = await bob.post(
        f"{path}/forms/order/answers", {"answers": {"size": "L", "name": "B"}}
    )
    assert answered.status == 201, answered
    thread = f"{path}/inbox/{part(bob.id)}/messages"
    sent = await ada.post(thread, with_button)
    with_channel = f"/v1/conversations/{part('c2c_' + id_of(path))}/messages"
    await bob.put(f"{with_channel}/{sent.body['seq']}/buttons/0/press")
    await _self_service(api, ada, path)
    # Tags, and a broadcast that fails behind a user who wants none.
    await ada.put(f"{path}/subscribers/{part(bob.id)}/tags", {"tags": ["vip"]})
    await bob.put(f"{path}/broadcast-opt-out")
    await cat.put(f"{path}/broadcast-opt-out")
    await ada.put(f"{path}/admins/{part(cat.id)}")
    slow = {
        **text,
        "segment": {"none": ["new"]},
        "rate": 4,
        "start_at": rfc3339(api.clock.now() + timedelta(seconds=60)),
    }
    one = (await cat.post(f"{path}/broadcasts", slow)).body
    api.clock.move(seconds=120)
    await api.services.broadcasts.worker.take_up()
    async with asyncio.timeout(30):
        calls = f"{path}/broadcasts/{one['broadcast_id']}"
        while not (await ada.get(f"{calls}/not-reached")).items:
            await asyncio.sleep(0.02)
        await ada.delete(f"{path}/admins/{part(cat.id)}")
        while (await ada.get(calls)).body["state"] == "running":
            await asyncio.sleep(0.02)
    # Comments, on a post that is deleted and on one that is not.
    # The cleanup would delete what is to be seen.
    await api.services.comments.cleanup_task.stop()
    await ada.patch(path, {"settings": {"comments": "everyone"}})
    gone, kept = [
        f"{path}/posts/{(await ada.post(f'{path}/posts', text)).body['seq']}" for _ in range(2)
    ]
    for post in (gone, kept):
        await bob.post(f"{post}/comments", text)
        await ada.post(f"{post}/comments", {**text, "quoted_seq": 1, "as_channel": True})
    await ada.patch(f"{kept}/comments/2", {"kind": "text", "text": "Better"})
    await ada.put(f"{kept}/comments/1/reactions/{part('👍')}")
    await ada.put(f"{path}/comment-bans/{part(bob.id)}")
    await ada.delete(f"{kept}/comments/1")
    await ada.put(f"{kept}/comments-freeze")
    await ada.delete(gone)
    await ada.patch(path, {"settings": {"count_clicks": True}})
    linked = (
        await ada.post(f"{path}/posts", {"kind": "text", "text": "https://example.org/"})
    ).body
    await bob.post(f"{path}/posts/{linked['seq']}/clicks", {"url": "https://example.org/"})
    # Settings of conversations.
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    await bob.patch(conversation, {"pinned": True, "muted": True, "custom_data": "x", "draft": "y"})
    await bob.get(conversation)
    await bob.get("/v1/conversations")
    await bob.delete(conversation)
    until = rfc3339(api.clock.now() + timedelta(hours=1))
    await bob.patch(conversation, {"muted_until": until, "notifications": "none"})
    # A post's reactions of a day as version 0.1 counts them, until the rollup.
    day = api.clock.now().date().isoformat()
    await api.services.database.collection("insights").insert_one(
        {
            "_id": join_key(id_of(path), day, "reactions", 1),
            "channel_id": id_of(path),
            "part": "reactions",
            "day": day,
            "seq": 1,
            "reactions": 1,
            "hours": {"12": 1},
            "expires_at": api.clock.now() + timedelta(days=400),
        }
    )
    # A channel begins a thread, which its user then switches off.
    assert (await ada.post(f"{path}/inbox/{part(cat.id)}/messages", text)).status == 201
    assert (await ada.put(f"{path}/inbox/{part(cat.id)}/tags", {"tags": ["order"]})).status == 200
    talk = f"/v1/conversations/{part('c2c_' + id_of(path))}"
    assert (await cat.patch(talk, {"accept": False})).status == 200
    await _a_webhook(api, ada, path)
    app = api.new_user(admin=True)
    await app.put(f"{path}/default")
    while (await app.get("/v1/default-channels")).items[0]["state"] != "done":
        await api.services.default_channels.sweep.run()
    await _a_deletion_under_way(api, app)
    # Notifications of two kinds of messages, which `every_call` left, and who is online.
    await a_dialogue_to_announce(api)
    await cat.get("/v1/devices")


async def _self_service(api: Api, ada: User, path: str) -> None:
    """A menu, rules, and a person who is to be greeted and was answered outside of hours."""
    below = [{"text": "Call me", "kind": "event", "data": "call"}]
    entries = [{"text": "Ask", "entries": below}, *below]
    await ada.put(f"{path}/menu", {"entries": entries})
    away = {"text": "Closed", "buttons": [below]}
    weekly = {"mon": [["09:00", "09:01"]]}
    hours = {"time_zone": "UTC", "weekly": weekly, "closed_dates": ["2026-12-25"], "away": away}
    await ada.put(f"{path}/opening-hours", hours)
    await ada.put(f"{path}/auto-replies/a", {"keywords": ["a"], "answer": {"text": "A"}})
    await ada.put(f"{path}/greeting", {"text": "Welcome"})
    new, automatic = api.new_user(), api.services.automatic
    # What is to be sent would be gone before it is seen.
    await automatic.worker.close()
    await new.put(f"{path}/subscription")
    talk = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    await new.post(talk, {"kind": "text", "text": "Hello"})
    jobs = api.services.database.collection("automatic_jobs")
    async with asyncio.timeout(20):
        while await jobs.count_documents({}) < 2:
            await asyncio.sleep(0.02)
    await new.get(talk)
    while await automatic.worker.send_due():
        pass
    assert len((await new.get(talk)).items) == 3


async def _a_deletion_under_way(api: Api, app: User) -> None:
    """The deletion of a user, looked at while a process has the lease of it."""
    deletions, leaver = api.services.user_data, api.new_user()
    # It would be done before it is seen.
    await deletions.worker.close()
    path = f"/v1/users/{part(leaver.id)}"
    assert (await app.call("DELETE", path, {"confirm": leaver.id})).status == 202
    store, now = deletions.worker.deletions, api.clock.now()
    (begun,) = await store.list_open(2)
    assert await store.lease(begun.digest, "another", now, now + timedelta(seconds=60))
    await app.get(f"{path}/deletion")
    await store.release(begun.digest, "another")
    await deletions.worker.run_all()


async def _a_webhook(api: Api, ada: User, path: str) -> None:
    """A webhook with two secrets and an answer, which the server disables."""
    body = {"url": "https://hooks.invalid/", "event_types": ["message.posted"]}
    made = (await ada.post(f"{path}/webhooks", body)).body
    webhook_id, webhooks = made["webhook_id"], api.services.webhooks
    tried = (await ada.post(f"{path}/webhooks/{webhook_id}/test")).body
    await ada.post(f"{path}/webhooks/{webhook_id}/rotate-secret")
    delivery = await webhooks.deliveries.get(
        Actor(UserId(ada.id)), GroupId(id_of(path)), webhook_id, tried["delivery_id"]
    )
    answer = Attempt(at=api.clock.now(), latency_ms=1, response_status=410, response_body="gone")
    await webhooks.dispatcher.deliveries.settle(
        delivery, answer, status=DeliveryStatus.FAILED, next_attempt_at=None, kept=10
    )
    disable = webhooks.dispatcher.disabler.disable
    await api.services.database.run(lambda tx: disable(webhook_id, DisabledReason.GONE, tx))
    await ada.get(f"{path}/webhooks/{webhook_id}/deliveries")


@asynccontextmanager
async def witnessed(uri: str) -> AsyncIterator[tuple[Api, Witness]]:
    """A server after the story. Each call ran on documents with a field of a newer version."""
    async with (
        open_database(uri) as database,
        open_api(
            database,
            clock=MovedClock.from_noon(),
            # Without rates no token buckets are stored.
            posts_per_second=1_000,
            stream_bytes_per_second=1_000_000,
        ) as api,
    ):
        witness = Witness(database.collection)
        api.on_answer.append(witness.hear)
        call = User.call

        async def watched_call(user: User, *arguments: Any, **named: Any) -> Answer:
            answer = await call(user, *arguments, **named)
            await api.services.analytics.counting.catch_up()
            await witness.look()
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(User, "call", watched_call)
            await story(api)
        yield api, witness


# --- events -----------------------------------------------------------------------------------------------------------


_MESSAGE: Final = "message"
"""A message in an event has the fields of a stored one, which are listed once, under `messages`."""


def event_fields() -> Fields:
    """The fields of each event as the outbox holds it, by its type and path."""
    fields: Fields = {}
    for name, kind in sorted(Event.known.items()):
        is_ours = kind.__module__.split(".")[0] in {
            "channels",
            "conversations",
            "groups",
            "reactions",
        }
        if is_ours and not kind.__subclasses__():
            schema = kind.model_json_schema()
            fields |= dict(_flat(f"{OUTBOX}.{name}", schema, schema.get("$defs", {})))
    return fields


def _flat(
    path: str, schema: Mapping[str, Any], named: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    required = schema.get("required", ())
    for name, value in sorted(schema.get("properties", {}).items()):
        below = f"{path}.{name}"
        kinds, objects = _kinds_of(value, named)
        yield below, ("" if name in required else "optional ") + " | ".join(sorted(kinds))
        if below.endswith(f".{_MESSAGE}"):
            continue
        for suffix, inner in objects:
            yield from _flat(below + suffix, inner, named)


def _kinds_of(
    schema: Mapping[str, Any], named: Mapping[str, Any]
) -> tuple[set[str], list[tuple[str, Mapping[str, Any]]]]:
    """The types that a JSON schema allows, and the schemas of the objects among them."""
    if "$ref" in schema:
        return _kinds_of(named[schema["$ref"].rpartition("/")[2]], named)
    if "anyOf" in schema:
        parts = [_kinds_of(part, named) for part in schema["anyOf"]]
        return set().union(*(kinds for kinds, _ in parts)), [o for _, found in parts for o in found]
    kind = schema.get("type", "any")
    if kind == "array" and isinstance(schema.get("items"), dict):
        kinds, objects = _kinds_of(schema["items"], named)
        inner = " or ".join(sorted(kinds))
        return {f"array of {inner}"}, [(f"[]{suffix}", part) for suffix, part in objects]
    if kind == "object" and "properties" in schema:
        return {"object"}, [("", schema)]
    if kind == "object":
        return {"map"}, []
    return {schema.get("format", kind)}, []


# --- the snapshot -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stored fields of one version; `migration` is the newest migration step of that version."""

    version: int
    migration: int
    fields: Fields

    @classmethod
    def read(cls) -> "Snapshot":
        return cls(**json.loads(SNAPSHOT.read_text(encoding="utf-8")))

    def write(self) -> None:
        shown = {"version": self.version, "migration": self.migration, "fields": self.fields}
        SNAPSHOT.write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Difference:
    """How the stored fields differ from a snapshot."""

    added: list[str]
    removed: list[str]
    retyped: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)

    @property
    def needs_step(self) -> bool:
        """Whether stored documents must be migrated. An added field can have a default instead."""
        return bool(self.removed or self.retyped)


def difference(before: Fields, now: Fields) -> Difference:
    """The difference from `before` to `now`."""
    return Difference(
        added=[f"{path}: {now[path]}" for path in sorted(now.keys() - before.keys())],
        removed=[f"{path}: {before[path]}" for path in sorted(before.keys() - now.keys())],
        retyped=[
            f"{path}: was {before[path]}, is {now[path]}"
            for path in sorted(before.keys() & now.keys())
            if before[path] != now[path]
        ],
    )


def complaint(snapshot: Snapshot, now: Fields, migration: int) -> str | None:
    """The instruction for stored fields that differ from the snapshot; None when nothing differs."""
    changed = difference(snapshot.fields, now)
    if not changed and migration == snapshot.migration:
        return None
    lines = [f"Stored fields differ from version {snapshot.version} in {SNAPSHOT.name}."]
    for title, paths, advice in (
        ("Added", changed.added, _WHEN_ADDED),
        ("Removed", changed.removed, _WHEN_REMOVED),
        ("Changed", changed.retyped, _WHEN_CHANGED),
    ):
        if paths:
            lines += ["", f"{title}:", *(f"  {path}" for path in paths), advice]
    if changed.needs_step and migration == snapshot.migration:
        lines += ["", "This needs a new step in channels/server/migrations.py, and there is none."]
    else:
        lines += ["", "Then run `python -m tests.stored_fields`, which writes the next version."]
    return "\n".join(lines)


_WHEN_ADDED: Final = """\
Documents that an older version stored do not have it. Give it a default where the store reads it, or write it with a
step in channels/server/migrations.py. Say which in the commit."""
_WHEN_REMOVED: Final = """\
Older processes still read it, and stored documents still have it. Keep writing it for one more version, or remove it
with a step in channels/server/migrations.py."""
_WHEN_CHANGED: Final = """\
Stored documents hold the old form, and older processes expect it. Add a new field beside the old one, or rewrite the
stored documents with a step in channels/server/migrations.py."""


def fields_of_model(model: type) -> list[str]:
    """The names of the fields of a pydantic model, a dataclass or a named tuple."""
    if issubclass(model, BaseModel):
        return list(model.model_fields)
    if is_dataclass(model):
        return [each.name for each in fields(model)]
    return list(getattr(model, "_fields", ()))


async def newest_migration(api: Api) -> int:
    """The schema version of the server's database."""
    row = await api.services.database.collection("schema").find_one({"_id": "stored"})
    assert row is not None
    return int(row["version"])


async def _write_next() -> None:
    directory = scratch_directory()
    mongod = Mongod(directory)
    try:
        mongod.start()
        async with witnessed(mongod.uri) as (api, witness):
            now = witness.fields | event_fields()
            migration = await newest_migration(api)
    finally:
        mongod.kill()
        shutil.rmtree(directory, ignore_errors=True)
    before = Snapshot.read() if SNAPSHOT.exists() else Snapshot(0, migration, {})
    changed = difference(before.fields, now)
    if changed.needs_step and migration == before.migration and before.version:
        raise SystemExit(complaint(before, now, migration))
    if changed or migration != before.migration:
        Snapshot(before.version + 1, migration, now).write()
    print(f"{SNAPSHOT.name}: version {Snapshot.read().version}")


if __name__ == "__main__":
    asyncio.run(_write_next())
