"""Every call of the API queries the database by shard key and index, and never counts or skips documents."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
import pytest_asyncio

from channels.post_reports.service import PushFigures
from channels.push.delivery.models import Job
from channels.server.app import endpoints_for
from groups.kernel.clock import rfc3339
from groups.kernel.endpoint import Endpoint
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.kernel.paging import encode_cursor
from groups.models import stream_of
from tests.api import (
    AS_LINES,
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    id_of,
    part,
)
from tests.channels.test_link_previews import a_known_page
from tests.cost.conftest import Watched
from tests.cost.shapes import ACCEPTED, SHARD_KEY, Shape, faults, shape_of, statements
from tests.user_data.helpers import delete_user, until_deleted

pytestmark = pytest.mark.asyncio(loop_scope="module")

THUMB: Final = part("👍")
TEXT: Final = {"kind": "text", "text": "Hello"}


class CalledEndpoints:
    """Records the endpoints that were called with success."""

    def __init__(self, endpoints: list[Endpoint]) -> None:
        self._endpoints = endpoints
        self.made: set[tuple[str, str]] = set()

    def hear(self, answer: Answer) -> None:
        """Record the endpoint of the answer, if the call succeeded."""
        parts_of_path = answer.path.partition("?")[0].split("/")

        def fits(endpoint: Endpoint) -> bool:
            parts = endpoint.spec.path.split("/")
            return (
                endpoint.spec.method == answer.method
                and len(parts) == len(parts_of_path)
                and all(
                    p.startswith("{") or p == given
                    for p, given in zip(parts, parts_of_path, strict=True)
                )
            )

        fitting = [endpoint for endpoint in self._endpoints if fits(endpoint)]
        spec = min(fitting, key=lambda endpoint: endpoint.spec.path.count("{")).spec
        if answer.status in {spec.status, *spec.also}:
            self.made.add((spec.method, spec.path))

    def missing(self) -> set[tuple[str, str]]:
        """The endpoints that were never called with success."""
        return {(e.spec.method, e.spec.path) for e in self._endpoints} - self.made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(watched: Watched) -> AsyncIterator[tuple[CalledEndpoints, list[dict[str, Any]]]]:
    """The called endpoints, after every call of the API, and the profiler's records of them."""
    api = watched.api
    calls = CalledEndpoints(endpoints_for(api.services))
    api.on_answer.append(calls.hear)
    await every_call(api)
    await end_pushes(api)
    yield calls, await watched.probe.records()


async def every_call(api: Api) -> None:
    """Make every call of the API once with success, and finish the background work of them."""
    await _channels(api)
    await _groups(api)
    await _conversations(api)
    await _default_channels(api)
    await api.services.chat.cleanup.wait()
    await api.services.chat.media.sweep()
    await deliver_pushes(api)


async def deliver_pushes(api: Api) -> None:
    """What delivery asks of the database, in the background: no device of this server is sent to."""
    delivery, now = api.services.push_delivery, api.clock.now()
    jobs, presence = delivery.worker.jobs, delivery.presence
    user_id, group_id = UserId("ada"), GroupId("x")
    job = Job(
        job_id="group_x",
        stream_id=stream_of(group_id),
        seq=1,
        sender_id=user_id,
        posted_at=now,
        group_id=group_id,
    )
    retry = replace(job, job_id="retry", attempt=1, device_keys=((user_id, "phone"),))

    async def put(tx: Tx) -> None:
        jobs.end_retries([job.stream_id], tx)
        jobs.put_newest([job], now, tx)
        jobs.put_retry(retry, now, tx)
        PushFigures(figures=api.services.reports.reports.figures).add_pushes(
            group_id, 1, pushed=1, rejected=1, failed=1, tx=tx
        )

    await api.services.database.run(put)
    later = now + timedelta(minutes=1)
    due = {each.job_id: each for each in await jobs.list_due(later, later, 10)}
    mine = await jobs.claim(due[job.job_id], "process", later)
    assert mine is not None
    await jobs.renew([mine.job_id], "process", later)
    assert await jobs.mark_in_flight(mine, "process", "bob")
    assert await jobs.advance(mine, "process", cursor="bob", is_wrapped=False, in_flight=None)
    await jobs.release(mine, "process", now)
    await presence.store.save("process", [user_id], [])
    await presence.store.save("process", [user_id], [UserId("bob")])
    await presence.store.keep("process", later)
    assert await presence.store.find_online([user_id], now, except_process="") == {user_id}
    await presence.store.list_ended(now)
    await presence.update()


async def a_dialogue_to_announce(api: Api) -> None:
    """The job of a one-to-one message, while it is sent, and that of a message in a channel's inbox."""
    now = api.clock.now()
    job = Job(
        job_id="c2c_x",
        stream_id=StreamId("c2c_x"),
        seq=1,
        sender_id=UserId("ada"),
        posted_at=now,
        recipient_id=UserId("bob"),
        peer_id="ada",
    )
    of_inbox = replace(
        job,
        job_id="inbox_x",
        stream_id=StreamId("inbox_x"),
        group_id=GroupId("@TOA#_x"),
        is_inbox=True,
        recipient_id=None,
        peer_id=None,
    )

    async def put(tx: Tx) -> None:
        jobs.put_newest([job, of_inbox], now, tx)

    jobs = api.services.push_delivery.worker.jobs
    await api.services.database.run(put)
    mine = await jobs.claim(job, "process", now + timedelta(minutes=1))
    assert mine is not None
    assert await jobs.mark_in_flight(mine, "process", "bob")


