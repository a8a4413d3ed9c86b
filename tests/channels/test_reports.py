"""Reports of abuse: one case a target, each user once, resolved once; who reported stays hidden."""

import asyncio
import io
from typing import Any

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from groups.kernel.mongo import Database
from tests.api import (
    PATIENCE_SECONDS,
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    id_of,
    open_api,
    part,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def problems(database: Database, *, repair: bool = False) -> list[str]:
    """The findings of `channels verify`, in the order of its checks."""
    console = Console(file=io.StringIO())
    outcomes = await verify(database, Limits(), console=console, repair=repair)
    found = [finding for outcome in outcomes for finding in outcome.first]
    return [f"{finding.subject} {finding.problem}" for finding in found]


async def report(
    user: User, target: dict[str, Any], reason: str = "spam", text: str = ""
) -> Answer:
    return await user.post("/v1/reports", {"target": target, "reason": reason, "text": text})


def post_target(path: str, seq: int = 1) -> dict[str, Any]:
    return {"type": "post", "channel_id": id_of(path), "seq": seq}


async def test_reports_of_one_post_are_one_case_that_counts_each_user_once(shared_api: Api) -> None:
    owner, first, second = (shared_api.new_user() for _ in range(3))
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(owner, first, second)
    await a_post(owner, path, "Buy this")
    made = await report(first, post_target(path), "spam", "Again!")
    assert made.refusal == (201, None)
    report_id = made.body["report_id"]
    assert made.body == {"report_id": report_id, "status": "open"}
    assert (await report(second, post_target(path), "abuse")).body["report_id"] == report_id
    again = await report(second, post_target(path), "illegal", "Read this")
    assert again.refusal == (200, None)
    case = (await app.get(f"/v1/reports/{report_id}")).body
    assert (case["count"], case["reasons"]) == (2, {"spam": 1, "illegal": 1})
    assert [text["text"] for text in case["texts"]] == ["Read this", "Again!"]
    assert case["content"]["text"] == "Buy this"
    assert (case["author_id"], case["state"]) == (owner.id, "open")
    assert case["target"]["channel_id"] == id_of(path)
    pages = await all_pages(app, "/v1/reports?type=post", limit=2)
    assert report_id in [each["report_id"] for page in pages for each in page]
    resolved = await app.post(f"/v1/reports/{report_id}/resolution", {"action": "delete"})
    assert resolved.refusal == (200, None)
    assert resolved.body["resolution"]["action"] == "delete"
    assert (await first.get(f"{path}/posts/1")).body["recalled_at"] is not None
    assert (await report(first, post_target(path))).refusal == (404, "post_not_found")


async def test_a_reported_poll_is_shown_with_its_question_and_without_votes(
    shared_api: Api,
) -> None:
    owner, reporter = shared_api.new_user("owner"), shared_api.new_user("reporter")
    path = await a_channel(owner, reporter)
    poll = {"question": "Who is worst?", "options": ["He", "She"]}
    await owner.post(f"{path}/posts", {"kind": "poll", "poll": poll})
    await reporter.put(f"{path}/posts/1/vote", {"options": [1]})
    report_id = (await report(reporter, post_target(path))).body["report_id"]
    app = shared_api.new_user("app", admin=True)
    shown = (await app.get(f"/v1/reports/{report_id}")).body["content"]["poll"]
    assert (shown["question"], [each["text"] for each in shown["options"]]) == (
        *("Who is worst?", ["He", "She"]),
    )
    assert [each["votes"] for each in shown["options"]] == [None, None]


async def test_what_one_may_not_read_or_name_is_not_reported(shared_api: Api) -> None:
    owner, member, stranger = (shared_api.new_user() for _ in range(3))
    path = await a_channel(owner, member, settings={"visibility": "private"})
    group = await a_chat_group(owner, member)
    await a_post(owner, path)
    await a_post(member, group)
    message = {"type": "message", "group_id": id_of(group), "seq": 1}
    channel = {"type": "channel", "channel_id": id_of(path)}
    for target in (post_target(path), message, channel):
        assert (await report(member, target)).status == 201
    for target, code in (
        (post_target(path), "channel_not_found"),
        (message, "permission_denied"),
        (channel, "channel_not_found"),
        ({"type": "message", "conversation_id": f"c2c_{owner.id}", "seq": 1}, "message_not_found"),
    ):
        assert (await report(stranger, target)).refusal[1] == code
    for target in (
        {"type": "post", "channel_id": id_of(path)},
        {"type": "user", "user_id": stranger.id},
        {"type": "user", "user_id": owner.id, "seq": 1},
    ):
        assert (await report(stranger, target)).refusal == (400, "invalid_request")
    for call in ("/v1/reports", "/v1/reports/some-1", "/v1/admin-log"):
        assert (await owner.get(call)).refusal == (403, "permission_denied")
    too_long = await report(member, channel, text="ä" * 251)
    assert too_long.refusal == (400, "field_too_long")
    assert (await report(member, channel, text="ä" * 250)).status == 200


async def test_the_reporter_is_in_no_answer_event_or_log(shared_api: Api) -> None:
    owner, reporter = shared_api.new_user("owner"), shared_api.new_user("Quirin")
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(owner, reporter)
    await a_post(owner, path)
    private = f"/v1/conversations/{part('c2c_' + reporter.id)}/messages"
    assert (await owner.post(private, {"kind": "text", "text": "Buy!"})).status == 201
    owner_ears = await owner.socket()
    before = (await app.get("/v1/events?limit=1")).body["cursor"]
    ids = []
    for target in (
        post_target(path),
        {"type": "message", "conversation_id": f"c2c_{owner.id}", "seq": 1},
        {"type": "user", "user_id": owner.id},
    ):
        made = await report(reporter, target, text="Look")
        ids.append(made.body["report_id"])
    seen: list[Answer] = [await app.get(f"/v1/reports/{report_id}") for report_id in ids]
    one_to_one = seen[1].body
    assert one_to_one["target"]["user_id"] == one_to_one["author_id"] == owner.id
    assert (one_to_one["target"]["seq"], one_to_one["content"]["text"]) == (None, "Buy!")
    for report_id, action in zip(ids, ("delete", "dismiss", "restrict_user"), strict=True):
        seen.append(await app.post(f"/v1/reports/{report_id}/resolution", {"action": action}))
        assert seen[-1].status == 200, seen[-1]
    assert (await app.delete(f"/v1/users/{part(owner.id)}/restriction")).status == 204
    await shared_api.services.abuse_reports.clearing.wait()
    log = await app.get(f"/v1/admin-log?actor_id={part(app.id)}&limit=100")
    assert {e["action"] for e in log.items} == {
        *("report_resolved", "user_restricted", "user_unrestricted")
    }
    opened: list[str] = []
    events = log
    async with asyncio.timeout(PATIENCE_SECONDS):
        while opened != ids:  # the log is sequenced in a tenth of a second
            events = await app.get(f"/v1/events?after={part(before)}&limit=100")
            opened = [e["report_id"] for e in events.items if e["type"] == "report.opened"]
    of_channel = await owner.get(f"{path}/admin-log")
    heard = await owner_ears.until_now()
    assert "report.opened" not in str(heard)
    seen += [await app.get("/v1/reports?limit=100"), log, of_channel]
    seen.append(await app.get("/v1/reports?state=resolved&limit=100"))
    # A reader of the log sees the message that the reporter received, which is no report.
    logged = [e for e in events.items if not e["type"].startswith(("message.posted", "conv", "ch"))]
    for text in (*(answer.text for answer in seen), str(heard), str(logged)):
        assert "quirin" not in text.lower()
    database = shared_api.services.database
    assert await database.collection("reports").find_one({"user_id": reporter.id}) is None


@pytest.mark.asyncio(loop_scope="function")
async def test_the_daily_limit_of_reports_is_exact_under_any_race(api: Any) -> None:
    server = await api(reports_per_day=3)
    owner, reporter = server.new_user(), server.new_user()
    path = await a_channel(owner)
    for _ in range(5):
        await a_post(owner, path)
    answers = await asyncio.gather(*(report(reporter, post_target(path, n + 1)) for n in range(5)))
    refused = [answer for answer in answers if answer.status != 201]
    assert [a.refusal for a in refused] == [(429, "daily_report_limit_reached")] * 2
    assert refused[0].body["details"]["limit"] == 3
    reported = next(n for n, answer in enumerate(answers) if answer.status == 201) + 1
    assert (await report(reporter, post_target(path, reported), "other")).status == 200
    server.clock.move(seconds=24 * 3600)
    again = server.user_of(reporter.id)
    left = [n + 1 for n, answer in enumerate(answers) if answer.status != 201]
    assert (await report(again, post_target(path, left[0]))).status == 201


async def test_reports_of_comments_reach_the_staff_of_their_channel_too(shared_api: Api) -> None:
    owner, admin, writer, reporter = (shared_api.new_user() for _ in range(4))
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(owner, writer, reporter, settings={"comments": "everyone"})
    await owner.put(f"{path}/subscribers/{part(admin.id)}")
    await admin.put(f"{path}/subscription")
    await owner.put(f"{path}/admins/{part(admin.id)}", {"grants": ["post"]})
    await a_post(owner, path)
    comments = f"{path}/posts/1/comments"
    for text in ("Buy!", "Fine"):
        assert (await writer.post(comments, {"kind": "text", "text": text})).status == 201
    target = {"type": "comment", "channel_id": id_of(path), "post_seq": 1, "seq": 1}
    assert (await report(reporter, target | {"seq": 9})).refusal == (404, "comment_not_found")
    report_id = (await report(reporter, target, text="Look")).body["report_id"]
    await report(reporter, post_target(path))
    [case] = (await owner.get(f"{path}/reports")).items
    assert (case["report_id"], case["content"]["text"]) == (report_id, "Buy!")
    assert (case["author_id"], case["texts"]) == (writer.id, [])
    assert case["target"]["post_seq"] == 1
    assert (await admin.get(f"{path}/reports")).refusal == (403, "permission_denied")
    assert (await reporter.get(f"{path}/reports")).refusal == (403, "permission_denied")
    # They delete or dismiss, no more, and only comments of their channel.
    resolution = f"/v1/reports/{report_id}/resolution"
    for user, action in ((admin, "delete"), (writer, "dismiss"), (owner, "restrict_user")):
        refused = await user.post(resolution, {"action": action})
        assert refused.refusal == (403, "permission_denied")
    of_post = (await app.get("/v1/reports?type=post")).items[0]["report_id"]
    of_nothing = "/v1/reports/none-1/resolution"
    for place in (f"/v1/reports/{of_post}/resolution", of_nothing):
        assert (await owner.post(place, {"action": "dismiss"})).refusal == (
            403,
            "permission_denied",
        )
    done = await owner.post(resolution, {"action": "delete"})
    assert done.status == 200, done
    assert (done.body["resolved_by"], done.body["texts"]) == (owner.id, [])
    assert (await app.post(resolution, {"action": "delete"})).refusal == (409, "report_resolved")
    assert (await owner.get(f"{comments}/1")).body["recalled_at"] is not None
    assert (await owner.get(f"{path}/posts/1")).body["comment_count"] == 1
    assert (await owner.get(f"{path}/reports")).items == []
    assert len((await owner.get(f"{path}/reports?state=resolved")).items) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_verify_finds_wrong_counts_and_reporters_who_are_left(database: Database) -> None:
    async with open_api(database) as server:
        owner, first, second = (server.new_user() for _ in range(3))
        app = server.new_user("app", admin=True)
        path = await a_channel(owner)
        for _ in range(2):
            await a_post(owner, path)
        for user in (first, second):
            await report(user, post_target(path, 1))
        resolved = (await report(first, post_target(path, 2))).body["report_id"]
        await app.post(f"/v1/reports/{resolved}/resolution", {"action": "dismiss"})
        await app.put(f"/v1/users/{part(second.id)}/restriction", {})
        await app.put(f"{path}/suspension", {"mode": "hidden"})
        await server.services.abuse_reports.clearing.wait()
    assert await problems(database) == []
    reports, cases = database.collection("reports"), database.collection("report_cases")
    one: Any = await reports.find_one({"user_id": first.id})
    await cases.update_one({"_id": one["case_id"]}, {"$set": {"count": 5}})
    stray = one | {"_id": "stray", "case_id": resolved, "digest": resolved.rpartition("-")[0]}
    await reports.insert_one(stray)
    found = await problems(database)
    assert len(found) == 2, found
    assert "counts 5 reports, there are 2" in found[0]
    assert "is resolved or gone" in found[1]
    await problems(database, repair=True)
    assert await problems(database) == []
    repaired: Any = await cases.find_one({"_id": one["case_id"]})
    assert repaired["count"] == 2
