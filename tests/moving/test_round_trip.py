"""A channel that is exported, imported elsewhere, and exported again: equal byte by byte; and what refuses it."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from rich.console import Console

from channels.limits import Limits
from channels.moving.command import Wanted, run_export, run_import
from channels.moving.errors import MovingRefused
from channels.moving.service.exporting import ExportService
from channels.moving.service.importing import ImportService
from channels.moving.wiring import build_export, build_import
from channels.verify.command import verify
from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from tests.api import Api, User, a_channel, a_post, id_of, open_api, open_database, part
from tests.channels.self_service.test_automatic_messages import said, with_
from tests.groups.test_media import MP4, photo, upload

LIKE: Final = part("👍")
LINK: Final = {"text": "Ours", "kind": "link", "url": "https://example.org"}


def export_of(api: Api) -> ExportService:
    return build_export(api.services.database, api.services.chat)


def import_of(api: Api) -> ImportService:
    services = api.services
    return build_import(
        services.database,
        services.chat,
        services.channels.channels,
        services.automatic.messages,
        services.limits,
    )


async def imported(api: Api, source: Path, **wanted: Any) -> list[str]:
    return await run_import(import_of(api), Wanted(source, **wanted), api.services.limits)


async def exported(api: Api, channel: str, target: Path, *, with_members: bool = True) -> Path:
    await run_export(export_of(api), channel, target, with_members=with_members)
    return target


async def findings(database: Database, limits: Limits | None = None) -> list[str]:
    """The findings of `channels verify`."""
    console = Console(file=io.StringIO())
    outcomes = await verify(database, limits or Limits(), console=console, repair=False)
    return [f"{one.subject}: {one.problem}" for outcome in outcomes for one in outcome.first]


def lines_of(archive: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(archive) as file:
        return [orjson.loads(line) for line in file.read("channel.ndjson").splitlines()]


async def a_full_channel(api: Api) -> tuple[User, User, User, User, str]:
    """A channel that has one of everything: its owner, an admin, a subscriber, one who left, its path."""
    ada, bob, cat = (api.new_user(name) for name in ("ada", "bob", "cat"))
    picture = (await upload(ada, photo(), "us.jpg")).body["media_id"]
    film = (await upload(ada, MP4, "tea.mp4")).body["media_id"]
    path = await a_channel(
        ada,
        cat,
        admins=(bob,),
        name="Città 城",
        introduction="What happens",
        organization="The town",
        custom_data='{"a": 1}',
        face_url=f"/v1/media/{picture}",
        settings={"comments": "subscribers", "signatures": True, "reactions_per_user": 3},
    )

    async def done(answer: Any) -> Any:
        assert answer.status in {200, 201, 204}, answer
        return answer

    await a_post(ada, path, "First **tea**")
    await done(
        await ada.post(
            f"{path}/posts", {"kind": "text_and_image", "text": "Two", "images": [picture] * 2}
        )
    )
    await done(await ada.post(f"{path}/posts", {"kind": "video", "video": film, "silent": True}))
    poll = {"question": "Tea?", "options": ["Yes", "No"], "multiple": True}
    await done(await ada.post(f"{path}/posts", {"kind": "poll", "poll": poll}))
    await a_post(ada, path, "Wrong")
    place = {"latitude": 0.0, "longitude": 114.1, "name": "Pier"}
    link = {"title": "Ours", "url": "https://example.org", "image": picture}
    await done(
        await ada.post(
            f"{path}/posts",
            {"kind": "location", "location": place, "links": [link], "custom": {"n": [1, None]}},
        )
    )
    await done(await ada.post(f"{path}/posts", {"forward": {"channel_id": id_of(path), "seq": 1}}))
    await done(await ada.patch(f"{path}/posts/1", {"kind": "text", "text": "First *tea*"}))
    await done(await ada.delete(f"{path}/posts/5"))
    for seq in (3, 1):
        await done(await ada.put(f"{path}/posts/{seq}/pin"))
    await done(await cat.put(f"{path}/posts/4/vote", {"options": [0, 1]}))
    await done(await bob.put(f"{path}/posts/4/vote", {"options": [1]}))
    for user, emoji in ((cat, "👍"), (cat, "❤️"), (bob, "👍")):
        await done(await user.put(f"{path}/posts/1/reactions/{part(emoji)}"))
    for user in (cat, bob, cat):
        await done(await user.post(f"{path}/posts/1/comments", {"kind": "text", "text": "Nice"}))
    body = {"kind": "text", "text": "Yes", "quoted_seq": 1}
    await done(await ada.post(f"{path}/posts/1/comments", {**body, "as_channel": True}))
    await done(await cat.delete(f"{path}/posts/1/comments/3"))
    await done(await bob.put(f"{path}/posts/1/comments/1/reactions/{LIKE}"))
    await done(await cat.post(f"/v1/conversations/group_{part(id_of(path))}/read", {"seq": 2}))
    await done(await ada.delete(f"{path}/subscribers/dan?ban=true"))
    await done(await ada.post(f"{path}/drafts", {"post": {"kind": "image", "images": [picture]}}))
    at = rfc3339(api.clock.now() + timedelta(days=1))
    await done(
        await ada.post(
            f"{path}/drafts", {"post": {"kind": "text", "text": "Later"}, "publish_at": at}
        )
    )
    await done(await ada.put(f"{path}/canned-replies/hours", {"text": "We open at 9"}))
    await _self_service(ada, path, done)
    # A post that is acknowledged, with buttons that are pressed; one of them is gone since.
    rows = [[{"text": "Tea", "kind": "event", "data": "tea"}, {**LINK, "text": "More"}]]
    post = {"kind": "text", "text": "Tea?", "acknowledge": True}
    gone = [*rows, [{"text": "Milk", "kind": "event", "data": "milk"}]]
    await done(await ada.post(f"{path}/posts", {**post, "buttons": gone}))
    for user, index in ((cat, 0), (bob, 0), (bob, 2)):
        await done(await user.put(f"{path}/posts/8/buttons/{index}/press"))
    await done(
        await ada.patch(f"{path}/posts/8", {"kind": "text", "text": "Tea?", "buttons": rows})
    )
    await done(await cat.put(f"{path}/posts/8/acknowledgement"))
    await done(await ada.post(f"{path}/posts/8/acknowledgements/reminder"))
    await done(await cat.put(f"{path}/posts/8/reactions/{LIKE}"))
    await done(await ada.put(f"{path}/subscribers/{part(cat.id)}/tags", {"tags": ["vip", "Città"]}))
    await done(await ada.put(f"{path}/subscribers/{part(bob.id)}/tags", {"tags": ["vip"]}))
    await done(await cat.put(f"{path}/broadcast-opt-out"))
    # A subscriber who is greeted, and leaves again.
    eve = api.new_user("eve")
    await done(await eve.put(f"{path}/subscription"))
    assert await said(eve, path, 1) == ["Welcome"]
    await done(await ada.put(f"{path}/subscribers/{part(eve.id)}/tags", {"tags": ["gone"]}))
    await done(await eve.delete(f"{path}/subscription"))
    return ada, bob, cat, eve, path


async def _self_service(ada: User, path: str, done: Any) -> None:
    """A menu, a form, a greeting, an answer that is off, and opening hours."""
    below = {"text": "Call me", "kind": "event", "data": "call"}
    entries = [
        {"text": "Order", "kind": "form", "form": "order"},
        {"text": "Ask", "entries": [below]},
    ]
    await done(await ada.put(f"{path}/menu", {"entries": [entries[0]]}))
    await done(await ada.put(f"{path}/menu", {"entries": entries}))
    size = {"name": "size", "label": "Size?", "kind": "choice", "options": ["S", "L"]}
    note = {"name": "note", "label": "Note", "required": False, "max_length": 9}
    form = {"title": "Order", "fields": [size, note], "confirmation": "Thanks"}
    await done(await ada.put(f"{path}/forms/order", form))
    welcome = {"text": "Welcome", "buttons": [[LINK]]}
    await done(await ada.put(f"{path}/greeting", welcome))
    answer = {"keywords": ["price"], "answer": {"text": "3 €"}, "enabled": False}
    await done(await ada.put(f"{path}/auto-replies/price", answer))
    hours = {
        "time_zone": "Europe/Berlin",
        "weekly": {"mon": [["09:00", "12:30"], ["13:30", "17:00"]], "sat": [["10:00", "24:00"]]},
        "closed_dates": ["2026-12-25"],
        "away": {"text": "Closed"},
    }
    await done(await ada.put(f"{path}/opening-hours", hours))


async def test_a_channel_moves_and_comes_back_equal_byte_by_byte(
    database: Database, mongod_uri: str, tmp_path: Path
) -> None:
    async with open_api(database) as here, open_database(mongod_uri) as other:
        ada, bob, cat, eve, path = await a_full_channel(here)
        first = await exported(here, id_of(path), tmp_path / "first.zip")
        kinds = {line["type"] for line in lines_of(first)}
        assert kinds == {
            *("header", "channel", "member", "restriction", "post", "reaction", "vote"),
            *("press", "acknowledgement", "comment", "comment_reaction", "draft", "canned_reply"),
            *("menu", "form", "automatic_message", "greeted", "broadcast_opt_out", "end"),
        }
        async with open_api(other) as there:
            said = await imported(there, first, is_dry=True)
            assert said[0].startswith("Would import")
            assert (await there.user_of(cat.id).get(path)).status == 404
            ears = await there.user_of(cat.id).socket()
            said = await imported(there, first)
            assert any("8  posts" in line for line in said), said
            await ears.hear("channel.subscribed")
            second = await exported(there, id_of(path), tmp_path / "second.zip")
            assert lines_of(second) == lines_of(first)
            assert second.read_bytes() == first.read_bytes()
            assert await findings(other) == []
            # What readers see is the same, apart from ids of uploads and counts of versions.
            for user, reader in ((ada, ada.id), (cat, cat.id)):
                for page in (f"{path}/posts", f"{path}/posts/1/comments", f"{path}/pins"):
                    left = (await user.get(page)).items
                    right = (await there.user_of(reader).get(page)).items
                    assert [shown(item) for item in right] == [shown(item) for item in left]
            mine = (await there.user_of(cat.id).get("/v1/conversations")).items
            assert [one["unread_count"] for one in mine] == [
                one["unread_count"] for one in (await cat.get("/v1/conversations")).items
            ]
            # It lives on: the next post has the next seq.
            mover = there.user_of(ada.id)
            assert (await a_post(mover, path))["seq"] == 9
            for page in SELF_SERVICE:
                assert (await mover.get(path + page)).body == (await ada.get(path + page)).body
            await _go_on(there, path, (ada, bob, cat, eve))
            with pytest.raises(MovingRefused) as refused:
                await imported(there, first)
            assert refused.value.reason == "channel_exists"
            await imported(there, first, channel_id="copy", owner="eve")
            owners = (await there.user_of("eve").get("/v1/channels/copy")).body
            assert owners["owner_id"] == "eve"
            assert (await there.user_of(cat.id).get("/v1/channels/copy/posts")).items
            assert await findings(other) == []
            for owner, gone in ((ada.id, path), ("eve", "/v1/channels/copy")):
                assert (await there.user_of(owner).delete(gone)).status == 204
            await there.services.chat.cleanup.wait()
            assert await findings(other) == []


@pytest.mark.parametrize("has_newer", [True, False])
async def test_a_channel_moves_whose_first_posts_have_ended(
    database: Database, mongod_uri: str, tmp_path: Path, has_newer: bool
) -> None:
    async with (
        open_api(database) as here,
        open_database(mongod_uri) as other,
    ):
        ada = here.new_user("ada", hours=1_000)
        path = await a_channel(ada, here.new_user("cat"), settings={"retention_days": 2})
        for _ in range(2):
            await a_post(ada, path, "Old")
        here.clock.move(seconds=DAY)
        if has_newer:
            await a_post(ada, path, "New")
        here.clock.move(seconds=DAY + 3_600)
        await here.services.chat.retention.sweep()
        first = await exported(here, id_of(path), tmp_path / "first.zip")
        [channel] = [line for line in lines_of(first) if line["type"] == "channel"]
        assert (channel["group"]["ended_seq"], channel["group"]["retention_days"]) == (2, 2)
        posts = [line["seq"] for line in lines_of(first) if line["type"] == "post"]
        assert posts == ([3] if has_newer else [])
        async with open_api(other) as there:
            await imported(there, first)
            second = await exported(there, id_of(path), tmp_path / "second.zip")
            assert second.read_bytes() == first.read_bytes()
            assert await findings(other) == []
            mover = there.user_of(ada.id, hours=1_000)
            assert (await mover.get("/v1/conversations")).items
            # The deployment gives the posts its own times to end at: this one's clock is two days behind.
            await there.services.chat.retention.sweep()
            found = (await mover.get(f"{path}/posts")).items
            assert [post["seq"] for post in found] == posts
            there.clock.move(seconds=5 * DAY)
            await there.services.chat.retention.sweep()
            assert (await mover.get(f"{path}/posts")).items == []
            assert await findings(other) == []
            assert (await a_post(mover, path))["seq"] == len(posts) + 3


async def _go_on(there: Api, path: str, people: tuple[User, ...]) -> None:
    """All that people did before the move counts after it; what the channel does by itself goes on."""
    ada, bob, cat, eve = (there.user_of(user.id) for user in people)
    rows = (await cat.put(f"{path}/posts/8/buttons/0/press")).body["buttons"]
    assert [[button["presses"] for button in row] for row in rows] == [[2, None]]
    assert (await ada.post(f"{path}/posts/8/acknowledgements/reminder")).status == 409
    tagged = (await ada.get(f"{path}/subscribers?tag=vip")).items
    assert [(one["user_id"], one["tags"]) for one in tagged] == [
        (bob.id, ["vip"]),
        (cat.id, ["vip", "Città"]),
    ]
    assert (await cat.get(f"{path}/broadcast-opt-out")).body["opted_out"]
    # The import greeted nobody, nor is greeted who comes back; a new subscriber is.
    fay = there.new_user("fay")
    for user in (eve, fay):
        assert (await user.put(f"{path}/subscription")).status == 200
    assert await said(fay, path, 1) == ["Welcome"]
    for user in (bob, cat, eve):
        assert (await user.get(with_(path))).items == [], user.id


DAY: Final = 86_400
SELF_SERVICE: Final = (
    *("/menu", "/forms", "/greeting", "/auto-replies", "/opening-hours"),
    *("/subscriber-tags", "/posts/8/acknowledgements"),
)


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """A post or comment without what belongs to the deployment."""
    text = orjson.dumps({name: value for name, value in item.items() if name != "version"})
    found = orjson.loads(text)
    for name in ("media", "images", "video", "links", "poster", "sender_face_url"):
        found.pop(name, None)
    return found if isinstance(found, dict) else {}