async def end_pushes(api: Api) -> None:
    """End what `deliver_pushes` began."""
    jobs, presence = api.services.push_delivery.worker.jobs, api.services.push_delivery.presence
    later = api.clock.now() + timedelta(minutes=5)
    for due in await jobs.list_due(later, later, 10):
        mine = await jobs.claim(due, "process", later)
        assert mine is not None
        assert await jobs.finish(mine, "process")
    await presence.store.remove_process("process")


async def _channels(api: Api) -> None:
    ada, bob, cat, dan, eve = (api.new_user() for _ in range(5))
    path = await a_channel(ada, bob, cat)
    await a_channel(ada)
    for query in (f"ids={part(id_of(path))}", "owned=true", "subscribed=true"):
        await ada.get(f"/v1/channels?{query}")
    for sort in ("popular", "new", "active"):
        await ada.get(f"/v1/channels?q=new&sort={sort}&limit=1")
        page = await ada.get(f"/v1/channels?sort={sort}&limit=1")
        further = await ada.get(
            f"/v1/channels?sort={sort}&limit=1&cursor={page.body['next_cursor']}"
        )
        assert len(further.items) == 1
    app = api.new_user(admin=True)
    for sort in ("popular", "new", "active"):
        every = f"/v1/channels?all=true&sort={sort}&limit=1"
        page = await app.get(every)
        further = await app.get(f"{every}&cursor={page.body['next_cursor']}")
        assert len(further.items) == 1
    await dan.get(path)
    await ada.patch(path, {"introduction": "All of it", "custom_data": "x"})
    await app.put(f"{path}/verified")
    await app.delete(f"{path}/verified")
    await _moderation(app, bob, ada, path)
    await dan.put(f"{path}/subscription")
    ears = await dan.socket()
    await ears.tell(type="watch", conversation_id=conversation_of(path))
    await ada.put(f"{path}/subscribers/{part(eve.id)}")
    await eve.post(f"{path}/invitations/me", {"accept": True})
    await _invite_links(api, path, ada)
    lines = "\n".join(f'{{"user_id": "{user.id}"}}' for user in (bob, dan, api.new_user()))
    await app.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    for query in ("limit=1", "q=user", "staff=true"):
        await ada.get(f"{path}/subscribers?{query}")
    await ada.put(f"{path}/admins/{part(bob.id)}")
    await _admins(api, path, ada, bob, dan)
    post = f"{path}/posts/{(await a_post(ada, path))['seq']}"
    await ada.post(f"{path}/posts/preview", TEXT)
    media = await ada.call("POST", "/v1/media", data=b"x" * 9, headers={"Idempotency-Key": "once"})
    await ada.call("POST", "/v1/media", data=b"x" * 9, headers={"Idempotency-Key": "once"})
    await dan.get(f"/v1/media/{media.body['media_id']}")
    await dan.post("/v1/link-previews", {"url": a_known_page(api)})
    await ada.post(f"{path}/posts", {"kind": "file", "file": media.body["media_id"]})
    await ada.post(f"{path}/posts", TEXT, idempotency_key="once")
    await ada.post(f"{path}/posts", TEXT, idempotency_key="once")
    await dan.get(f"{path}/posts?limit=1")
    await dan.get(f"{path}/posts?after_seq=1")
    for place in ("changed_since=0", "around_seq=1", "around=unread"):
        await dan.get(f"{path}/posts?{place}")
    await api.new_user().get(f"{path}/posts")
    await dan.get(post)
    await ada.patch(post, {"kind": "text", "text": "Better"})
    for emoji in (THUMB, part("🎉")):
        await dan.put(f"{post}/reactions/{emoji}")
    await cat.put(f"{post}/reactions/{THUMB}")
    for who in (dan, cat, dan):
        await who.post(f"{path}/posts/views", {"seqs": [1, 2]})
    await _clicks(ada, dan, path)
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    await dan.patch(conversation, {"muted": True})
    await ada.get(f"{path}/insights")
    await ada.get(f"{path}/insights?from=2026-01-01&to=2026-01-31")
    await ada.get(f"{path}/insights/posts?limit=1")
    await ada.get(f"{post}/report")
    await ada.get(f"{path}/share-link?seq=1")
    for query in ("", "after=start", "types=message.posted&after=start"):
        await app.get(f"/v1/events?{query}")
    await ada.get(f"/v1/events?after=start&channel_id={part(id_of(path))}")
    await dan.get(f"{post}/reactions")
    await ada.get(f"{post}/reactions/{THUMB}")
    await dan.delete(f"{post}/reactions/{part('🎉')}")
    poll = {"question": "Tea?", "options": ["Yes", "No"], "results": "after_vote"}
    asked = await ada.post(f"{path}/posts", {"kind": "poll", "poll": poll})
    poll_post = f"{path}/posts/{asked.body['seq']}"
    for option in (0, 1):
        await dan.put(f"{poll_post}/vote", {"options": [option]})
    await dan.get(f"{path}/posts")
    await dan.delete(f"{poll_post}/vote")
    asking = {"kind": "text", "text": "Read this", "acknowledge": True}
    asked = await ada.post(f"{path}/posts", asking)
    asking_post = f"{path}/posts/{asked.body['seq']}"
    await dan.put(f"{asking_post}/acknowledgement")
    for state in ("given", "missing"):
        await ada.get(f"{asking_post}/acknowledgements?state={state}&limit=1")
    await ada.post(f"{asking_post}/acknowledgements/reminder")
    await ada.post(f"{poll_post}/poll/close")
    await ada.put(f"{post}/pin")
    await dan.get(f"{path}/pins")
    await ada.delete(f"{post}/pin")
    await ada.put(f"{post}/reactions-freeze")
    await ada.delete(f"{post}/reactions-freeze")
    forward = {"forward": {"channel_id": id_of(path), "seq": 1}, "silent": True}
    await ada.post(f"{path}/posts/preview", forward)
    await ada.post(f"{path}/posts", forward)
    await _drafts(api, ada, path)
    await _canned_replies(ada, path)
    await _buttons_and_forms(ada, dan, path)
    await _self_service(api, ada, dan, path)
    await _broadcasts(api, ada, dan, path)
    await _comments(api, path, ada, dan)
    await _search_by_name(ada, path)
    for user, place in ((ada, path), (api.new_user(admin=True), "/v1")):
        await _webhooks(api, user, place, ada, path)
    await ada.delete(post)
    await ears.close()
    mine = "/v1/channels?subscribed=true&limit=1"
    token = (await dan.get(mine)).body["sync_token"]
    for query in ("", "?limit=1", "?conversation_group=channels"):
        await dan.get(f"/v1/feed{query}")
    for query in ("q=hello", "q=hello%20x&kind=text", "q=hel&limit=1"):
        await dan.get(f"/v1/search/messages?{query}")
    start = (await dan.get("/v1/sync?limit=1")).body
    await ada.patch(path, {"name": "Newer"})
    other = await a_channel(ada, dan)
    first = (await dan.get("/v1/sync?limit=1")).body
    assert len((await dan.get(f"/v1/sync?limit=1&cursor={first['next_cursor']}")).items) == 1
    page = await dan.get(f"{mine}&updated_since={token}")
    await dan.get(f"{mine}&updated_since={token}&cursor={page.body['next_cursor']}")
    await dan.delete(f"{path}/subscription")
    await ada.delete(other)
    assert len((await dan.get(f"{mine}0&updated_since={token}")).items) == 2
    assert len((await dan.get(f"/v1/sync?since={start['sync_token']}")).items) >= 2
    await ada.delete(f"{path}/subscribers/{part(cat.id)}")
    await ada.delete(f"{path}/subscribers/{part(eve.id)}?ban=true")
    await ada.get(f"{path}/bans")
    await ada.delete(f"{path}/bans/{part(eve.id)}")
    await ada.post(f"{path}/owner", {"user_id": bob.id})
    await bob.delete(f"{path}/admins/{part(ada.id)}")
    await bob.delete(path)


