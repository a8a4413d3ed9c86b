"""Messages are reviewed before they are stored: allowed, changed or refused, on every way to a stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from channels.before_post.answer import BadAnswer, Changes, answer_of, changed
from channels.before_post.models import (
    ANSWER_BYTES,
    AT_ONCE,
    SECONDS,
    TEXT_CHARACTERS,
    BeforePostOptions,
    OnFailure,
)
from channels.before_post.service import FAILURES, PAUSE_SECONDS, BeforePost, Circuit
from channels.limits import Limits
from channels.server.options import ServiceOptions
from groups.kernel.clock import rfc3339
from groups.models import Content, Kind, Poll
from groups.service.messages.stream import StreamService
from tests.api import (
    PATIENCE_SECONDS,
    Api,
    User,
    a_channel,
    a_chat_group,
    conversation_of,
    group_path,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi
from tests.groups.test_media import an_image, upload

SECRET: Final = "whsec_" + "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHM="
REFUSED: Final = (403, "message_refused")
UNAVAILABLE: Final = (503, "review_unavailable")

Decide = Callable[[dict[str, Any]], Awaitable[Any] | Any]


class Reviewer:
    """A back end that reviews: by default it refuses `bad`, and changes `rude` to `kind`."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.status = 200
        self.body: bytes | None = None
        self.headers: dict[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        """While it is cleared, nothing is answered."""
        self.at_once = self.most_at_once = 0

    def options(self, on_failure: OnFailure = OnFailure.REFUSE) -> ServiceOptions:
        options = BeforePostOptions(url=self.url, secret=SECRET, on_failure=on_failure)
        return ServiceOptions(before_post=options)

    @property
    def last(self) -> dict[str, Any]:
        return self.asked[-1]

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        Webhook(SECRET).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        asked = json.loads(body)
        self.asked.append(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        text = (asked.get("post") or asked["message"]).get("text") or ""
        said: dict[str, Any] = {"decision": "allow"}
        if "bad" in text:
            said = {"decision": "refuse", "text": "No \u202ebad\x07 words"}
        elif "rude" in text:
            said["changes"] = {"text": text.replace("rude", "kind")}
        answer = self.body if self.body is not None else json.dumps(said).encode()
        return web.Response(status=self.status, body=answer, headers=self.headers)


@asynccontextmanager
async def a_reviewer() -> AsyncIterator[Reviewer]:
    reviewer = Reviewer()
    runner = web.ServerRunner(web.Server(reviewer.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    reviewer.url = f"http://{host}:{port}/review"
    try:
        yield reviewer
    finally:
        reviewer.gate.set()
        await runner.cleanup()


@pytest.fixture
async def reviewer() -> AsyncIterator[Reviewer]:
    async with a_reviewer() as reviewer:
        yield reviewer


@pytest.fixture
async def server(api: OpenApi, reviewer: Reviewer) -> Api:
    return await api(options=reviewer.options())


def said(text: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "text", "text": text, **fields}


def circuit_of(server: Api) -> Circuit:
    hook = server.services.chat.streams.before_post
    assert isinstance(hook, BeforePost)
    return hook.circuit


async def texts(user: User, path: str) -> list[str | None]:
    kind = "posts" if path.startswith("/v1/channels/") and "/inbox/" not in path else "messages"
    return [one.get("text") for one in (await user.get(f"{path}/{kind}")).items][::-1]


# --- every way to a stream --------------------------------------------------------------------------------------------


async def test_what_is_refused_is_stored_nowhere_and_what_is_changed_is_stored_so_on_every_way(
    server: Api, reviewer: Reviewer
) -> None:
    cid, ada, bob = server.new_user("cid"), server.new_user("ada"), server.new_user("bob")
    channel, group = await a_channel(cid, ada), await a_chat_group(ada, bob)
    app, thread = the_app(cid), f"{channel}/inbox/{part(ada.id)}"
    to_bob = f"/v1/conversations/c2c_{part(bob.id)}"
    to_channel = f"/v1/conversations/c2c_{part(id_of(channel))}"
    ways: list[tuple[User, str, str, str]] = [
        (cid, f"{channel}/posts", "post", cid.id),
        (cid, f"{group_path(channel)}/messages", "post", cid.id),
        (ada, f"{group}/messages", "message", ada.id),
        (app, f"{group}/messages", "message", app.id),
        (ada, f"{to_bob}/messages", "message", ada.id),
        (ada, f"{to_channel}/messages", "message", ada.id),
        (cid, f"{thread}/messages", "message", cid.id),
    ]
    for writer, path, field, name in ways:
        refused = await writer.post(path, said("bad"))
        assert refused.refusal == REFUSED, path
        assert refused.body["details"] == {"text": "No bad words"}
        assert refused.body["detail"] == "The message was refused: No bad words"
        count = len((await writer.get(path)).body.get("items", [])) if writer is not app else None
        made = await writer.post(path, said("rude"))
        assert (made.status, made.body["text"]) == (201, "kind"), path
        if count is not None:
            assert len((await writer.get(path)).items) == count + 1
        asked = reviewer.last
        assert asked["type"] == "message.before_post"
        assert asked["writer"]["user_id"] == name
        assert asked["writer"]["is_app_admin"] is (writer is app)
        assert asked[field]["text"] == "rude"
        assert not {"seq", "event_id", "version"} & asked.keys()
        assert not {"seq", "post_id", "message_id", "version"} & asked[field].keys()
        # Edits likewise.
        one = f"{path}/{made.body['seq']}"
        assert (await writer.patch(one, said("bad"))).refusal == REFUSED, path
        assert (await writer.get(one)).body["text"] == "kind"
        edited = await writer.patch(one, said("a rude word"))
        assert (edited.status, edited.body["text"]) == (200, "a kind word"), path
        assert reviewer.last["type"] == "message.before_edit"
        assert "event_id" not in reviewer.last
        assert reviewer.last[field]["seq"] == made.body["seq"]
        # An edit that changes nothing is no edit.
        number = len(reviewer.asked)
        assert (await writer.patch(one, said("a kind word"))).status == 200
        assert len(reviewer.asked) == number
    assert len(set(reviewer.ids)) == len(reviewer.ids)


async def test_a_channel_is_named_where_a_message_is_for_its_inbox_and_the_peer_where_it_is_not(
    server: Api, reviewer: Reviewer
) -> None:
    cid, ada = server.new_user("cid"), server.new_user("ada")
    channel = await a_channel(cid, ada)
    await cid.post(f"{channel}/posts", said("Hello"))
    assert reviewer.last["channel_id"] == id_of(channel)
    assert reviewer.last["conversation_id"] == conversation_of(channel)
    await ada.post(f"/v1/conversations/c2c_{part(id_of(channel))}/messages", said("Hello"))
    assert reviewer.last["channel_id"] == id_of(channel)
    assert reviewer.last["user_id"] == ada.id
    await ada.post(f"/v1/conversations/c2c_{part(cid.id)}/messages", said("Hello"))
    # Between users as its receiver sees it, as in the event.
    assert reviewer.last["user_id"] == cid.id
    assert reviewer.last["conversation_id"] == f"c2c_{ada.id}"


async def test_a_message_to_many_is_reviewed_once_for_all_who_share_a_transaction(
    server: Api, reviewer: Reviewer
) -> None:
    cid = server.new_user("cid")
    users = [server.new_user("u") for _ in range(3)]
    channel, app = await a_channel(cid, *users), the_app(cid)
    path, body = f"{channel}/inbox/messages", {"user_ids": [user.id for user in users]}
    refused = await app.post(path, {**body, **said("bad")})
    assert refused.status == 200
    assert {one["error"]["code"] for one in refused.body["results"]} == {"message_refused"}
    sent = await app.post(path, {**body, **said("rude")}, idempotency_key="k1")
    assert {one["error"] for one in sent.body["results"]} == {None}
    assert len(reviewer.asked) == 2
    again = await app.post(path, {**body, **said("rude")}, idempotency_key="k1")
    assert again.body == sent.body
    assert len(reviewer.asked) == 2
    for user in users:
        assert await texts(cid, f"{channel}/inbox/{part(user.id)}") == ["kind"]


async def test_forwards_are_reviewed_and_a_changed_one_names_no_origin(
    server: Api, reviewer: Reviewer
) -> None:
    cid, ada = server.new_user("cid"), server.new_user("ada")
    channel, group = await a_channel(cid, ada), await a_chat_group(ada)
    reviewer.body = b'{"decision": "allow"}'
    for text in ("fine", "rude", "bad"):
        assert (await cid.post(f"{channel}/posts", said(text))).status == 201
    reviewer.body = None
    results = [
        await ada.post(f"{group}/messages", {"forward": {"channel_id": id_of(channel), "seq": seq}})
        for seq in (1, 2, 3)
    ]
    assert results[0].body["forwarded_from"]["seq"] == 1
    assert (results[1].body["text"], results[1].body["forwarded_from"]) == ("kind", None)
    assert results[2].refusal == REFUSED


async def test_drafts_are_reviewed_when_they_are_published_by_hand_or_by_time(
    server: Api, reviewer: Reviewer
) -> None:
    cid = server.new_user("cid", hours=9)
    channel = await a_channel(cid)

    async def kept(text: str, **fields: Any) -> str:
        made = await cid.post(f"{channel}/drafts", {"post": said(text), **fields})
        assert made.status == 201, made
        return f"{channel}/drafts/{made.body['draft_id']}"

    bad, rude = await kept("bad"), await kept("rude")
    assert reviewer.asked == [], "a draft is nobody's message yet"
    assert (await cid.post(f"{bad}/publish")).refusal == REFUSED
    assert (await cid.get(bad)).status == 200, "it is still there, to be changed"
    published = await cid.post(f"{rude}/publish")
    assert (published.status, published.body["text"]) == (201, "kind")
    number = len(reviewer.asked)
    again = await cid.post(f"{rude}/publish")
    assert again.body["seq"] == published.body["seq"]
    assert len(reviewer.asked) == number, "a repeat is not reviewed again"
    at = rfc3339(server.clock.now() + timedelta(hours=1))
    bad, rude = await kept("bad", publish_at=at), await kept("rude", publish_at=at)
    server.clock.move(seconds=3_700)
    scheduler = server.services.channels.drafting.scheduler
    await scheduler.publish_due()
    assert (await cid.get(bad)).body["failure"]["code"] == "message_refused"
    assert "No bad words" in (await cid.get(bad)).body["failure"]["detail"]
    assert (await cid.get(rude)).status == 404
    assert await texts(cid, channel) == ["kind", "kind"]
    # One that cannot be reviewed stays due, and is published later.
    reviewer.status = 500
    fine = await kept("fine", publish_at=rfc3339(server.clock.now() + timedelta(hours=1)))
    server.clock.move(seconds=3_700)
    await scheduler.publish_due()
    assert (await cid.get(fine)).body["failure"] is None
    reviewer.status = 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await cid.get(fine)).status != 404:
            await scheduler.publish_due()
    assert (await texts(cid, channel))[-1] == "fine"


async def test_a_draft_that_is_changed_during_its_review_is_reviewed_again(
    server: Api, reviewer: Reviewer
) -> None:
    cid = server.new_user("cid")
    channel = await a_channel(cid)
    made = await cid.post(f"{channel}/drafts", {"post": said("fine")})
    draft = f"{channel}/drafts/{made.body['draft_id']}"
    reviewer.gate.clear()
    publishing = asyncio.create_task(cid.post(f"{draft}/publish"))
    while not reviewer.asked:
        await asyncio.sleep(0.01)
    assert (await cid.patch(draft, {"post": said("bad")})).status == 200
    reviewer.gate.set()
    assert (await publishing).refusal == REFUSED
    assert (await cid.get(draft)).body["post"]["text"] == "bad"
    assert await texts(cid, channel) == []
    assert [one["post"]["text"] for one in reviewer.asked] == ["fine", "bad"]


async def test_uploads_stay_with_a_changed_message(server: Api, reviewer: Reviewer) -> None:
    cid = server.new_user("cid")
    channel = await a_channel(cid)
    image = (await upload(cid, an_image())).body
    body: dict[str, Any] = {"kind": "text_and_image", "text": "rude", "images": [image["media_id"]]}
    made = await cid.post(f"{channel}/posts", body)
    assert made.body["text"] == "kind"
    assert [one["media_id"] for one in made.body["images"]] == [image["media_id"]]
    assert reviewer.last["post"]["images"][0]["media_id"] == image["media_id"]
    one = f"{channel}/posts/{made.body['seq']}"
    edited = await cid.patch(one, {**body, "text": "still rude"})
    assert edited.body["text"] == "still kind"
    assert edited.body["images"] == made.body["images"]
    # So does the picture of a link.
    link = {"title": "Tea", "url": "https://example.org/", "image": image["media_id"]}
    linked = await cid.post(f"{channel}/posts", {"kind": "text", "text": "rude", "links": [link]})
    assert linked.body["text"] == "kind"
    assert linked.body["links"][0]["image"]["media_id"] == image["media_id"]
    assert reviewer.last["post"]["links"] == linked.body["links"]


# --- who is asked about what ------------------------------------------------------------------------------------------


async def test_a_repeat_is_not_reviewed_and_its_answer_changes_nothing(
    server: Api, reviewer: Reviewer
) -> None:
    ada = server.new_user("ada")
    group = await a_chat_group(ada)
    first = await ada.post(f"{group}/messages", said("rude"), idempotency_key="one")
    reviewer.body = b'{"decision": "refuse"}'
    again = await ada.post(f"{group}/messages", said("rude"), idempotency_key="one")
    assert again.status == 201
    assert again.body == first.body
    other = await ada.post(f"{group}/messages", said("other"), idempotency_key="one")
    assert other.refusal == (409, "idempotency_conflict")
    assert len(reviewer.asked) == 1
    # One that was refused was never stored, so its key is free.
    assert (
        await ada.post(f"{group}/messages", said("x"), idempotency_key="two")
    ).refusal == REFUSED
    reviewer.body = None
    assert (await ada.post(f"{group}/messages", said("x"), idempotency_key="two")).status == 201
    # Two at once may both be reviewed, and one is stored.
    reviewer.gate.clear()
    both = [
        asyncio.create_task(ada.post(f"{group}/messages", said("rude"), idempotency_key="three"))
        for _ in range(2)
    ]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while reviewer.at_once < 2:
            await asyncio.sleep(0.01)
    reviewer.gate.set()
    one, two = await asyncio.gather(*both)
    assert one.body == two.body
    assert await texts(ada, group) == ["kind", "x", "kind"]


async def test_what_the_rules_refuse_is_not_shown_to_the_reviewer(
    server: Api, reviewer: Reviewer
) -> None:
    cid, ada, eve = server.new_user("cid"), server.new_user("ada"), server.new_user("eve")
    channel, group = await a_channel(cid, ada), await a_chat_group(cid)
    assert (await ada.post(f"{channel}/posts", said("Hi"))).refusal == (403, "posting_not_allowed")
    assert (await eve.post(f"{group}/messages", said("Hi"))).status in {403, 404}
    assert (await cid.post(f"{channel}/posts", {"kind": "image", "images": ["none"]})).status == 404
    assert (await cid.post(f"{channel}/posts", said("x" * 13_000))).status == 400
    assert (await cid.post(f"{channel}/posts/preview", said("bad"))).status == 200
    assert (await ada.put(f"/v1/blocks/{part(eve.id)}")).status == 200
    assert (
        await eve.post(f"/v1/conversations/c2c_{part(ada.id)}/messages", said("Hi"))
    ).status == 403
    assert reviewer.asked == []


async def test_concurrent_posts_are_reviewed_at_once_and_keep_their_order_and_bound(
    server: Api, reviewer: Reviewer
) -> None:
    ada = server.new_user("ada")
    group = await a_chat_group(ada)
    number = AT_ONCE + 20
    reviewer.gate.clear()
    posting = [
        asyncio.create_task(the_app(ada).post(f"{group}/messages", said(f"rude {i}")))
        for i in range(number)
    ]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while reviewer.at_once < AT_ONCE:
            await asyncio.sleep(0.01)
    reviewer.gate.set()
    made = await asyncio.gather(*posting)
    assert {one.status for one in made} == {201}
    assert sorted(one.body["seq"] for one in made) == list(range(1, number + 1))
    assert {one.body["text"] for one in made} == {f"kind {i}" for i in range(number)}
    assert reviewer.most_at_once <= AT_ONCE


async def test_a_slow_review_holds_up_nothing_else(server: Api, reviewer: Reviewer) -> None:
    ada = server.new_user("ada")
    group = await a_chat_group(ada)
    first = (await ada.post(f"{group}/messages", said("first"))).body["seq"]
    reviewer.gate.clear()
    waiting = [
        asyncio.create_task(ada.post(f"{group}/messages", said("second"))),
        asyncio.create_task(ada.patch(f"{group}/messages/{first}", said("edited"))),
    ]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while reviewer.at_once < 2:
            await asyncio.sleep(0.01)
    # The stream, its group and its messages are free for all else.
    assert (await ada.put(f"{group}/messages/{first}/reactions/{part('🍵')}")).status == 200
    assert (await ada.patch(group, {"name": "Coffee"})).status == 200
    assert (await ada.delete(f"{group}/messages/{first}")).status == 204
    assert not any(task.done() for task in waiting)
    reviewer.gate.set()
    posted, edited = await asyncio.gather(*waiting)
    assert posted.status == 201
    assert edited.refusal == (409, "message_recalled"), (
        "the rules are asked again when it is stored"
    )


# --- when it cannot be asked ------------------------------------------------------------------------------------------

TROUBLES: Final[dict[str, dict[str, Any]]] = {
    "500": {"status": 500},
    "no content": {"status": 204, "body": b""},
    "a redirect": {"status": 302, "headers": {"Location": "/review?again"}},
    "a page": {"body": b"<html>"},
    "nothing": {"body": b""},
    "a list": {"body": b"[]"},
    "an unknown decision": {"body": b'{"decision": "maybe"}'},
    "an unknown field": {"body": b'{"decision": "allow", "change": {"text": "x"}}'},
    "changes of what stays": {"body": b'{"decision": "allow", "changes": {"images": []}}'},
    "an empty text": {"body": b'{"decision": "allow", "changes": {"text": " "}}'},
    "control characters": {"body": b'{"decision": "allow", "changes": {"text": "a\\u0000b"}}'},
    "a text too long": {
        "body": json.dumps({"decision": "allow", "changes": {"text": "x" * 12_289}}).encode()
    },
    "a link to a script": {
        "body": b'{"decision": "allow", "changes": {"links": [{"title": "x", "url": "javascript:1"}]}}'
    },
    "an answer too long": {"body": b" " * ANSWER_BYTES + b'{"decision": "allow"}'},
    "not JSON in UTF-8": {"body": b'{"decision": "allow", "text": "\xff"}'},
}


async def test_what_cannot_be_reviewed_is_refused_or_stored_as_the_settings_say(
    api: OpenApi, reviewer: Reviewer
) -> None:
    strict = await api(options=reviewer.options())
    lenient = await api(options=reviewer.options(OnFailure.ALLOW))
    ada = strict.new_user("ada")
    group = await a_chat_group(ada)
    for name, trouble in TROUBLES.items():
        reviewer.status, reviewer.body, reviewer.headers = 200, None, {}
        for server in (strict, lenient):
            circuit_of(server).succeeded()
        number = len(reviewer.asked)
        for field, value in trouble.items():
            setattr(reviewer, field, value)
        refused = await ada.post(f"{group}/messages", said(name))
        assert refused.refusal == UNAVAILABLE, name
        assert int(refused.headers["Retry-After"]) >= 1
        user = lenient.user_of(ada.id)
        assert (await user.post(f"{group}/messages", said(name))).body["text"] == name, name
        assert len(reviewer.asked) == number + 2, "no redirect is followed"
    assert await texts(ada, group) == list(TROUBLES)
    metrics = (await strict.bearer(None).get("/metrics")).text
    assert f'channels_reviews_total{{outcome="failed"}} {len(TROUBLES)}.0' in metrics


async def test_a_message_waits_for_a_bounded_time_and_none_once_the_reviewer_seems_away(
    server: Api, reviewer: Reviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.before_post.service.SECONDS", 0.2)
    ada, circuit = server.new_user("ada"), circuit_of(server)
    group, times = await a_chat_group(ada), [0.0]
    circuit.timer = lambda: times[0]
    reviewer.gate.clear()
    for _ in range(FAILURES):
        assert (await ada.post(f"{group}/messages", said("Hi"))).refusal == UNAVAILABLE
    assert len(reviewer.asked) == FAILURES
    for _ in range(3):
        assert (await ada.post(f"{group}/messages", said("Hi"))).refusal == UNAVAILABLE
    assert len(reviewer.asked) == FAILURES, "no message waits now"
    # After the pause one message tries, and begins the next pause.
    times[0] += PAUSE_SECONDS
    tries = [ada.post(f"{group}/messages", said("Hi")) for _ in range(3)]
    assert {one.refusal for one in await asyncio.gather(*tries)} == {UNAVAILABLE}
    assert len(reviewer.asked) == FAILURES + 1
    reviewer.gate.set()
    assert (await ada.post(f"{group}/messages", said("Hi"))).refusal == UNAVAILABLE
    times[0] += PAUSE_SECONDS
    monkeypatch.setattr("channels.before_post.service.SECONDS", SECONDS)
    for _ in range(3):
        assert (await ada.post(f"{group}/messages", said("Hi"))).status == 201
    assert SECONDS <= 2.0


async def test_without_a_reviewer_a_post_takes_the_way_that_it_always_took(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    for name in ("reviewed", "review_of_any", "_proposals", "_ask", "_reviewed_edit"):
        monkeypatch.setattr(StreamService, name, None)
    cid, ada = server.new_user("cid"), server.new_user("ada")
    channel, group = await a_channel(cid, ada), await a_chat_group(ada)
    for writer, path in ((cid, f"{channel}/posts"), (ada, f"{group}/messages")):
        made = await writer.post(path, said("Hi"))
        assert made.status == 201
        assert (await writer.patch(f"{path}/{made.body['seq']}", said("Ho"))).status == 200
    sent = await the_app(cid).post(
        f"{channel}/inbox/messages", {"user_ids": [ada.id], **said("Hi")}
    )
    assert sent.body["results"][0]["error"] is None
    assert not server.services.review_http.is_open


# --- answers ----------------------------------------------------------------------------------------------------------


def test_the_reason_of_a_refusal_is_bounded_plain_text() -> None:
    def reason(text: str) -> str:
        return answer_of(json.dumps({"decision": "refuse", "text": text}).encode()).reason

    assert reason("x" * (TEXT_CHARACTERS + 1)) == "x" * TEXT_CHARACTERS
    assert reason("x" * TEXT_CHARACTERS) == "x" * TEXT_CHARACTERS
    assert reason("two\nlines\x00\x1b[31m") == "two\nlines[31m"
    assert answer_of(b'{"decision": "refuse"}').reason == ""


CONTENT: Final = Content(kind=Kind.TEXT, text="Hello", custom_json='{"a":1}')
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)
answers = st.fixed_dictionaries(
    {"decision": st.sampled_from(["allow", "refuse"]) | anything},
    optional={
        "text": anything,
        "changes": st.dictionaries(
            st.sampled_from(["text", "title", "links", "custom", "kind"]), anything, max_size=3
        )
        | anything,
    },
)


@given(answers.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
def test_whatever_is_answered_it_is_understood_or_a_failure(body: bytes) -> None:
    with suppress(BadAnswer):
        answer = answer_of(body)
        if answer.changes is not None:
            wanted = changed(CONTENT, answer.changes, Limits())
            assert wanted.kind is Kind.TEXT
            assert wanted.text.strip()


def test_changes_replace_what_they_name_and_leave_the_rest() -> None:
    def after(**changes: Any) -> Content:
        answer = answer_of(json.dumps({"decision": "allow", "changes": changes}).encode())
        assert answer.changes is not None
        return changed(CONTENT, answer.changes, Limits())

    assert after() == CONTENT
    assert after(text="Ho").custom_json == '{"a":1}'
    assert after(custom={"b": 2}).custom_json == '{"b":2}'
    assert after(custom=None).custom_json is None
    assert after(title="T").text == "Hello"
    assert after(links=[{"title": "x", "url": "https://x.example"}]).links[0].title == "x"
    # A back end cannot give a link a picture that the writer did not give.
    pictured = after(links=[{"title": "x", "url": "https://x.example", "image": "abc"}])
    assert (pictured.links[0].image, pictured.link_media) == (None, [None])


def test_a_poll_stays_as_its_author_asked_it() -> None:
    closes_at = datetime(2036, 1, 1, tzinfo=UTC)
    poll = Poll(question="Tea?", options=("Yes", "No"), multiple=True, closes_at=closes_at)
    content = Content(kind=Kind.POLL, poll=poll, text="Vote!")
    wanted = changed(content, Changes(text="Please vote"), Limits())
    assert wanted == content.model_copy(update={"text": "Please vote"})
