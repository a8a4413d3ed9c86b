"""Imports that must not happen: broken and hostile files, taken ids, limits; and imports that end in their middle."""

import asyncio
import hashlib
import os
import signal
import struct
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from channels.moving.archive import ArchiveReader
from channels.moving.errors import MovingRefused
from channels.moving.service import importing
from channels.moving.service.checking import Checker
from channels.moving.store.writing import ImportStore
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from tests.api import Api, a_channel, a_post, id_of, open_api
from tests.moving.test_round_trip import (
    a_full_channel,
    exported,
    findings,
    import_of,
    imported,
    lines_of,
)

POSTS: Final = 2_000
Lines = list[dict[str, Any]]

INSERT: Final = ImportStore.insert


class Died(Exception):
    """As after kill -9: nothing of the import runs any more."""


def first(lines: Lines, kind: str) -> dict[str, Any]:
    return next(line for line in lines if line["type"] == kind)


def last(lines: Lines, kind: str) -> dict[str, Any]:
    return [line for line in lines if line["type"] == kind][-1]


def sealed(lines: Lines) -> bytes:
    """The lines with the counts and the hash that belong to them."""
    counts: dict[str, int] = {}
    for line in lines[:-1]:
        counts[line["type"]] = counts.get(line["type"], 0) + 1
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines[:-1])
    end = lines[-1] | {"counts": counts, "sha256": hashlib.sha256(body).hexdigest()}
    return body + orjson.dumps(end) + b"\n"


def rebuilt(source: Path, target: Path, text: bytes, *, without_media: bool = False) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        new.writestr("channel.ndjson", text, zipfile.ZIP_DEFLATED)
        for name in old.namelist():
            if name.startswith("media/") and not without_media:
                new.writestr(name, old.read(name))
    return target


CHANGES: Final[dict[str, tuple[Callable[[Lines], object], str]]] = {
    "another format": (lambda it: it[0].update(format="x"), "not_an_export"),
    "a version to come": (lambda it: it[0].update(version=2), "unknown_version"),
    "an unknown type": (lambda it: it[3].update(type="riddle"), "bad_line"),
    "an unknown field": (lambda it: first(it, "post").update(x=1), "bad_line"),
    "a hole": (lambda it: last(it, "post").update(seq=9), "wrong_order"),
    "a member twice": (lambda it: it.insert(3, first(it, "member")), "wrong_order"),
    "two owners": (lambda it: last(it, "member").update(role="owner"), "bad_line"),
    "grants of nobody": (lambda it: last(it, "member").update(grants=["post"]), "bad_line"),
    "a reaction twice": (
        lambda it: it.insert(it.index(first(it, "reaction")), first(it, "reaction")),
        "wrong_order",
    ),
    "no emoji": (lambda it: first(it, "reaction").update(emoji="no"), "bad_line"),
    "a reaction to another post": (lambda it: first(it, "reaction").update(seq=2), "wrong_order"),
    "an option that is not there": (lambda it: first(it, "vote").update(option=9), "bad_line"),
    "a comment elsewhere": (lambda it: first(it, "comment").update(post_seq=2), "wrong_order"),
    "a post that is to come": (lambda it: first(it, "member").update(joined_seq=99), "bad_line"),
    "a post that quotes the next": (lambda it: first(it, "post").update(quoted_seq=1), "bad_line"),
    "a control character": (
        lambda it: first(it, "post")["content"].update(text="\x1b[2J"),
        "bad_line",
    ),
    "an empty text": (lambda it: first(it, "post")["content"].update(text=" "), "bad_line"),
    "a long text": (lambda it: first(it, "post")["content"].update(text="x" * 13_000), "too_large"),
    "a script as a link": (
        lambda it: first(it, "post")["content"].update(
            links=[{"title": "x", "url": "javascript:x"}]
        ),
        "bad_line",
    ),
    "an upload that is not there": (lambda it: it[1].update(picture="0" * 64), "bad_media"),
    "an upload by its path": (
        lambda it: it[1]["group"].update(face_url="/v1/media/abc"),
        "bad_line",
    ),
    "a badge": (lambda it: it[1]["group"].update(verified=True), "bad_line"),
    "no channel": (lambda it: it[1]["group"].update(type="work"), "bad_line"),
    "a long name": (lambda it: it[1]["group"].update(name="x" * 151), "too_large"),
    "a bad id": (lambda it: it[1].update(channel_id="a\u202e"), "bad_line"),
    "pins beyond the limit": (
        lambda it: [
            x.update(pinned_at=x["created_at"])
            for x in it
            if x["type"] == "post" and "content" in x
        ],
        "limit_reached",
    ),
    "a reply without a name": (lambda it: first(it, "canned_reply").pop("name"), "bad_line"),
    "a press in a poll": (
        lambda it: first(it, "vote").update(type="press", button=first(it, "vote").pop("option")),
        "bad_line",
    ),
    "a press twice": (
        lambda it: it.insert(it.index(first(it, "press")), first(it, "press")),
        "wrong_order",
    ),
    "a post that asks nobody": (
        lambda it: last(it, "post")["content"].pop("acknowledge"),
        "bad_line",
    ),
    "a script behind a button": (
        lambda it: last(it, "post")["content"]["buttons"][0][1]["action"].update(value="data:x"),
        "bad_line",
    ),
    "a tag twice": (lambda it: last(it, "member").update(tags=["a", "a"]), "bad_line"),
    "a version of the menu apart": (
        lambda it: it[1]["profile"].update(menu_version=3),
        "bad_line",
    ),
    "a menu of nothing": (lambda it: first(it, "menu").update(entries=[]), "bad_line"),
    "a menu in a menu": (
        lambda it: first(it, "menu")["entries"][1]["entries"][0].update(
            entries=[{"text": "x", "action": {"kind": "event", "value": "x"}}]
        ),
        "bad_line",
    ),
    "a form without fields": (
        lambda it: first(it, "form")["content"].update(fields=[]),
        "bad_line",
    ),
    "hours of no zone": (
        lambda it: [x["hours"].update(time_zone="../x") for x in it if "hours" in x],
        "bad_line",
    ),
    "a greeting with keywords": (
        lambda it: last(it, "automatic_message").update(keywords=["x"]),
        "bad_line",
    ),
    "posts that did not end": (lambda it: it[1]["group"].update(ended_seq=3), "wrong_order"),
    "days that are none": (lambda it: it[1]["group"].update(retention_days=-1), "bad_line"),
    "a line behind the end": (lambda it: it.append(it[-1]), "wrong_order"),
}