async def _invite_links(api: Api, path: str, ada: User) -> None:
    """Joining by a link, with and without approval."""
    users = [api.new_user() for _ in range(4)]
    made = await ada.post(f"{path}/invite-links", {"approval": True}, idempotency_key="link")
    at, mine = (f"{root}/invite-links/{made.body['code']}" for root in (path, "/v1"))
    await ada.get(f"{path}/invite-links?limit=1")
    await ada.get(at)
    await ada.patch(at, {"max_uses": 50})
    for user in users:
        await user.get(mine)
        await user.post(f"{mine}/join")
        await user.get("/v1/join-requests?limit=1")
    await ada.get(f"{path}/join-requests?limit=1")
    await ada.post(f"{path}/join-requests/{part(users[0].id)}", {"approve": True})
    refused = {"user_ids": [users[1].id], "approve": False}
    await ada.post(f"{path}/join-requests", refused)
    await users[2].delete(f"{path}/join-requests/me")
    await ada.patch(at, {"approval": False})
    for user in users[2:]:
        await user.post(f"{mine}/join")
    await ada.delete(at)


async def _admins(api: Api, path: str, ada: User, bob: User, dan: User) -> None:
    """Admins, invitations, bans from reacting, and the admin log."""
    await ada.put(f"{path}/admins/{part(bob.id)}", {"grants": ["post"]})
    await bob.get(f"{path}/admins?limit=1")
    guests = [api.new_user() for _ in range(4)]
    for guest in guests:
        await ada.post(f"{path}/invitations", {"user_id": guest.id})
    page = await ada.get(f"{path}/invitations?limit=1")
    await ada.get(f"{path}/invitations?limit=1&cursor={page.body['next_cursor']}")
    await guests[0].get("/v1/invitations")
    for guest, accept in zip(guests, (True, False), strict=False):
        await guest.post(f"{path}/invitations/me", {"accept": accept})
    await ada.delete(f"{path}/invitations/{part(guests[2].id)}")
    await ada.put(f"{path}/reaction-bans/{part(dan.id)}")
    await ada.get(f"{path}/reaction-bans")
    await ada.delete(f"{path}/reaction-bans/{part(dan.id)}")
    for query in ("", "action=admin_invited&", f"actor_id={ada.id}&", f"target_id={dan.id}&"):
        page = await ada.get(f"{path}/admin-log?{query}limit=1")
        await ada.get(f"{path}/admin-log?{query}limit=1&cursor={page.body['next_cursor']}")


async def _webhooks(api: Api, ada: User, path: str, writer: User, channel: str) -> None:
    """A webhook to a host that does not exist: it is written down, tried, read, replayed, and cleared away."""
    made = await ada.post(f"{path}/webhooks", {"url": "https://hooks.invalid/"})
    one = f"{path}/webhooks/{made.body['webhook_id']}"
    await ada.get(one)
    await a_post(writer, channel)
    await api.services.log.sequencer.run()
    await api.services.webhooks.consumer.catch_up()
    tried = await ada.post(f"{one}/test")
    await ada.get(f"{path}/webhooks?limit=1")
    page = await ada.get(f"{one}/deliveries?limit=1")
    await ada.get(f"{one}/deliveries?limit=1&cursor={page.body['next_cursor']}")
    delivery = f"{one}/deliveries/{tried.body['delivery_id']}"
    async with asyncio.timeout(20):
        while not (await ada.get(delivery)).body["attempts_made"]:
            await asyncio.sleep(0.02)
    await ada.post(f"{delivery}/replay")
    await ada.post(f"{one}/replay", {"since": "2026-01-01T00:00:00Z"})
    await ada.post(f"{one}/rotate-secret")
    await ada.patch(one, {"description": "Shop"})
    await ada.delete(one)
    await api.services.webhooks.cleanup.sweep()


