"""Drafts and scheduled posts over HTTP: create, list, change, delete, and publish each once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from channels.drafts.models import Draft
from channels.drafts.store import DraftStore
from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from tests.api import (
    PATIENCE_SECONDS,
    Answer,
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    all_pages,
    group_path,
    id_of,
    part,
)
from tests.conftest import OpenApi
from tests.groups.test_media import an_image, load, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

HELLO: Final = {"kind": "text", "text": "Hello"}
HOUR: Final = 3600.0


def said(text: str) -> dict[str, Any]:
    return {"kind": "text", "text": text}


def ahead(api: Api, seconds: float = HOUR) -> str:
    return rfc3339(api.clock.now() + timedelta(seconds=seconds))


async def keep(user: User, path: str, post: object = HELLO, **fields: object) -> Answer:
    return await user.post(f"{path}/drafts", {"post": post, **fields})


async def kept(user: User, path: str, post: object = HELLO, **fields: object) -> str:
    """The path of a new draft."""
    answer = await keep(user, path, post, **fields)
    assert answer.status == 201, answer
    return f"{path}/drafts/{answer.body['draft_id']}"


async def texts(user: User, path: str) -> list[str]:
    return [post["text"] for post in (await user.get(f"{path}/posts")).items][::-1]


async def waiting(user: User, path: str, *, scheduled: bool) -> list[str]:
    listed = await user.get(f"{path}/drafts?scheduled={str(scheduled).lower()}")
    return [draft["post"]["text"] for draft in listed.items]


async def publish_due(api: Api) -> None:
    await api.services.channels.drafting.scheduler.publish_due()


# --- kept, listed, changed ------------------------------------------------------------------------------------------


async def test_only_users_who_may_post_see_drafts(shared_api: Api) -> None:
    ada, adm, bob = (shared_api.new_user(name) for name in ("ada", "adm", "bob"))
    path = await a_channel(ada, bob, admins=(adm,))
    answer = await keep(adm, path, {**HELLO, "silent": True})
    draft = answer.body
    assert draft["post"] == draft["post"] | HELLO | {"silent": True}
    assert (draft["author_id"], draft["publish_at"], draft["failure"]) == (adm.id, None, None)
    one = f"{path}/drafts/{draft['draft_id']}"
    for user in (ada, adm):
        assert (await user.get(one)).body == draft
        assert (await user.get(f"{path}/drafts")).items == [draft]
        assert (await user.get(f"{path}/drafts?scheduled=true")).items == []
    for call in (bob.get(one), bob.get(f"{path}/drafts"), bob.patch(one, {}), bob.delete(one)):
        assert (await call).refusal == (403, "posting_not_allowed")
    assert (await bob.post(f"{one}/publish")).refusal == (403, "posting_not_allowed")
    assert (await bob.get(path)).body["head_seq"] == 0
    assert (await ada.get(f"{path}/drafts/none")).refusal == (404, "draft_not_found")
    other = await a_channel(ada)
    assert (await ada.get(f"{other}/drafts/{draft['draft_id']}")).status == 404


async def test_scheduled_posts_are_listed_by_time_in_pages(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    same = ahead(shared_api, 5000)
    for text, publish_at in (
        ("c", same),
        ("a", ahead(shared_api, 60)),
        ("d", same),
        ("b", ahead(shared_api, 600)),
    ):
        await kept(ada, path, said(text), publish_at=publish_at)
    for text in ("x", "y"):
        await kept(ada, path, said(text))
    for query, expected in (("true", ["a", "b", "c", "d"]), ("false", ["x", "y"])):
        pages = await all_pages(ada, f"{path}/drafts?scheduled={query}", limit=1)
        found = [draft["post"]["text"] for page in pages for draft in page]
        assert found == expected
    other = (await ada.get(f"{path}/drafts?limit=1")).body["next_cursor"]
    crossed = await ada.get(f"{path}/drafts?scheduled=true&cursor={other}")
    assert crossed.refusal == (400, "bad_cursor")


async def test_content_and_time_are_changed_independently(shared_api: Api) -> None:
    ada, adm = shared_api.new_user("ada"), shared_api.new_user("adm")
    path = await a_channel(ada, admins=(adm,))
    one = await kept(ada, path)
    first, second = ahead(shared_api, 60), ahead(shared_api, 120)
    for body, text, publish_at in (
        ({"publish_at": first}, "Hello", first),
        ({"post": said("Better")}, "Better", first),
        ({"post": said("Best"), "publish_at": second}, "Best", second),
        ({"publish_at": None}, "Best", None),
        ({}, "Best", None),
    ):
        changed = await ada.patch(one, body)
        assert (changed.status, changed.body["post"]["text"]) == (200, text)
        assert changed.body["publish_at"] == publish_at
        assert (await ada.get(one)).body == changed.body
        scheduled = publish_at is not None
        assert await waiting(ada, path, scheduled=scheduled) == [text]
        assert await waiting(ada, path, scheduled=not scheduled) == []
    assert (await adm.patch(one, {"post": said("Mine")})).body["author_id"] == adm.id
    assert (await ada.delete(one)).status == 204
    assert (await ada.delete(one)).refusal == (404, "draft_not_found")
    assert (await ada.patch(one, {})).refusal == (404, "draft_not_found")


@own_loop
async def test_publish_at_must_be_in_the_future_and_within_the_limit(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api(schedule_ahead_seconds=1000)
    instant = datetime.fromisoformat("2030-01-01T00:00:00+00:00")
    monkeypatch.setattr(server.clock, "now", lambda: instant)
    ada = server.user_of("ada")
    path = await a_channel(ada)
    for publish_at in (
        "2030-01-01T00:00:00.001Z",
        "2030-01-01T00:16:40Z",
        "2030-01-01T01:16:40+01:00",
    ):
        assert (await keep(ada, path, publish_at=publish_at)).status == 201
    for publish_at in ("2030-01-01T00:00:00Z", "2030-01-01T00:16:40.001Z", "2029-12-31T00:00:00Z"):
        refused = await keep(ada, path, publish_at=publish_at)
        assert refused.refusal == (400, "bad_publish_at")
        assert refused.body["details"]["latest"] == "2030-01-01T00:16:40.000Z"
    nonsense: list[object] = ["2030-01-01T00:10:00", "9999-12-31T23:59:59-23:59", "soon", True, [1]]
    for no_hour in nonsense:
        assert (await keep(ada, path, publish_at=no_hour)).refusal == (400, "invalid_request")


@own_loop
async def test_drafts_and_scheduled_posts_have_a_limit_each(api: OpenApi) -> None:
    server = await api(drafts=2, scheduled_posts=3)
    ada = server.new_user("ada")
    path, other = await a_channel(ada), await a_channel(ada)
    hours = {"publish_at": ahead(server)}
    for fields, limit, code in (
        ({}, 2, "draft_limit_reached"),
        (hours, 3, "schedule_limit_reached"),
    ):
        answers = await asyncio.gather(*(keep(ada, path, **fields) for _ in range(limit + 3)))
        refused = [answer for answer in answers if answer.status != 201]
        assert [answer.refusal for answer in refused] == [(409, code)] * 3
        assert refused[0].body["details"]["limit"] == limit
        assert (await keep(ada, other, **fields)).status == 201
    (one, _) = (await ada.get(f"{path}/drafts")).items
    moved = await ada.patch(f"{path}/drafts/{one['draft_id']}", hours)
    assert moved.refusal == (409, "schedule_limit_reached")
    assert (await ada.delete(f"{path}/drafts/{one['draft_id']}")).status == 204
    assert (await keep(ada, path)).status == 201


async def test_a_draft_has_the_limits_of_a_post(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    one = await kept(ada, path)
    bad: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"kind": "text", "text": "x" * 12289}, (400, "field_too_long")),
        ({"kind": "text", "text": ""}, (400, "invalid_request")),
        ({"kind": "image", "images": ["none"]}, (404, "media_not_found")),
        ({"forward": {"group_id": "x", "seq": 1}}, (404, "channel_not_found")),
        ({"forward": {"seq": 1}}, (400, "invalid_request")),
    ]
    for post, refusal in bad:
        assert (await keep(ada, path, post)).refusal == refusal
        assert (await ada.patch(one, {"post": post})).refusal == refusal
    assert (await ada.patch(one, {"post": None})).refusal == (400, "invalid_request")
    assert (await keep(ada, path, said("x" * 12288))).status == 201


async def test_repeating_a_creation_with_its_key_returns_the_same_draft(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    body = {"post": HELLO, "publish_at": ahead(shared_api)}

    async def send(body: object) -> Answer:
        return await ada.post(f"{path}/drafts", body, idempotency_key="k")

    first = await send(body)
    answers = await asyncio.gather(*(send(body) for _ in range(4)))
    assert [answer.body for answer in answers] == [first.body] * 4
    assert (await send(body | {"post": said("Other")})).refusal == (409, "idempotency_conflict")
    assert await waiting(ada, path, scheduled=True) == ["Hello"]
    # Published by hand, and published again: the same post.
    one = f"{path}/drafts/{first.body['draft_id']}"
    posted = [(await ada.post(f"{one}/publish")).body for _ in range(2)]
    assert posted[0] == posted[1]
    late = await send(body)
    assert (late.refusal, late.body["details"]) == ((409, "draft_published"), {"seq": 1})
    assert await texts(ada, path) == ["Hello"]


# --- published by hand ----------------------------------------------------------------------------------------------


async def test_a_draft_is_published_once_by_many_attempts(shared_api: Api) -> None:
    ada, adm, bob = (shared_api.new_user(name) for name in ("ada", "adm", "bob"))
    path = await a_channel(ada, bob, admins=(adm,))
    one = await kept(ada, path, {**HELLO, "silent": True})
    ears = await bob.socket()
    answers = await asyncio.gather(*(user.post(f"{one}/publish") for user in (ada, adm) * 4))
    winners = {answer.body["author_id"] for answer in answers if answer.status == 201}
    assert len(winners) == 1
    assert {answer.refusal for answer in answers if answer.status != 201} <= {
        (404, "draft_not_found")
    }
    assert await texts(bob, path) == ["Hello"]
    (event,) = await ears.until_now()
    assert (event["type"], event["post"]["silent"]) == ("message.posted", True)
    assert (await ada.get(f"{path}/drafts")).items == []
    await ears.close()


# --- the scheduler --------------------------------------------------------------------------------------------------


@own_loop
async def test_a_scheduled_post_appears_at_its_time_and_no_sooner(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    ears = await bob.socket()
    for seconds, text in ((200, "two"), (100, "one"), (300, "three")):
        await kept(ada, path, said(text), publish_at=ahead(server, seconds))
    await publish_due(server)
    assert await texts(bob, path) == []
    server.clock.move(seconds=250)
    await publish_due(server)
    assert await texts(bob, path) == ["one", "two"]
    assert await waiting(ada, path, scheduled=True) == ["three"]
    heard = [event["post"]["text"] for event in await ears.until_now()]
    assert heard == ["one", "two"]
    talk = (await bob.get(f"/v1/conversations/{part('group_' + id_of(path))}")).body
    assert talk["unread_count"] == 2


@own_loop
async def test_an_earlier_schedule_wakes_the_scheduler_of_every_process(
    api: OpenApi, second_database: Database
) -> None:
    here, _ = await api(), await api(database=second_database)
    # The process that is told of the draft is not the one that publishes it.
    await here.services.channels.drafting.scheduler.stop()
    ada = here.new_user("ada")
    path = await a_channel(ada)
    await kept(ada, path, said("far"), publish_at=ahead(here, HOUR))
    ears = await ada.socket()
    due = here.clock.now() + timedelta(seconds=0.4)
    await kept(ada, path, said("soon"), publish_at=rfc3339(due))
    event = await ears.hear("message.posted")
    assert event["post"]["text"] == "soon"
    late = (datetime.fromisoformat(event["post"]["created_at"]) - due).total_seconds()
    assert 0 <= late < PATIENCE_SECONDS
    assert await waiting(ada, path, scheduled=True) == ["far"]


@own_loop
async def test_many_processes_publish_each_draft_once_and_in_order(
    api: OpenApi, second_database: Database
) -> None:
    clock = MovedClock()
    here, there = await api(clock=clock), await api(clock=clock, database=second_database)
    ada = here.new_user("ada")
    paths = [await a_channel(ada) for _ in range(3)]
    numbers = [str(number) for number in range(20)]
    for path in paths:
        for number in numbers:
            await kept(ada, path, said(number), publish_at=ahead(here, 100 + int(number)))
    clock.move(seconds=200)
    await asyncio.gather(*(publish_due(server) for server in (here, there) * 3))
    for path in paths:
        assert await texts(ada, path) == numbers
        assert await waiting(ada, path, scheduled=True) == []


@own_loop
async def test_a_draft_fails_if_its_author_lost_their_rights(
    api: OpenApi,
) -> None:
    server = await api()
    ada, adm, out = (server.new_user(name) for name in ("ada", "adm", "out"))
    path = await a_channel(ada, admins=(adm, out), settings={"visibility": "private"})
    hours = {"publish_at": ahead(server, 100)}
    for user, text in ((adm, "by adm"), (out, "by out"), (ada, "by ada")):
        await kept(user, path, said(text), **hours)
    await ada.delete(f"{path}/admins/{part(adm.id)}")
    await ada.delete(f"{path}/subscribers/{part(out.id)}?ban=true")
    server.clock.move(seconds=200)
    await publish_due(server)
    assert await texts(ada, path) == ["by ada"]
    failed = (await ada.get(f"{path}/drafts?scheduled=true")).items
    assert [draft["post"]["text"] for draft in failed] == ["by adm", "by out"]
    assert {draft["failure"]["code"] for draft in failed} == {"posting_not_allowed"}
    before = (await ada.get(path)).body["head_seq"]
    await publish_due(server)
    assert (await ada.get(path)).body["head_seq"] == before
    # Another admin becomes its author: by publishing it, or with a new publish_at.
    one, two = (f"{path}/drafts/{draft['draft_id']}" for draft in failed)
    assert (await ada.post(f"{one}/publish")).status == 201
    again = await ada.patch(two, {"publish_at": ahead(server, 100)})
    assert (again.body["failure"], again.body["author_id"]) == (None, ada.id)
    server.clock.move(seconds=200)
    await publish_due(server)
    assert await texts(ada, path) == ["by ada", "by adm", "by out"]


@own_loop
async def test_a_rescheduled_or_deleted_draft_is_not_published(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    moved = await kept(ada, path, said("moved"), publish_at=ahead(server, 100))
    gone = await kept(ada, path, said("gone"), publish_at=ahead(server, 100))
    kept_back = await kept(ada, path, said("kept back"), publish_at=ahead(server, 100))
    await ada.patch(moved, {"publish_at": ahead(server, HOUR)})
    await ada.delete(gone)
    await ada.patch(kept_back, {"publish_at": None})
    server.clock.move(seconds=200)
    await publish_due(server)
    assert await texts(ada, path) == []
    assert await waiting(ada, path, scheduled=True) == ["moved"]
    assert await waiting(ada, path, scheduled=False) == ["kept back"]


@own_loop
@pytest.mark.parametrize("change", ["later", "unscheduled", "gone"])
async def test_a_due_draft_that_is_rescheduled_meanwhile_is_not_published(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    server = await api()
    scheduler = server.services.channels.drafting.scheduler
    await scheduler.stop()
    ada = server.new_user("ada", hours=10)
    path = await a_channel(ada)
    moved = await kept(ada, path, said("moved"), publish_at=ahead(server, 100))
    await kept(ada, path, said("due"), publish_at=ahead(server, 100))
    server.clock.move(seconds=200)
    list_due_drafts = DraftStore.list_due_drafts

    async def change_behind(store: DraftStore, now: datetime, limit: int) -> list[Draft]:
        found = await list_due_drafts(store, now, limit)
        if any(draft.content.text == "moved" for draft in found):
            if change == "gone":
                assert (await ada.delete(moved)).status == 204
            else:
                hour = ahead(server, HOUR) if change == "later" else None
                assert (await ada.patch(moved, {"publish_at": hour})).status == 200
        return found

    monkeypatch.setattr(DraftStore, "list_due_drafts", change_behind)
    await publish_due(server)
    assert await texts(ada, path) == ["due"]
    assert await waiting(ada, path, scheduled=True) == ["moved"] * (change == "later")
    assert await waiting(ada, path, scheduled=False) == ["moved"] * (change == "unscheduled")
    if change != "gone":
        assert (await ada.get(moved)).body["failure"] is None
    monkeypatch.setattr(DraftStore, "list_due_drafts", list_due_drafts)
    server.clock.move(seconds=HOUR)
    await publish_due(server)
    assert await texts(ada, path) == ["due", "moved"][: 1 + (change == "later")]


@own_loop
async def test_a_draft_with_a_used_key_is_neither_lost_nor_retried_forever(
    api: OpenApi,
) -> None:
    server = await api()
    ada, adm = server.new_user("ada"), server.new_user("adm")
    path = await a_channel(ada, admins=(adm,))

    async def send(text: str) -> str:
        body = {"post": said(text), "publish_at": ahead(server, 100)}
        kept = await ada.post(f"{path}/drafts", body, idempotency_key="k")
        return f"{path}/drafts/{kept.body['draft_id']}"

    # Another admin's name is on the post, so the key's first use is not found under its owner's.
    one = await send("first")
    assert (await adm.post(f"{one}/publish")).status == 201
    assert await send("second") == one
    await adm.patch(one, {"post": said("third")})
    server.clock.move(seconds=200)
    await publish_due(server)
    assert await texts(ada, path) == ["first"]
    (left,) = (await ada.get(f"{path}/drafts?scheduled=true")).items
    assert left["post"]["text"] == "third"
    assert left["failure"]["code"] == "idempotency_conflict"


@own_loop
async def test_drafts_over_the_posting_rate_are_published_later_in_order(api: OpenApi) -> None:
    server = await api(posts_per_second=2)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    numbers = [str(number) for number in range(5)]
    for number in numbers:
        await kept(ada, path, said(number), publish_at=ahead(server, 100))
    server.clock.move(seconds=200)
    await publish_due(server)
    assert len(await texts(ada, path)) == 2
    for _ in range(3):
        server.clock.move(seconds=1)
        await publish_due(server)
    assert await texts(ada, path) == numbers
    assert (await ada.get(f"{path}/drafts?scheduled=true")).items == []


@own_loop
async def test_a_published_draft_is_signed_with_the_authors_name(api: OpenApi) -> None:
    server = await api()
    ada, adm = server.new_user("ada"), server.new_user("adm")
    path = await a_channel(ada, admins=(adm,), settings={"signatures": True})
    await adm.patch("/v1/users/me", {"name": "Adam"})
    await kept(adm, path, publish_at=ahead(server, 100))
    await adm.patch("/v1/users/me", {"name": "Adam B."})
    server.clock.move(seconds=200)
    await publish_due(server)
    (post,) = (await ada.get(f"{path}/posts")).items
    assert (post["signature"], post["author_id"]) == ("Adam B.", adm.id)


# --- uploads --------------------------------------------------------------------------------------------------------


class Gallery:
    """Uploads, and whether they are still there a day later."""

    def __init__(self, server: Api, user: User) -> None:
        self._server = server
        self._user = user

    async def add(self) -> dict[str, Any]:
        sent = await upload(self._user, an_image())
        assert sent.status == 201, sent
        media = sent.body
        assert isinstance(media, dict)
        return media

    async def uses(self, media: dict[str, Any]) -> int | None:
        row = await self._server.services.database.collection("media").find_one(
            {"_id": media["media_id"]}
        )
        return row["uses"] if row else None

    async def survives(self, media: dict[str, Any]) -> bool:
        await self._server.services.chat.media.sweep()
        return (await load(self._user, media["url"]))[0] == 200


def shown(*media: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "image", "images": [one["media_id"] for one in media]}


@own_loop
async def test_uploads_of_a_draft_are_kept_and_deleted_with_it(api: OpenApi) -> None:
    server = await api()
    ada, adm = server.new_user("ada", hours=1000), server.new_user("adm", hours=1000)
    path = await a_channel(ada, admins=(adm,))
    gallery = Gallery(server, ada)
    one, two, three = [await gallery.add() for _ in range(3)]
    published = await kept(ada, path, shown(one), publish_at=ahead(server, 30 * 24 * HOUR))
    changed = await kept(ada, path, shown(two, three))
    server.clock.move(seconds=29 * 24 * HOUR)
    for media in (one, two, three):
        assert await gallery.survives(media)
    # Another admin keeps an upload that is not their own, and removes the rest.
    assert (await adm.patch(changed, {"post": shown(two)})).status == 200
    assert [await gallery.uses(media) for media in (one, two, three)] == [1, 1, 0]
    assert (await adm.patch(changed, {"post": shown(one)})).refusal == (404, "media_not_found")
    await ada.delete(changed)
    server.clock.move(seconds=2 * 24 * HOUR)
    await publish_due(server)
    assert (await ada.get(published)).status == 404
    assert await gallery.uses(one) == 1
    assert [await gallery.survives(media) for media in (one, two, three)] == [True, False, False]
    await ada.delete(f"{path}/posts/1")
    server.clock.move(seconds=1)
    assert not await gallery.survives(one)


@own_loop
async def test_deleting_a_channel_deletes_its_drafts_and_uploads(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    gallery = Gallery(server, ada)
    media = [await gallery.add() for _ in range(2)]
    await kept(ada, path, shown(media[0]))
    for _ in range(30):
        await kept(ada, path, publish_at=ahead(server, 100))
    await kept(ada, path, shown(media[1]), publish_at=ahead(server, 100))
    assert (await ada.delete(group_path(path))).status == 204
    await server.services.chat.cleanup.wait()
    assert await server.services.database.collection("drafts").find({}).to_list(None) == []
    server.clock.move(seconds=200)
    await publish_due(server)
    assert [await gallery.survives(one) for one in media] == [False, False]
    assert (await keep(ada, path)).refusal == (404, "channel_not_found")


async def test_a_chat_group_has_no_drafts(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    group = await a_chat_group(ada)
    path = group.replace("/v1/groups/", "/v1/channels/")
    assert (await keep(ada, path)).refusal == (404, "channel_not_found")