async def test_a_broken_or_hostile_file_is_refused_before_anything_is_written(
    database: Database, tmp_path: Path
) -> None:
    async with open_api(database, pinned_messages=3) as api:
        ada, _, _, _, path = await a_full_channel(api)
        source = await exported(api, id_of(path), tmp_path / "good.zip")
        assert (await ada.delete(path)).status == 204
        await api.services.chat.cleanup.wait()
        good = lines_of(source)

        async def refusal(archive: Path) -> tuple[str, int | None]:
            with pytest.raises(MovingRefused) as refused:
                await imported(api, archive)
            return refused.value.reason, refused.value.line

        for name, (change, reason) in CHANGES.items():
            lines = orjson.loads(orjson.dumps(good))
            change(lines)
            text = sealed(lines)
            if name == "a line behind the end":
                text = sealed(good) + orjson.dumps(good[-1]) + b"\n"
            found, line = await refusal(rebuilt(source, tmp_path / "bad.zip", text))
            assert found == reason, f"{name}: {found} in line {line}"
            assert line is not None, name

        plain = sealed(good)
        for text, reason in (
            (b"{}\n", "bad_line"),
            (b"[" * 100_000 + b"\n", "bad_line"),
            (plain[:-2], "bad_line"),
            (plain.replace(b"First", b"Other"), "wrong_hash"),
            (b"\n".join(plain.split(b"\n")[:-2]) + b"\n", "wrong_count"),
            (plain.replace(b'"post":8', b'"post":9'), "wrong_count"),
            (plain + b" " * (2 * 2**20), "too_large"),
            (b" " * 2**26, "too_large"),
            (b"", "not_an_export"),
        ):
            found, _ = await refusal(rebuilt(source, tmp_path / "bad.zip", text))
            assert found == reason, text[:40]
        assert (await refusal(rebuilt(source, tmp_path / "b.zip", plain, without_media=True)))[
            0
        ] == "bad_media"

        # A zip that is none, or holds what no export has.
        bad = tmp_path / "bad.zip"
        bad.write_bytes(b"PK\x05\x06" + bytes(10))
        assert (await refusal(bad))[0] == "not_an_export"
        for entry, kind in (("../../etc/passwd", "bad_archive"), ("media/x", "bad_archive")):
            rebuilt(source, bad, plain)
            with zipfile.ZipFile(bad, "a") as file:
                file.writestr(entry, b"x")
            assert (await refusal(bad))[0] == kind
        rebuilt(source, bad, plain)
        with zipfile.ZipFile(bad, "a") as file:
            file.writestr(f"media/{hashlib.sha256(b'x').hexdigest()}", b"x")
        assert (await refusal(bad))[0] == "bad_archive", "no line names it"
        digest = next(name for name in zipfile.ZipFile(source).namelist() if "media/" in name)
        data = source.read_bytes()
        place = data.index(digest.encode()) + len(digest) + 20
        bad.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert (await refusal(bad))[0] in {"bad_archive", "wrong_hash"}
        # A directory that would take gigabytes is not read.
        end = data.rindex(b"PK\x05\x06")
        bad.write_bytes(data[: end + 12] + struct.pack("<I", 2**31) + data[end + 16 :])
        assert (await refusal(bad))[0] == "too_large"

        assert await findings(database) == []
        assert (await ada.get(path)).status == 404
        assert any("8  posts" in x for x in await imported(api, source))