async def _moderation(app: User, reporter: User, owner: User, path: str) -> None:
    for user in (owner.id, fresh("user")):
        about = {"target": {"type": "user", "user_id": user}, "reason": "spam", "text": "Look"}
        assert (await reporter.post("/v1/reports", about)).status == 201
    page = await app.get("/v1/reports?limit=1")
    await app.get(f"/v1/reports?limit=1&cursor={page.body['next_cursor']}")
    await app.get("/v1/reports?type=user")
    await owner.get(f"{path}/reports")
    one = f"/v1/reports/{page.items[0]['report_id']}"
    await app.get(one)
    assert (await app.post(f"{one}/resolution", {"action": "restrict_user"})).status == 200
    restriction = f"/v1/users/{part(page.items[0]['author_id'])}/restriction"
    await app.put(restriction, {"reason": "Spam"})
    await app.get(restriction)
    other = f"/v1/users/{part(reporter.id)}/restriction"
    await app.put(other, {})
    page = await app.get("/v1/restrictions?limit=1")
    await app.get(f"/v1/restrictions?limit=1&cursor={page.body['next_cursor']}")
    for user in (other, restriction):
        await app.delete(user)
    await app.put(f"{path}/suspension", {"mode": "hidden"})
    await app.get("/v1/channels?suspended=true")
    await reporter.get("/v1/sync")
    await app.delete(f"{path}/suspension")
    await app.get("/v1/admin-log?limit=1")


async def _user_data(api: Api) -> None:
    """Export and delete a user who wrote, reacted and voted."""
    app, ada, leaver = api.new_user(admin=True), api.new_user(), api.new_user()
    path = await a_channel(ada, leaver, settings={"comments": "everyone"})
    poll = {"question": "Tea?", "options": ["Yes", "No"]}
    seq = (await ada.post(f"{path}/posts", {"kind": "poll", "poll": poll})).body["seq"]
    post, text = f"{path}/posts/{seq}", {"kind": "text", "text": "Hello"}
    await leaver.patch("/v1/users/me", {"name": "Lea"})
    await leaver.put(f"{post}/vote", {"options": [0]})
    await leaver.put(f"{post}/reactions/{part('👍')}")
    await leaver.post(f"{post}/comments", text)
    await leaver.post(f"/v1/conversations/{part('c2c_' + id_of(path))}/messages", text)
    await leaver.post(f"/v1/conversations/{part('c2c_' + ada.id)}/messages", text)
    await leaver.call("POST", "/v1/media", data=b"a note")
    await leaver.delete(f"{path}/subscription")
    assert (await leaver.get("/v1/users/me/export")).status == 200
    assert (await delete_user(app, leaver)).status == 202
    # The background task is stopped: see `watched`.
    await api.services.user_data.worker.run_all()
    await until_deleted(app, leaver)
    await api.services.user_data.deletions.load()


async def _comments(api: Api, path: str, ada: User, dan: User) -> None:
    """Comments on two posts, one of which is deleted; bans from commenting."""
    await ada.patch(path, {"settings": {"comments": "everyone"}})
    said: dict[str, Any] = {"kind": "text", "text": "Well"}
    posts = [f"{path}/posts/{(await a_post(ada, path))['seq']}" for _ in range(2)]
    for post in posts:
        await dan.post(f"{post}/comments", said, idempotency_key="well")
        await ada.post(f"{post}/comments", {**said, "quoted_seq": 1})
        await ada.put(f"{post}/comments/1/reactions/{THUMB}")
    post = posts[-1]
    for query in ("", "?limit=1", "?after_seq=0", "?around_seq=1", "?changed_since=0"):
        await ada.get(f"{post}/comments{query}")
    await ada.get(f"{post}/comments/2")
    await dan.patch(f"{post}/comments/1", {"kind": "text", "text": "Better"})
    await ada.delete(f"{post}/comments/1/reactions/{THUMB}")
    await ada.delete(f"{post}/comments/1")
    await ada.put(f"{post}/comments-freeze")
    await ada.delete(f"{post}/comments-freeze")
    await ada.put(f"{path}/comment-bans/{part(dan.id)}")
    await ada.get(f"{path}/comment-bans")
    await ada.delete(f"{path}/comment-bans/{part(dan.id)}")
    await ada.delete(post)
    await api.services.comments.cleanup.clear_ended()


async def _clicks(ada: User, dan: User, path: str) -> None:
    await ada.patch(path, {"settings": {"count_clicks": True}})
    seq = (await a_post(ada, path, "See https://example.org/"))["seq"]
    for who in (ada, dan, dan):
        await who.post(f"{path}/posts/{seq}/clicks", {"url": "https://example.org/"})
    await ada.get(f"{path}/posts/{seq}/clicks")
    await ada.delete(f"{path}/posts/{seq}")


async def _default_channels(api: Api) -> None:
    """A sweep over those who are known, and a person who comes later."""
    ada, app = api.new_user(), api.new_user(admin=True)
    path, defaults = await a_channel(ada), api.services.default_channels
    await app.put(f"{path}/default")
    async with asyncio.timeout(20):
        while (await app.get("/v1/default-channels")).items[0]["state"] != "done":
            await defaults.sweep.run()
            await asyncio.sleep(0.02)
        new = api.new_user()
        while (await new.get(path)).body["subscribed_at"] is None:
            await asyncio.sleep(0.02)
    await app.delete(f"{path}/default")
    await ada.delete(path)


