"""A user who is deleted: nothing of theirs is found in the bytes of the database, and all counts are exact."""

import asyncio
import io
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.server.options import ServiceOptions
from channels.user_data.audit import checks_of_user
from channels.user_data.models import Deletion, Progress
from channels.user_data.policy import UserDataOptions
from channels.user_data.service.steps import DeletionSteps
from channels.verify.command import verify
from channels.verify.report import Outcome
from groups.kernel.errors import Unavailable
from groups.kernel.event_log.consumer import Handle
from groups.kernel.event_log.models import LogEntry
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from tests.api import Api, Ears, User, a_channel, conversation_of, id_of, part
from tests.conftest import OpenApi
from tests.user_data.helpers import Traces, delete_user, places_of, traces, until_deleted

shared_loop = pytest.mark.asyncio(loop_scope="module")


@shared_loop
async def test_nothing_of_a_deleted_user_is_left_in_the_database(shared_api: Api) -> None:
    api = shared_api
    made = await traces(api)
    leaver, app, ada = made.leaver, made.app, made.ada
    found = await places_of(api.services.database, leaver.id)
    assert found >= {"subscriber_tags", "broadcast_opt_outs", "broadcast_not_reached", "broadcasts"}
    assert found >= {"automatic_marks", "automatic_messages", "menus", "forms"}
    assert len(found) > 35, found
    watcher = await made.bob.socket()
    await watcher.tell(type="watch", conversation_id=conversation_of(made.shop.path))
    await watcher.answer()
    begun = await delete_user(app, leaver)
    assert begun.status == 202, begun
    assert (await leaver.get("/v1/users/me")).refusal == (401, "unauthenticated")
    done = await until_deleted(app, leaver)
    assert done["step"] == done["steps"]
    assert await places_of(api.services.database, leaver.id) == set()
    for words in ("Secret words from", "Lea Ver"):
        assert await places_of(api.services.database, words) == set()
    # What stays is nobody's.
    post = (await ada.get(f"{made.channel}/posts/{made.post_seq}")).body
    assert post["text"] == "Secret words", post
    assert not post["signature"], post
    assert post["reactions"]["total"] == 1
    assert post["comment_count"] == 2, post
    message = (await ada.get(f"{made.group}/messages/{made.group_seq}")).body
    assert message["sender_id"].startswith("deleted:"), message
    assert (await ada.call("HEAD", f"/v1/media/{made.media_id}")).status == 200
    await _is_counted_no_more(api, made, watcher)
    outcomes = await verify(
        api.services.database, Limits(), console=Console(quiet=True), repair=False
    )
    assert [(one.check.claim, one.first) for one in outcomes if not one.is_clean] == []
    # An old token stays refused, and a person who comes back is new.
    assert (await leaver.get("/v1/users/me")).refusal == (401, "unauthenticated")


async def _is_counted_no_more(api: Api, made: Traces, watcher: Ears) -> None:
    """Presses, acknowledgements and tags are those of the other subscriber, and who watches receives the counts."""
    owner, shop = made.bob, made.shop
    frames = await watcher.until_now()
    changed = {frame["type"]: frame for frame in frames if frame["type"].endswith("s.changed")}
    assert changed["buttons.changed"]["presses"] == [1], frames
    assert changed["acknowledgements.changed"]["count"] == 1, frames
    await watcher.close()
    notice = (await owner.get(shop.notice)).body
    assert [one["presses"] for row in notice["buttons"] for one in row] == [1]
    assert notice["acknowledge"] == {"count": 1, "mine": False}
    tags = (await owner.get(f"{shop.path}/subscriber-tags")).items
    assert tags == [{"tag": "vip", "subscribers": 1}]
    # A broadcast had seen the leaver last; now it has seen the member before them.
    rows = await api.services.database.collection("broadcasts").find({}).to_list(None)
    after = {row["broadcast_id"]: row["after"] for row in rows}
    assert after[shop.broadcasts[0]] < made.leaver.id
    assert not after[shop.broadcasts[0]].startswith("deleted:")
    report = await owner.get(f"{shop.path}/broadcasts/{shop.broadcasts[1]}/not-reached")
    assert report.items == []


