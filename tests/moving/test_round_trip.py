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
from tests.groups.test_media import MP4, photo, upload

LIKE: Final = part("👍")


def export_of(api: Api) -> ExportService:
    return build_export(api.services.database, api.services.chat)


def import_of(api: Api) -> ImportService:
    services = api.services
    return build_import(
        services.database, services.chat, services.channels.channels, services.limits
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


async def a_full_channel(api: Api) -> tuple[User, User, User, str]:
    """A channel that has one of everything: its owner, an admin, a subscriber, its path."""
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
    return ada, bob, cat, path


async def test_a_channel_moves_and_comes_back_equal_byte_by_byte(
    database: Database, mongod_uri: str, tmp_path: Path
) -> None:
    async with open_api(database) as here, open_database(mongod_uri) as other:
        ada, _, cat, path = await a_full_channel(here)
        first = await exported(here, id_of(path), tmp_path / "first.zip")
        kinds = {line["type"] for line in lines_of(first)}
        assert kinds == {
            *("header", "channel", "member", "restriction", "post", "reaction", "vote"),
            *("comment", "comment_reaction", "draft", "canned_reply", "end"),
        }
        async with open_api(other) as there:
            said = await imported(there, first, is_dry=True)
            assert said[0].startswith("Would import")
            assert (await there.user_of(cat.id).get(path)).status == 404
            ears = await there.user_of(cat.id).socket()
            said = await imported(there, first)
            assert any("7  posts" in line for line in said), said
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
            assert (await a_post(there.user_of(ada.id), path))["seq"] == 8
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


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """A post or comment without what belongs to the deployment."""
    text = orjson.dumps({name: value for name, value in item.items() if name != "version"})
    found = orjson.loads(text)
    for name in ("media", "images", "video", "links", "poster", "sender_face_url"):
        found.pop(name, None)
    return found if isinstance(found, dict) else {}
