"""Insights for owner and admins: exact counts by day, also as CSV that runs no formulas."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.analytics.tables import table_of, wants_table
from groups.kernel.clock import rfc3339
from groups.kernel.ids import join_key
from groups.kernel.mongo.driver import result_of
from tests.api import (
    AS_LINES,
    Answer,
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    id_of,
    part,
)
from tests.conftest import OpenApi

DAY = 24 * 3600
THUMB = part("👍")


async def shown(user: User, path: str, query: str = "") -> dict[str, Any]:
    answer = await user.get(f"{path}/insights{query}")
    assert answer.status == 200, answer
    body = answer.body
    assert isinstance(body, dict)
    return body


async def last_day(user: User, path: str) -> dict[str, Any]:
    day = (await shown(user, path))["days"][-1]
    assert isinstance(day, dict)
    return {name: value for name, value in day.items() if name != "day"}


def day_of(clock: MovedClock) -> str:
    return clock.now().astimezone(UTC).date().isoformat()


@pytest.fixture
async def noon(api: OpenApi) -> Api:
    """A server whose clock stands at noon, so that no test runs over midnight."""
    return await api(clock=MovedClock.from_noon())


async def test_a_day_counts_joins_leaves_and_activity(noon: Api) -> None:
    ada, bob, cat, dan, eve = (noon.new_user(name) for name in ("ada", "bob", "cat", "dan", "eve"))
    path = await a_channel(ada)
    for user in (bob, cat, dan, eve, bob):
        assert (await user.put(f"{path}/subscription")).status == 200
    assert (await bob.delete(f"{path}/subscription")).status == 204
    assert (await bob.delete(f"{path}/subscription")).status == 204
    assert (await ada.delete(f"{path}/subscribers/{cat.id}")).status == 204
    assert (await ada.delete(f"{path}/subscribers/{dan.id}?ban=true")).status == 204
    for _ in range(3):
        await a_post(ada, path)
    for seq in (1, 2):
        assert (await eve.put(f"{path}/posts/{seq}/reactions/{THUMB}")).status == 200
        assert (await eve.put(f"{path}/posts/{seq}/reactions/{THUMB}")).status == 200
    assert (await eve.delete(f"{path}/posts/1/reactions/{THUMB}")).status == 200
    for user in (eve, ada, eve):
        assert (await user.post(f"{path}/posts/views", {"seqs": [1, 2, 9]})).status == 200
    body = await shown(ada, path)
    assert body["days"][-1] == {
        "day": day_of(noon.clock),
        "subscribers": 2,
        "joined": 4,
        "left": 1,
        "removed": 2,
        "net": 1,
        "posts": 3,
        "views": 4,
        "reactions": 2,
        "clicks": 0,
    }
    assert (await ada.get(path)).body["subscriber_count"] == 2
    busy = [hour for hour in body["hours"] if hour["views"] or hour["reactions"]]
    assert busy == [{"hour": 12, "views": 4, "reactions": 2}]
    assert [hour["hour"] for hour in body["hours"]] == list(range(24))


async def test_each_day_has_the_subscribers_at_its_end(noon: Api) -> None:
    ada = noon.new_user("ada", hours=500)
    path = await a_channel(ada)
    await noon.new_user("a").put(f"{path}/subscription")
    first = day_of(noon.clock)
    noon.clock.move(seconds=2 * DAY)
    await noon.new_user("b").put(f"{path}/subscription")
    leaver = noon.new_user("c", hours=500)
    assert (await leaver.put(f"{path}/subscription")).status == 200
    noon.clock.move(seconds=3 * DAY + 3600)
    assert (await leaver.delete(f"{path}/subscription")).status == 204
    days = (await shown(ada, path, f"?from={first}"))["days"]
    assert [day["subscribers"] for day in days] == [2, 2, 4, 4, 4, 3]
    assert [day["net"] for day in days] == [1, 0, 2, 0, 0, -1]
    # A range that begins behind the first day knows what was before it.
    later = days[1]["day"]
    tail = (await shown(ada, path, f"?from={later}&to={days[3]['day']}"))["days"]
    assert tail == days[1:4]
    # Before there was a channel there is nothing to know.
    early = (datetime.fromisoformat(first) - timedelta(days=1)).date().isoformat()
    before = (await shown(ada, path, f"?from={early}&to={first}"))["days"]
    assert [day["subscribers"] for day in before] == [None, 2]


async def test_a_channel_without_joins_counts_its_owner(noon: Api) -> None:
    ada = noon.new_user("ada")
    path = await a_channel(ada)
    assert (await last_day(ada, path))["subscribers"] == 1
    assert (await shown(ada, path))["muted"] == {"count": 0, "share": 0.0}


async def test_an_import_counts_as_joins(noon: Api) -> None:
    ada, app = noon.new_user("ada"), noon.new_user("app", admin=True)
    path = await a_channel(ada)
    lines = "\n".join(f'{{"user_id": "u{number}"}}' for number in range(1_500))
    for _ in range(2):
        done = await app.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
        assert done.status == 200
    day = await last_day(ada, path)
    assert (day["joined"], day["subscribers"], day["net"]) == (1_500, 1_501, 1_500)


async def test_concurrent_joins_in_two_processes_are_counted_exactly(
    api: OpenApi, second_database: Any
) -> None:
    first, second = await api(), await api(database=second_database)
    ada = first.new_user("ada")
    path = await a_channel(ada)
    for _ in range(10):
        await a_post(ada, path)
    names = [f"reader{number:02}" for number in range(60)]
    for call in ("PUT", "DELETE", "PUT"):
        answers = await asyncio.gather(
            *(
                (first, second)[place % 2].user_of(name).call(call, f"{path}/subscription")
                for place, name in enumerate(names)
            )
        )
        assert {answer.status for answer in answers} == {204 if call == "DELETE" else 200}
    answers = await asyncio.gather(
        *(
            (first, second)[place % 2]
            .user_of(name)
            .put(f"{path}/posts/{1 + place % 10}/reactions/{THUMB}")
            for place, name in enumerate(names)
        )
    )
    assert {answer.status for answer in answers} == {200}
    body = await shown(ada, path)
    sums = {
        name: sum(day[name] for day in body["days"]) for name in ("joined", "left", "reactions")
    }
    assert sums == {"joined": 120, "left": 60, "reactions": 60}
    assert body["days"][-1]["subscribers"] == 61
    assert sum(hour["reactions"] for hour in body["hours"]) == 60


async def test_the_muted_share_follows_mutes_and_leaves(noon: Api) -> None:
    ada, bob, cat, dan = (noon.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, bob, cat, dan)
    conversation = f"/v1/conversations/{part(conversation_of(path))}"

    async def muted() -> tuple[int, float]:
        told = (await shown(ada, path))["muted"]
        return told["count"], told["share"]

    for user in (bob, cat, bob):
        assert (await user.patch(conversation, {"muted": True})).status == 200
    assert await muted() == (2, 0.5)
    # Who mutes for a time does not count: nothing would end it.
    until = rfc3339(noon.clock.now() + timedelta(hours=1))
    assert (await bob.patch(conversation, {"muted_until": until})).status == 200
    assert await muted() == (1, 0.25)
    assert (await bob.patch(conversation, {"muted": True})).status == 200
    assert await muted() == (2, 0.5)
    assert (await bob.patch(conversation, {"muted": False})).status == 200
    assert (await bob.patch(conversation, {"pinned": True})).status == 200
    assert await muted() == (1, 0.25)
    assert (await cat.delete(f"{path}/subscription")).status == 204
    assert await muted() == (0, 0.0)
    assert (await cat.put(f"{path}/subscription")).status == 200
    assert await muted() == (0, 0.0)


async def test_a_group_that_becomes_a_channel_keeps_its_muted_count(noon: Api) -> None:
    ada, bob = noon.new_user("ada"), noon.new_user("bob")
    group = await a_chat_group(ada, bob)
    await bob.patch(f"/v1/conversations/{part(conversation_of(group))}", {"muted": True})
    await a_post(bob, group)
    marked = await ada.post(
        "/v1/channels", {"group_id": id_of(group).replace("%23", "#"), "name": "N"}
    )
    assert marked.status == 201, marked
    path = group.replace("/v1/groups/", "/v1/channels/")
    body = await shown(ada, path)
    assert body["muted"] == {"count": 1, "share": 0.5}
    # What was said and who came while it was a chat group is no reach of the channel.
    assert body["days"][-1]["posts"] == body["days"][-1]["joined"] == 0
    assert body["days"][-1]["subscribers"] == 2


async def test_invalid_and_too_long_ranges_are_refused(api: OpenApi) -> None:
    server = await api(insight_range_days=5)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    assert len((await shown(ada, path))["days"]) == 5
    assert len((await shown(ada, path, "?from=2026-01-01&to=2026-01-05"))["days"]) == 5
    for query in (
        "from=2026-01-01&to=2026-01-06",
        "from=2026-01-02&to=2026-01-01",
        "from=9999-12-31",
        "from=2026-02-30",
        "from=yesterday",
        "to=0001-01-01&from=0001-01-02",
        "days=3",
        "format=xlsx",
    ):
        assert (await ada.get(f"{path}/insights?{query}")).refusal == (400, "invalid_request"), (
            query
        )


async def test_the_range_may_end_on_the_first_day(noon: Api) -> None:
    ada = noon.new_user("ada")
    path = await a_channel(ada)
    assert len((await shown(ada, path, "?to=0001-01-01"))["days"]) == 1
    assert len((await shown(ada, path, "?to=2026-01-01"))["days"]) == 30


async def test_days_expire_when_the_setting_says(api: OpenApi) -> None:
    server = await api(insight_days=7)
    ada = server.new_user("ada")
    path = await a_channel(ada, server.new_user("bob"))
    await server.services.analytics.counting.catch_up()
    days = server.services.database.collection("insights")
    (row,) = await days.find({"channel_id": id_of(path)}).to_list(None)
    end = datetime.fromisoformat(row["day"]).replace(tzinfo=UTC) + timedelta(days=8)
    assert row["expires_at"] == end
    index = [i async for i in await result_of(days.list_indexes()) if "expireAfterSeconds" in i]
    assert [(dict(i["key"]), i["expireAfterSeconds"]) for i in index] == [({"expires_at": 1}, 0)]


async def test_the_rollup_of_a_day_changes_no_numbers(api: OpenApi, second_database: Any) -> None:
    clock = MovedClock.from_noon()
    servers = [await api(clock=clock), await api(database=second_database, clock=clock)]
    ada, bob = (servers[0].new_user(name, hours=100) for name in ("ada", "bob"))
    path = await a_channel(ada, bob)
    day = day_of(clock)
    days = servers[0].services.database.collection("insights")
    counted = {"channel_id": id_of(path), "part": "reactions"}
    end = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=400)
    for seq in range(1, 4):
        await a_post(ada, path)
        # As version 0.1 counts.
        key = join_key(id_of(path), day, "reactions", seq)
        of_a_post = {"_id": key, "day": day, "seq": seq, "expires_at": end, **counted}
        await days.insert_one({**of_a_post, "reactions": 1, "hours": {"12": 1}})
        assert (await bob.put(f"{path}/posts/{seq}/reactions/{THUMB}")).status == 200

    async def roll_up() -> int:
        await asyncio.gather(*(server.services.analytics.rollup.roll_up() for server in servers))
        return len(await days.find(counted).to_list(None))

    before = await shown(ada, path, f"?from={day}&to={day}")
    assert sum(shown_day["reactions"] for shown_day in before["days"]) == 6
    assert await roll_up() == 4
    clock.move(seconds=DAY + 3600)
    assert await roll_up() == 1
    assert await roll_up() == 1
    assert await shown(ada, path, f"?from={day}&to={day}") == before


async def test_posts_are_listed_with_views_and_reactions_in_pages(noon: Api) -> None:
    ada, bob = noon.new_user("ada"), noon.new_user("bob")
    path = await a_channel(ada, bob)
    for number in range(1, 5):
        await a_post(ada, path, f"Post {number}")
    await bob.post(f"{path}/posts/views", {"seqs": [4, 2]})
    await bob.put(f"{path}/posts/2/reactions/{THUMB}")
    await ada.delete(f"{path}/posts/3")
    page = await ada.get(f"{path}/insights/posts?limit=3")
    told = [(p["seq"], p["preview"], p["views"], p["reactions"]) for p in page.items]
    assert told == [(4, "Post 4", 1, 0), (2, "Post 2", 1, 1)]
    cursor = page.body["next_cursor"]
    assert [p["seq"] for p in (await ada.get(f"{path}/insights/posts?cursor={cursor}")).items] == [
        1
    ]
    table = await ada.get(f"{path}/insights/posts?limit=3&format=csv")
    assert table.headers["X-Next-Cursor"] == cursor
    assert [row["seq"] for row in rows_of(table)] == ["4", "2"]


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_csv_has_the_same_numbers_as_json(noon: Api) -> None:
    ada = noon.new_user("ada")
    path = await a_channel(ada, noon.new_user("bob"))
    body = await shown(ada, path)
    for answer in (
        await ada.get(f"{path}/insights?format=csv"),
        await ada.get(f"{path}/insights", headers={"Accept": "text/csv"}),
    ):
        rows = rows_of(answer)
        assert rows == [
            {name: "" if value is None else str(value) for name, value in day.items()}
            for day in body["days"]
        ]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        name = f"insights-days-{body['from']}-{body['to']}.csv"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    hours = rows_of(await ada.get(f"{path}/insights?format=csv&table=hours"))
    assert hours == [{n: str(v) for n, v in hour.items()} for hour in body["hours"]]
    asked = await ada.get(f"{path}/insights?format=json", headers={"Accept": "text/csv"})
    assert asked.body == body


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "=cmd|' /C calc'!A0"]
)
async def test_no_text_of_a_post_becomes_a_formula(text: str) -> None:
    told = table_of("t", ["text", "number"], [[text, -3], ["a = 1", None]]).csv.decode()
    rows = list(csv.reader(io.StringIO(told)))
    assert rows == [["text", "number"], ["'" + text, "-3"], ["a = 1", ""]]


async def test_a_post_that_is_a_formula_is_exported_as_text(noon: Api) -> None:
    ada = noon.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path, '=HYPERLINK("http://x","y")')
    (row,) = rows_of(await ada.get(f"{path}/insights/posts?format=csv"))
    assert row["preview"] == '\'=HYPERLINK("http://x","y")'


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("", False),
        ("*/*", False),
        ("text/csv", True),
        ("Text/CSV; charset=utf-8", True),
        ("application/json, text/csv", True),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv;q=0.5, application/json;q=0.4", True),
        ("text/csv;q=0", False),
        ("text/csv;q=x", False),
        ("text/*", False),
        (";,;", False),
    ],
)
def test_csv_is_returned_only_on_request(accept: str, is_csv: bool) -> None:
    assert wants_table(accept) is is_csv


async def test_a_new_channel_with_the_same_id_has_empty_days(noon: Api) -> None:
    ada = noon.new_user("ada")
    body = {"channel_id": "@TOA#_again", "name": "Again"}
    path = "/v1/channels/again"
    assert (await ada.post("/v1/channels", body)).status == 201
    await noon.new_user("bob").put(f"{path}/subscription")
    assert (await last_day(ada, path))["joined"] == 1
    assert (await ada.delete(path)).status == 204
    await noon.services.chat.cleanup.wait()
    assert (await ada.post("/v1/channels", body)).status == 201
    day = await last_day(ada, path)
    assert (day["joined"], day["subscribers"]) == (0, 1)


async def test_counts_that_wait_end_with_their_channel(noon: Api) -> None:
    ada = noon.new_user("ada")
    path = await a_channel(ada, noon.new_user("bob"))
    gone, kept = id_of(path), id_of(await a_channel(ada, noon.new_user("cat")))
    await a_post(ada, path)
    assert (await ada.delete(path)).status == 204
    await noon.services.chat.cleanup.wait()
    await noon.services.analytics.counting.catch_up()
    days = noon.services.database.collection("insights")
    counted = await days.find({"channel_id": {"$in": [gone, kept]}}).to_list(None)
    assert [row["channel_id"] for row in counted] == [kept]


async def test_counts_of_version_0_1_and_of_this_one_add_up(noon: Api) -> None:
    ada = noon.new_user("ada")
    path = await a_channel(ada)
    channel_id, day = id_of(path), day_of(noon.clock)
    await a_post(ada, path)
    # As version 0.1 counts a post in its transaction.
    key = join_key(channel_id, day, "posts", 0)
    new = {"part": "posts", "day": day, "expires_at": noon.clock.now() + timedelta(days=400)}
    for _ in range(2):
        await noon.services.database.collection("insights").update_one(
            {"_id": key, "channel_id": channel_id},
            {"$inc": {"posts": 1}, "$setOnInsert": new},
            upsert=True,
        )
        assert (await last_day(ada, path))["posts"] in {2, 3}
    assert (await last_day(ada, path))["posts"] == 3