async def test_a_deletion_is_confirmed_allowed_and_without_owned_channels(api: OpenApi) -> None:
    """Each refusal shares the set-up of the success and changes one thing."""
    allowed = ServiceOptions(user_data=UserDataOptions(may_delete=True))
    server = await api(options=allowed)
    ada, bob, app = server.new_user("ada"), server.new_user("bob"), server.new_user(admin=True)
    channel = await a_channel(ada, bob)
    me = "/v1/users/me"
    assert (await delete_user(bob, ada)).refusal == (403, "permission_denied")
    assert (await ada.get(f"/v1/users/{part(ada.id)}/deletion")).refusal[0] == 403
    unknown = await app.get(f"/v1/users/{part(ada.id)}/deletion")
    assert unknown.refusal == (404, "deletion_not_found")
    wrong = await ada.call("DELETE", me, {"confirm": "me"})
    assert wrong.refusal == (400, "confirmation_mismatch")
    owned = await ada.call("DELETE", me, {"confirm": ada.id})
    assert owned.refusal == (409, "owns_channels")
    assert owned.body["details"] == {"channel_ids": [id_of(channel)], "group_ids": []}
    # With the channel handed over, and the messages deleted too.
    posted = await ada.post(f"{channel}/posts", {"kind": "text", "text": "Hello"})
    await bob.put(f"{channel}/posts/{posted.body['seq']}/reactions/{part('👍')}")
    assert (await ada.post(f"{channel}/owner", {"user_id": bob.id})).status < 300
    ears = await bob.socket()
    begun = await ada.call("DELETE", me, {"confirm": ada.id, "messages": "delete"})
    assert (begun.status, begun.body["state"]) == (202, "running")
    await until_deleted(app, ada)
    await ears.hear("message.recalled")
    assert await places_of(server.services.database, ada.id) == set()
    post = (await bob.get(f"{channel}/posts/{posted.body['seq']}")).body
    assert post["recalled_at"] is not None, post
    # Back with the same id, they are new.
    server.clock.move(seconds=1)
    back = server.user_of(ada.id)
    assert (await back.get(me)).body["name"] == ""
    assert (await back.get("/v1/conversations")).items == []
    assert (await ada.get(me)).refusal == (401, "unauthenticated")
    again = await server.new_user("guest").call("DELETE", me, {"confirm": "somebody"})
    assert again.refusal == (400, "confirmation_mismatch")