async def _buttons_and_forms(ada: User, dan: User, path: str) -> None:
    rows = [
        [
            {"text": "Order", "kind": "event", "data": "tea"},
            {"text": "Call", "kind": "reply", "reply": "Call me"},
        ]
    ]
    content = {"kind": "text", "text": "Tea?", "buttons": rows}
    offered = await ada.post(f"{path}/posts", content)
    for index in (0, 1):
        pressed = await dan.put(f"{path}/posts/{offered.body['seq']}/buttons/{index}/press")
        assert pressed.status == 200, pressed
    sent = await ada.post(f"{path}/inbox/{part(dan.id)}/messages", content)
    with_channel = f"/v1/conversations/{part('c2c_' + id_of(path))}/messages"
    await dan.put(f"{with_channel}/{sent.body['seq']}/buttons/0/press")
    form = {"title": "Order", "fields": [{"name": "size", "label": "Size"}]}
    for name in ("order", "call"):
        await ada.put(f"{path}/forms/{name}", form)
    page = await dan.get(f"{path}/forms?limit=1")
    await dan.get(f"{path}/forms?limit=1&cursor={page.body['next_cursor']}")
    await dan.get(f"{path}/forms/order")
    await dan.post(f"{path}/forms/order/answers", {"answers": {"size": "Large"}})
    await ada.delete(f"{path}/forms/call")


async def _canned_replies(ada: User, path: str) -> None:
    for name in ("hours", "place"):
        await ada.put(f"{path}/canned-replies/{name}", {"text": "We open at nine"})
    page = await ada.get(f"{path}/canned-replies?limit=1")
    await ada.get(f"{path}/canned-replies?limit=1&cursor={page.body['next_cursor']}")
    await ada.delete(f"{path}/canned-replies/hours")


async def send_automatic_messages(api: Api) -> None:
    """Note what is to be sent, and send it."""
    await api.services.log.sequencer.run()
    await api.services.automatic.consumer.catch_up()
    while await api.services.automatic.worker.send_due():
        pass


async def _self_service(api: Api, ada: User, dan: User, path: str) -> None:
    """A menu, and messages that the channel sends by itself."""
    entries = [
        {"text": "Hours", "kind": "reply", "reply": "hours"},
        {"text": "Call me", "kind": "event", "data": "call"},
    ]
    await ada.put(f"{path}/menu", {"entries": entries})
    await dan.get(f"{path}/menu")
    text = {"text": "Welcome"}
    await ada.put(f"{path}/greeting", text)
    for name in ("hours", "price"):
        body = {"keywords": [name], "answer": text}
        await ada.put(f"{path}/auto-replies/{name}", body)
    page = await ada.get(f"{path}/auto-replies?limit=1")
    await ada.get(f"{path}/auto-replies?limit=1&cursor={page.body['next_cursor']}")
    await ada.get(f"{path}/auto-replies/hours")
    hours = {"time_zone": "UTC", "weekly": {}, "away": text}
    await ada.put(f"{path}/opening-hours", hours)
    for name in ("greeting", "opening-hours"):
        await ada.get(f"{path}/{name}")
    for entry in ("1", "2"):
        await dan.post(f"{path}/menu/selections", {"entry": entry}, idempotency_key=f"m{entry}")
    new = api.new_user()
    await new.put(f"{path}/subscription")
    talk = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    await send_automatic_messages(api)
    assert (await new.get(talk)).items
    for name in ("menu", "greeting", "auto-replies/hours", "auto-replies/price", "opening-hours"):
        await ada.delete(f"{path}/{name}")


async def _broadcasts(api: Api, ada: User, dan: User, path: str) -> None:
    of_dan = f"{path}/subscribers/{part(dan.id)}/tags"
    for tags in (["vip", "new"], ["vip"]):
        await ada.put(of_dan, {"tags": tags})
    await ada.get(f"{path}/subscribers?tag=vip")
    await ada.get(f"{path}/subscriber-tags")
    line = f'{{"user_id": "{dan.id}", "add": ["old"]}}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    await ada.call("POST", f"{path}/subscriber-tags", data=line, headers=headers)
    hello = {"kind": "text", "text": "Hello"}
    await dan.put(f"{path}/broadcast-opt-out")
    await dan.get(f"{path}/broadcast-opt-out")
    segments: list[dict[str, list[str]]] = [
        {},
        {"all": ["vip", "new"]},
        {"any": ["vip", "new"]},
        {"none": ["new"]},
    ]
    worker = api.services.broadcasts.worker
    for segment in segments:
        await ada.post(f"{path}/broadcasts/audience", {"segment": segment})
        made = await ada.post(f"{path}/broadcasts", {**hello, "segment": segment})
        one = f"{path}/broadcasts/{made.body['broadcast_id']}"
        async with asyncio.timeout(30):
            while (await ada.get(one)).body["state"] != "done":
                worker.wake()
                await asyncio.sleep(0.02)
        await ada.get(f"{one}/not-reached")
    await ada.get(f"{path}/broadcasts?limit=1")
    later = rfc3339(api.clock.now() + timedelta(hours=1))
    made = await ada.post(f"{path}/broadcasts", {**hello, "start_at": later})
    for call in ("stop", "resume", "stop"):
        await ada.post(f"{path}/broadcasts/{made.body['broadcast_id']}/{call}")
    await api.services.broadcasts.worker.cleanup.delete_old()
    await dan.delete(f"{path}/broadcast-opt-out")