async def test_an_import_that_dies_leaves_nothing_and_is_repeated(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    async with open_api(database) as api:
        ada, _, cat, _, path = await a_full_channel(api)
        channel_id = GroupId(id_of(path))
        source = await exported(api, channel_id, tmp_path / "good.zip")
        assert (await ada.delete(path)).status == 204
        await api.services.chat.cleanup.wait()
        services = api.services
        cursor = (await cat.get("/v1/sync")).body["sync_token"]
        for stops_after in (1, 3, 5, 8):
            service = import_of(api)
            done = 0

            async def dying(
                self: ImportStore, documents: Any, tx: Any, *, most: int = stops_after
            ) -> None:
                nonlocal done
                done += 1
                if done > most:
                    raise Died
                await INSERT(self, documents, tx)

            with monkeypatch.context() as patch:
                patch.setattr(ImportStore, "insert", dying)
                with ArchiveReader(source) as archive:
                    checked = Checker(archive, services.limits).check()
                    holder = "first"
                    assert await service._claim(channel_id, holder)
                    work = importing._Import(
                        service, archive, checked, channel_id, ada_id(ada), holder, is_foreign=False
                    )
                    with pytest.raises(Died):
                        await work.run()
            # Half of it is there; nobody sees it, and nothing is wrong with the data.
            assert await findings(database) == []
            for user in (ada, cat):
                assert (await user.get(path)).status == 404
                assert (await user.get("/v1/conversations")).items == []
                synced = (await user.get(f"/v1/sync?since={cursor}")).body
                assert channel_id not in orjson.dumps(synced["items"]).decode()
            with pytest.raises(MovingRefused) as refused:
                await imported(api, source)
            assert refused.value.reason == "import_running"
            taken = await ada.post("/v1/channels", {"channel_id": channel_id, "name": "Mine"})
            assert taken.refusal == (409, "channel_id_taken")
            # The lease ends: a server's cleanup, or the next import, deletes the rest.
            await _end_lease(database)
            if stops_after % 2:
                await services.chat.cleanup.clear(channel_id)
                names = ("members", "messages", "reactions", "tallies", "streams", "drafts")
                more = ("menus", "forms", "automatic_messages", "automatic_marks")
                tags = ("subscriber_tags", "subscriber_tag_counts", "broadcast_opt_outs")
                kept = ("conversations", "restrictions", "canned_replies")
                for name in (*names, *more, *tags, *kept):
                    rows = await database.collection(name).find({}).to_list(None)
                    assert [row for row in rows if channel_id in str(row["_id"])] == [], name
        said = await imported(api, source)
        assert said[0].startswith("Imported")
        assert (
            await exported(api, channel_id, tmp_path / "2.zip")
        ).read_bytes() == source.read_bytes()
        assert await findings(database) == []


async def test_an_import_that_is_killed_is_repeated_by_another_process(
    database: Database, mongod_uri: str, tmp_path: Path
) -> None:
    async with open_api(database) as api:
        ada, _, _, _, path = await a_full_channel(api)
        channel_id = id_of(path)
        source = await exported(api, channel_id, tmp_path / "small.zip")
        assert (await ada.delete(path)).status == 204
        await api.services.chat.cleanup.wait()
        # So many posts that a process can be caught at work.
        lines = lines_of(source)
        place = lines.index(first(lines, "draft"))
        plain = {"type": "post", "sender_id": ada.id, "created_at": lines[place - 1]["at"]}
        lines[place:place] = [
            {**plain, "seq": 9 + number, "content": {"kind": "text", "text": f"No. {number}"}}
            for number in range(POSTS)
        ]
        source = rebuilt(source, tmp_path / "large.zip", sealed(lines))
        messages = database.collection("messages")
        environment = os.environ | {
            "CHANNELS_MONGODB_URI": mongod_uri,
            "CHANNELS_DATABASE": messages.database.name,
            "CHANNELS_DATA_DIR": str(tmp_path / "data"),
        }
        command = (sys.executable, "-m", "channels", "import", str(source))
        killed = await asyncio.create_subprocess_exec(*command, env=environment)
        written = {"stream_id": f"group_{channel_id}"}
        async with asyncio.timeout(60):
            while await messages.count_documents(written) == 0:
                await asyncio.sleep(0.01)
        killed.kill()
        assert await killed.wait() == -signal.SIGKILL
        assert 0 < await messages.count_documents(written) < POSTS
        assert await findings(database) == []
        assert (await ada.get(path)).status == 404
        await _end_lease(database)
        again = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await again.communicate()
        assert again.returncode == 0, said
        assert await findings(database) == []
        assert await messages.count_documents(written) == POSTS + 8
        newest = (await ada.get(f"{path}/posts?limit=1")).items
        assert [post["text"] for post in newest] == [f"No. {POSTS - 1}"]


def ada_id(user: Any) -> Any:
    return user.id


async def _end_lease(database: Database) -> None:
    past = timedelta(seconds=-1) + database.clock.now()

    async def end(tx: Tx) -> None:
        update = {"$set": {"leased_until": past}}
        await database.collection("disbanded").update_many({}, update, session=tx.session)

    # A process that was killed may leave a transaction open, for which a write outside of one would wait.
    await database.run(end)


async def test_an_import_that_lost_its_claim_writes_nothing_more(
    api: Any, database: Database, tmp_path: Path
) -> None:
    one: Api = await api(channels=1)
    ada = one.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    source = await exported(one, id_of(path), tmp_path / "good.zip")
    with pytest.raises(MovingRefused) as refused:
        await imported(one, source, channel_id="other")
    assert refused.value.reason == "limit_reached", "the deployment may have one channel"
    assert await findings(database) == []
    service = import_of(one)
    with ArchiveReader(source) as archive:
        checked = Checker(archive, one.services.limits).check()
        other = GroupId("@TOA#_other")
        assert await service._claim(other, "first")
        await _end_lease(database)
        await one.services.chat.cleanup.clear(other)
        work = importing._Import(
            service, archive, checked, other, ada_id(ada), "first", is_foreign=False
        )
        with pytest.raises(MovingRefused) as refused:
            await work.run()
    assert refused.value.reason == "import_lost"
    assert await findings(database) == []


async def test_members_at_a_limit_are_left_out_and_named(
    api: Any, database: Database, tmp_path: Path
) -> None:
    one: Api = await api(groups_per_user=2)
    ada, bob, cat = (one.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    source = await exported(one, id_of(path), tmp_path / "good.zip")
    await a_channel(bob)
    said = await imported(one, source, channel_id="copy")
    assert any("1  subscribers: in too many groups" in line for line in said), said
    shown = (await ada.get("/v1/channels/copy")).body
    assert shown["subscriber_count"] == 2
    assert await findings(database) == []
    # Without members: the owner alone.
    alone = await exported(one, id_of(path), tmp_path / "alone.zip", with_members=False)
    assert [line["user_id"] for line in lines_of(alone) if line["type"] == "member"] == [ada.id]