@shared_loop
async def test_users_delete_themselves_only_where_the_deployment_allows_it(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    refused = await ada.call("DELETE", "/v1/users/me", {"confirm": ada.id})
    assert refused.refusal == (403, "permission_denied")


async def test_another_process_goes_on_and_refuses_the_tokens(
    api: OpenApi, second_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is cut off in the middle of each step's page; the other one finishes once the lease ends."""
    first, second = await api(), await api(database=second_database)
    made = await traces(first)
    leaver, app = made.leaver, made.app
    steps, walked = first.services.user_data.steps, 0
    run = DeletionSteps.run

    async def cut_off(self: DeletionSteps, deletion: Deletion) -> Progress:
        nonlocal walked
        if self is not steps:
            return await run(self, deletion)
        walked += 1
        done = await run(self, deletion)
        if walked % 12 == 0:
            # Done, and not stored: as a process that was killed there.
            raise Unavailable
        return done

    monkeypatch.setattr(DeletionSteps, "run", cut_off)
    elsewhere = second.bearer(leaver.token)
    assert (await elsewhere.get("/v1/users/me")).status == 200
    assert (await delete_user(app, leaver)).status == 202
    for _ in range(200):
        if (await elsewhere.get("/v1/users/me")).refusal == (401, "unauthenticated"):
            break
        await asyncio.sleep(0.02)
    assert (await elsewhere.get("/v1/users/me")).refusal == (401, "unauthenticated")
    again = await delete_user(app, leaver)
    assert again.status == 202
    state = ""
    while state != "done":
        first.clock.move(seconds=61)
        second.clock.move(seconds=61)
        for server in (first, second):
            server.services.user_data.worker.wake()
        await asyncio.sleep(0.2)
        found = await second.user_of(app.id, admin=True).get(
            f"/v1/users/{part(leaver.id)}/deletion"
        )
        state = found.body["state"]
    assert await places_of(first.services.database, leaver.id) == set()
    outcomes = await verify(
        first.services.database, Limits(), console=Console(quiet=True), repair=False
    )
    assert [(one.check.claim, one.first) for one in outcomes if not one.is_clean] == []


@shared_loop
async def test_verify_finds_what_a_deletion_left(shared_api: Api) -> None:
    ada, app = shared_api.new_user("ada"), shared_api.new_user("app", admin=True)
    await delete_user(app, ada)
    done = await until_deleted(app, ada)
    database = shared_api.services.database
    console = Console(file=io.StringIO(), width=200)
    (found,) = (
        one
        for one in await verify(database, Limits(), console=console, repair=False)
        if one.check.claim == "nothing is left of users who were deleted"
    )
    assert (found.checked > 0, found.first) == (True, [])
    at = datetime.fromisoformat(done["finished_at"]) - timedelta(seconds=1)
    block = {"_id": f"{ada.id}\x1fbob", "user_id": ada.id, "peer_id": "bob", "at": at}
    await database.collection("blocks").insert_one(block)
    (found,) = (
        one
        for one in await verify(database, Limits(), console=console, repair=False)
        if one.check.claim == "nothing is left of users who were deleted"
    )
    assert "holds in user_id the id of a user who was deleted" in found.first[0].problem
    outcomes = [Outcome(check) for check in checks_of_user(database, UserId(ada.id))]
    async with Snapshot(database) as snapshot:
        left = [each async for each in outcomes[0].check.find(snapshot)]
    assert [(each.subject, each.problem) for each in left] == [
        ("blocks", "1 document holds the id")
    ]
    await database.collection("blocks").delete_one({"_id": block["_id"]})


async def test_what_lags_behind_a_deletion_writes_nothing_after_it(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consumers of the log have read the user's events; others write to the user while they are deleted."""
    server = await api()
    ada, bob, app = server.new_user("ada"), server.new_user("bob"), server.new_user(admin=True)
    leaver = server.new_user("leaver")
    channel = await a_channel(ada, bob)
    await ada.put(f"{channel}/greeting", {"text": "Welcome"})
    types = ["message.posted", "channel.subscribed"]
    await app.post("/v1/webhooks", {"url": "https://example.org/hook", "event_types": types})
    held, released = set[str](), asyncio.Event()
    for consumer in server.services.log.consumers:
        await server.services.database.run(consumer.activate)
        consumer.handle = _held(consumer.name, consumer.handle, leaver, held, released)
    assert (await leaver.put(f"{channel}/subscription")).status < 300
    text = {"kind": "text", "text": "Hello"}
    for sender, to in ((leaver, bob.id), (leaver, id_of(channel))):
        sent = await sender.post(f"/v1/conversations/{part('c2c_' + to)}/messages", text)
        assert sent.status == 201, sent
    assert (await leaver.delete(f"{channel}/subscription")).status < 300
    names = {consumer.name for consumer in server.services.log.consumers}
    try:
        for _ in range(400):
            if held >= names:
                break
            await asyncio.sleep(0.02)
        assert held == names
        steps, run = server.services.user_data.steps, DeletionSteps.run
        late = f"/v1/conversations/{part('c2c_' + leaver.id)}/messages"

        async def overtaken(self: DeletionSteps, deletion: Deletion) -> Progress:
            if deletion.progress.step == len(steps.names) - 1:
                # At the end of the first round.
                assert (await bob.post(late, text)).status == 201
            return await run(self, deletion)

        monkeypatch.setattr(DeletionSteps, "run", overtaken)
        assert (await delete_user(app, leaver)).status == 202
        done = await until_deleted(app, leaver)
        assert done["step"] == done["steps"] > 2 * len(steps.names), done
    finally:
        released.set()
    await server.services.log.sequencer.run()
    for consumer in server.services.log.consumers:
        await consumer.catch_up()
    assert await places_of(server.services.database, leaver.id) == set()


def _held(name: str, handle: Handle, user: User, held: set[str], released: asyncio.Event) -> Handle:
    """A consumer that stops in the transaction in which it has read an event of the user."""

    async def handle_late(entries: Sequence[LogEntry], tx: Tx) -> None:
        if any(user.id in repr(entry.event) for entry in entries):
            held.add(name)
            await released.wait()
        await handle(entries, tx)

    return handle_late