async def _search_by_name(ada: User, path: str) -> None:
    await ada.patch("/v1/users/me", {"name": "Ada Lovelace"})
    for words in ("ada", "love"):
        await ada.get(f"{path}/subscribers?q={words}")
    # On from both orders of names.
    for stage, key in ((1, "ad"), (2, "lo")):
        cursor = encode_cursor("members by name", stage, key, "a")
        await ada.get(f"{path}/subscribers?q={key}&cursor={cursor}")


async def _drafts(api: Api, ada: User, path: str) -> None:
    async def keep(**hours: str) -> str:
        kept = await ada.post(f"{path}/drafts", {"post": TEXT, **hours}, idempotency_key=fresh("k"))
        return f"{path}/drafts/{kept.body['draft_id']}"

    soon = rfc3339(api.clock.now() + timedelta(seconds=60))
    one, due, late = await keep(), await keep(publish_at=soon), await keep(publish_at=soon)
    await ada.get(f"{path}/drafts")
    page = await ada.get(f"{path}/drafts?scheduled=true&limit=1")
    await ada.get(f"{path}/drafts?scheduled=true&cursor={page.body['next_cursor']}")
    await ada.get(one)
    await ada.patch(one, {"post": {"kind": "text", "text": "Better"}})
    await ada.post(f"{one}/publish")
    await ada.delete(late)
    await keep()  # left for the clean-up of the channel
    api.clock.move(seconds=120)
    await api.services.channels.drafting.scheduler.publish_due()
    assert (await ada.get(due)).status == 404


async def _groups(api: Api) -> None:
    ada, bob, cat, dan = (api.new_user() for _ in range(4))
    tea = await a_chat_group(ada, bob)
    await a_post(bob, tea)
    await ada.post("/v1/channels", {"group_id": id_of(tea), "name": "Tea news"})
    await bob.delete(f"/v1/channels/{part(id_of(tea))}/posts/1")
    path = await a_chat_group(ada, bob, cat, join_option="approval")
    await ada.get(f"/v1/groups?ids={part(id_of(path))}")
    await ada.get("/v1/groups?joined=true&limit=1")
    await bob.get(path)
    await ada.patch(path, {"introduction": "Tea", "custom": {"colour": "red"}})
    # Join requests: approved, refused, withdrawn.
    for answer in (True, False):
        await dan.put(f"{path}/members/me", {"text": "Me?"})
        await ada.get(f"{path}/join-requests")
        await ada.post(f"{path}/join-requests/{part(dan.id)}", {"approve": answer})
        await dan.delete(f"{path}/members/me")
    await dan.put(f"{path}/members/me", {"text": "Me?"})
    await dan.delete(f"{path}/join-requests/me")
    await _invite_links(api, path, ada)
    # Dan has left the group by himself, so he is asked.
    await ada.put(f"{path}/members/{part(dan.id)}")
    await ada.get(f"{path}/invitations?limit=1")
    await dan.get("/v1/invitations")
    await dan.post(f"{path}/invitations/me", {"accept": False})
    await ada.delete(f"{path}/invitations/{part(dan.id)}")
    await api.new_user(admin=True).put(f"{path}/members/{part(dan.id)}")
    await bob.get(f"{path}/members?limit=1")
    await bob.get(f"{path}/members/{part(ada.id)}")
    await ada.patch(f"{path}/members/{part(bob.id)}", {"role": "admin"})
    await ada.patch(f"{path}/members/{part(dan.id)}", {"mute_seconds": 60})
    message = f"{path}/messages/{(await a_post(bob, path))['seq']}"
    await bob.get(f"{path}/messages")
    await bob.get(message)
    await bob.patch(message, {"kind": "text", "text": "Better"})
    await cat.put(f"{message}/reactions/{THUMB}")
    await cat.get(f"{message}/reactions")
    await cat.get(f"{message}/reactions/{THUMB}")
    await cat.delete(f"{message}/reactions/{THUMB}")
    await cat.put(f"{message}/reactions/{THUMB}")
    poll = {"question": "Tea?", "options": ["Yes", "No"]}
    asked = await bob.post(f"{path}/messages", {"kind": "poll", "poll": poll})
    await cat.put(f"{path}/messages/{asked.body['seq']}/vote", {"options": [0]})
    await cat.get(f"{path}/messages/{asked.body['seq']}/vote/0?limit=1")
    await cat.delete(f"{path}/messages/{asked.body['seq']}/vote")
    await bob.post(f"{path}/messages/{asked.body['seq']}/poll/close")
    asking = {"kind": "text", "text": "Read this", "acknowledge": True}
    asked = await ada.post(f"{path}/messages", asking)
    asking_message = f"{path}/messages/{asked.body['seq']}"
    await cat.put(f"{asking_message}/acknowledgement")
    await ada.get(f"{asking_message}/acknowledgements?state=missing")
    await ada.post(f"{asking_message}/acknowledgements/reminder")
    await bob.delete(message)
    await ada.delete(
        f"{path}/members/{part(dan.id)}",
    )
    await ada.delete(f"{path}/members/{part(cat.id)}?ban=true")
    await ada.get(f"{path}/bans")
    await ada.delete(f"{path}/bans/{part(cat.id)}")
    await ada.post(f"{path}/owner", {"user_id": bob.id})
    await bob.delete(path)


async def _conversations(api: Api) -> None:
    ada, bob = api.new_user(), api.new_user()
    path, news = await a_chat_group(ada, bob), await a_channel(ada, bob)
    keys = [conversation_of(path), conversation_of(news)]
    for place in (path, news):
        await a_post(ada, place)
    one = f"/v1/conversations/{part(keys[0])}"
    mine = f"/v1/conversation-groups/{part('Mine')}"
    await bob.put(mine, {"conversation_ids": keys[:1]})
    await bob.post(f"{mine}/conversations", {"add": keys[1:], "remove": keys[:1]})
    await bob.get("/v1/conversation-groups")
    for query in (
        "limit=1",
        "unread=true",
        "conversation_group=Mine",
        "type=c2c",
        f"ids={part(keys[0])}",
    ):
        await bob.get(f"/v1/conversations?{query}")
    await bob.get(one)
    await bob.patch(one, {"muted": True, "draft": "Dear"})
    await bob.post(f"{one}/read", {})
    await bob.get("/v1/unread")
    await bob.post("/v1/read", {"scope": "all"})
    await bob.delete(one)
    await bob.patch(mine, {"name": "Ours"})
    await bob.delete("/v1/conversation-groups/Ours")
    await _dialogues(api)
    await bob.get("/v1/users/me")
    await bob.patch("/v1/users/me", {"name": "Bob"})
    await ada.get(f"/v1/users/{part(bob.id)}")
    await ada.get(f"/v1/users?ids={part(bob.id)},nobody")
    await ada.get(f"/v1/users?ids={part(bob.id)},{part(ada.id)}")
    app = api.new_user(admin=True)
    for what in ("groups", "channels", "channels?owned=true"):
        await app.get(f"/v1/users/{part(ada.id)}/{what}")
    for query in ("", "&type=community"):
        page = await app.get(f"/v1/groups?all=true&limit=1{query}")
        await app.get(f"/v1/groups?all=true&limit=1{query}&cursor={page.body['next_cursor']}")
    shop = api.new_user(business=True)
    await a_channel(shop)
    for kind in ("person", "business"):
        user = {"user_id": shop.id, "face_url": "", "account_kind": kind}
        await app.post("/v1/users", {"users": [user]})
    await _user_data(api)
    await ada.delete("/v1/users/me/tokens")
    await api.services.chat.revocations.load()
    await api.services.chat.accounts.load()


async def _dialogues(api: Api) -> None:
    ada, bob, cat = (api.new_user() for _ in range(3))
    news = await a_channel(ada, bob, admins=(cat,))
    await a_post(ada, news)
    talk = f"/v1/conversations/{part('c2c_' + id_of(news))}"
    inbox = f"{news}/inbox/{part(bob.id)}"
    for path in (talk, f"/v1/conversations/{part('c2c_' + cat.id)}"):
        for key in ("one", "two", "two"):
            await bob.post(f"{path}/messages", TEXT, idempotency_key=key)
        await bob.get(f"/v1/conversations?ids={path.rsplit('/', 1)[-1]}")
        await bob.get(f"{path}/messages?limit=1")
        await bob.get(f"{path}/messages?after_seq=1")
        for place in ("changed_since=0", "around_seq=1", "around=unread"):
            await bob.get(f"{path}/messages?{place}")
        await bob.get(f"{path}/messages/1")
        await bob.patch(f"{path}/messages/1", {"kind": "text", "text": "Better"})
        await bob.put(f"{path}/messages/1/reactions/{THUMB}")
        await bob.delete(f"{path}/messages/1/reactions/{THUMB}")
        await bob.delete(f"{path}/messages/1")
        await bob.patch(path, {"muted": True})
        await bob.post(f"{path}/read", {})
    await bob.get("/v1/conversations?type=c2c")
    await bob.get(f"{talk}/messages?with_posts=true&limit=1")
    await ada.post(f"{talk}/messages", TEXT)
    page = await cat.get(f"{news}/inbox?limit=1")
    assert len((await cat.get(f"{news}/inbox?cursor={page.body['next_cursor']}")).items) == 1
    await cat.get(f"{news}/inbox/unread")
    for tags in (["order"], []):
        await cat.put(f"{inbox}/tags", {"tags": tags})
        await cat.get(f"{news}/inbox/tags")
        await cat.get(f"{news}/inbox?tag=order&limit=1")
    await cat.get(f"{inbox}/messages")
    for place in ("changed_since=0", "around_seq=1", "around=unread"):
        await cat.get(f"{inbox}/messages?{place}")
    await cat.post(f"{inbox}/messages", TEXT)
    await ada.get(f"{inbox}/messages/3")
    await ada.patch(f"{inbox}/messages/3", {"kind": "text", "text": "Better"})
    await ada.put(f"{inbox}/messages/3/reactions/{THUMB}")
    await ada.delete(f"{inbox}/messages/3/reactions/{THUMB}")
    await ada.delete(f"{inbox}/messages/3")
    await bob.post(f"{talk}/messages", TEXT)
    await ada.post(f"{inbox}/read")
    # The channel begins threads, switched off before and after there is one; an id that may mean a channel.
    dan, root = api.new_user(), api.new_user(admin=True)
    await dan.put(f"{news}/subscription")
    await dan.patch(talk, {"accept": False})
    await dan.get(talk)
    await dan.patch(talk, {"accept": True})
    for key in ("one", "two"):
        body = {"user_ids": [dan.id, bob.id], **TEXT}
        await root.post(f"{news}/inbox/messages", body, idempotency_key=key)
    until = rfc3339(api.clock.now() + timedelta(hours=1))
    await dan.patch(talk, {"accept": False, "muted_until": until})
    short = id_of(news).removeprefix("@TOA#_")
    await dan.post(f"/v1/conversations/c2c_{part(short)}/messages", TEXT)
    for source in ({"channel_id": id_of(news)}, {"conversation_id": f"c2c_{id_of(news)}"}):
        await bob.post(
            f"/v1/conversations/{part('c2c_' + cat.id)}/messages", {"forward": {**source, "seq": 1}}
        )
    await bob.put(f"/v1/blocks/{part(cat.id)}")
    await bob.get("/v1/blocks?limit=1")
    await bob.delete(f"/v1/blocks/{part(cat.id)}")
    await ada.delete(news)
    await _devices(api)


async def _devices(api: Api) -> None:
    ada, bob = api.new_user(), api.new_user()
    phone = {"platform": "gateway", "pushkey": ada.id, "app_id": "app", "locale": "en"}
    keys = {"p256dh": "BA" + "A" * 85, "auth": "A" * 22}
    subscription = {"endpoint": f"https://push.example.net/{ada.id}", "keys": keys}
    web = {"platform": "web", "subscription": subscription, "app_id": "web", "locale": "en"}
    await ada.get("/v1/push")
    for device_id, registration in (("phone", phone), ("web", web)):
        await ada.put(f"/v1/devices/{device_id}", registration)
    page = await ada.get("/v1/devices?limit=1")
    await ada.get(f"/v1/devices?limit=1&cursor={page.body['next_cursor']}")
    await bob.put("/v1/devices/phone", phone | {"name": "A phone"})
    await bob.get("/v1/devices/phone")
    await bob.delete("/v1/devices/phone")


Story = tuple[CalledEndpoints, list[dict[str, Any]]]


async def test_the_story_makes_every_call_of_the_api(story: Story) -> None:
    assert story[0].missing() == set()


async def test_no_call_breaks_a_rule_on_queries(story: Story) -> None:
    assert faults(story[1]) == []


async def test_every_accepted_shape_is_still_sent(story: Story) -> None:
    sent = {shape_of(r) for r in statements(story[1]) if r["op"] != "insert"}
    assert set(ACCEPTED) - sent == set()


async def test_every_collection_has_a_shard_key_here(watched: Watched, story: Story) -> None:
    database = watched.api.services.database.collection("any").database
    stored = set(await database.list_collection_names()) - {"system.profile"}
    assert stored <= set(SHARD_KEY)


# --- the rules find offenders -----------------------------------------------------------------------------------------

USER: Final = {"user_id": "u"}

OFFENDERS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "a search without the shard key": ({"find": "members", "filter": {"role": "owner"}}, "shard"),
    "a range of the shard key": ({"find": "groups", "filter": {"_id": {"$gt": ""}}}, "shard"),
    "a search in an unknown collection": ({"find": "new", "filter": {"_id": 1}}, "unknown"),
    "an update without the shard key": (
        {"update": "members", "updates": [{"q": USER, "u": {"$set": {"x": 1}}}]},
        "shard",
    ),
    "a deletion without the shard key": (
        {"delete": "messages", "deletes": [{"q": {"_id": "m"}, "limit": 1}]},
        "shard",
    ),
    "a change of one without the shard key": (
        {"findAndModify": "messages", "query": {"_id": "m"}, "update": {"$set": {"x": 1}}},
        "shard",
    ),
    "a search without the shard key among several": (
        {
            "aggregate": 1,
            "pipeline": [
                {"$documents": [{}]},
                {
                    "$lookup": {
                        "from": "messages",
                        "pipeline": [{"$match": {"seq": 1}}],
                        "as": "found",
                    }
                },
            ],
            "cursor": {},
        },
        "shard",
    ),
    "a count": ({"count": "members", "query": {"group_id": "g"}}, "counts"),
    "a count by aggregation": (
        {
            "aggregate": "members",
            "pipeline": [{"$match": {"group_id": "g"}}, {"$group": {"_id": 1, "n": {"$sum": 1}}}],
            "cursor": {},
        },
        "counts",
    ),
    "a count by its own stage": (
        {
            "aggregate": "members",
            "pipeline": [{"$match": {"group_id": "g"}}, {"$count": "n"}],
            "cursor": {},
        },
        "counts",
    ),
    "a skip": ({"find": "members", "filter": {"group_id": "g"}, "skip": 5}, "skips"),
    "a skip in an aggregation": (
        {
            "aggregate": "members",
            "pipeline": [{"$match": {"group_id": "g"}}, {"$skip": 5}],
            "cursor": {},
        },
        "skips",
    ),
    "a script": (
        {"find": "members", "filter": {"group_id": "g", "$where": "true"}},
        "a script",
    ),
    "a collection scan": (
        {"find": "messages", "filter": {"stream_id": "s"}, "hint": {"$natural": 1}},
        "a collection scan",
    ),
}


@pytest.mark.parametrize("offender", OFFENDERS)
async def test_each_rule_finds_its_offender(watched: Watched, story: Story, offender: str) -> None:
    command, fault = OFFENDERS[offender]
    database = watched.api.services.database.collection("any").database
    await watched.probe.records()
    await database.command(command)
    found = faults(await watched.probe.records())
    assert [fault in each for each in found].count(True) == 1, found


async def test_operations_with_their_shard_key_break_no_rule(
    watched: Watched, story: Story
) -> None:
    members = watched.api.services.database.collection("members")
    await watched.probe.records()
    await members.find({"_id": {"$in": ["k"]}, "group_id": {"$in": ["g"]}}).to_list(None)
    await members.update_one({"_id": "k", "group_id": "g"}, {"$set": {"x": 1}})
    await members.delete_many({"$and": [{"group_id": "g"}, {"_id": {"$gt": "k"}}]})
    # The server follows its outbox meanwhile.
    records = [r for r in await watched.probe.records() if r["op"] != "getmore"]
    assert [shape_of(record).operation for record in records] == ["find", "update", "delete"]
    assert shape_of(records[1]) == Shape("update", "members", ("_id", "group_id"))
    assert faults(records) == []
