"""Sounds over HTTP: told from films by their bytes, measured where their file can be believed, sent by their kind."""

import time
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from groups.errors import WrongMediaKind
from groups.kernel.errors import Unavailable
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import Attachment, MediaKind
from groups.service.media import image_workers
from groups.service.media.image_workers import FairQueue, ImageWorkers
from tests.api import Api, User, a_channel, a_chat_group, id_of, part
from tests.groups.test_media import MP4, load, upload
from tests.sounds import flac, mp3, mp4, opus, tagged_mp3, theora, wav, webm

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

ADA: Final = UserId("ada")
ATOM: Final = "{http://www.w3.org/2005/Atom}"
DAYS: Final = 40 * 86_400.0
ID3V1: Final = b"TAG" + bytes(125)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shared_api: Api) -> Api:
    """One server for all tests, which use users and channels of their own."""
    return shared_api


# --- what a file is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content_type", "seconds"),
    [
        pytest.param(wav(1.5), "audio/x-wav", 1.5, id="wav"),
        pytest.param(mp3(2.4), "audio/mpeg", 2.4, id="mp3"),
        pytest.param(tagged_mp3(9_000, 2.4), "audio/mpeg", 2.4, id="mp3 with tags before it"),
        pytest.param(mp3(2.4) + ID3V1, "audio/mpeg", 2.4, id="mp3 with tags behind it"),
        pytest.param(opus(3.0), "audio/ogg", 3.0, id="opus"),
        pytest.param(flac(2.5), "audio/x-flac", 2.5, id="flac"),
        pytest.param(mp4(b"M4A ", b"soun"), "audio/mp4", 4.0, id="m4a"),
        pytest.param(mp4(b"mp42", b"soun"), "audio/mp4", 4.0, id="mp4 without a picture"),
        pytest.param(webm(2), "audio/webm", None, id="webm without a picture"),
        pytest.param(b"\xff\xf1\x50\x80" + bytes(500), "audio/aac", None, id="aac"),
    ],
)
async def test_a_sound_is_known_by_its_bytes_and_says_how_long_it_lasts(
    server: Api, data: bytes, content_type: str, seconds: float | None
) -> None:
    ada = server.new_user("ada")
    sent = await upload(ada, data, "hello.mp4")
    assert sent.status == 201, sent
    media = sent.body
    assert (media["kind"], media["content_type"]) == ("audio", content_type)
    # MP3 counts whole frames.
    assert media["duration_seconds"] == (pytest.approx(seconds, abs=0.025) if seconds else None)
    status, headers, kept = await load(ada, media["url"])
    assert (status, headers["Content-Type"], kept) == (200, content_type, data)
    assert "attachment" not in headers.get("Content-Disposition", "")


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        pytest.param(mp4(b"mp42", b"soun", b"vide"), "video/mp4", id="mp4"),
        pytest.param(mp4(b"mp42", b"soun")[:60], "video/mp4", id="mp4 whose tracks are cut off"),
        pytest.param(webm(2, 1), "video/webm", id="webm"),
        pytest.param(webm(2)[:-501], "video/webm", id="webm whose tracks are cut off"),
        pytest.param(webm(), "video/webm", id="webm without tracks"),
        pytest.param(theora(), "video/ogg", id="theora"),
    ],
)
async def test_what_has_a_picture_or_may_have_one_is_a_video(
    server: Api, data: bytes, content_type: str
) -> None:
    media = (await upload(server.new_user("ada"), data)).body
    assert (media["kind"], media["content_type"]) == ("video", content_type)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wav(2.0)[:8_000], id="wav that is cut off"),
        pytest.param(wav()[:20], id="wav of half a header"),
        pytest.param(opus()[:60], id="opus that is cut off"),
        pytest.param(flac()[:20], id="flac that is cut off"),
        pytest.param(mp4(b"M4A ", b"soun")[:50], id="m4a that is cut off"),
        pytest.param(flac(DAYS), id="flac of days"),
        pytest.param(opus(DAYS), id="opus of days"),
        pytest.param(mp4(b"M4A ", b"soun", seconds=DAYS), id="m4a of days"),
        pytest.param(tagged_mp3(2**28 - 1), id="tags longer than the file"),
        pytest.param(
            mp4(b"M4A ", b"soun").replace(b"\0\0\0\x6cmvhd", b"\xff\xff\xff\xffmvhd"),
            id="m4a with a header of four gigabytes",
        ),
        pytest.param(
            b"fLaC\x04\xff\xff\xff" + b"\xff" * 200, id="flac with sixteen megabytes of tags"
        ),
        pytest.param(b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff" + bytes(99), id="huge chunk"),
    ],
)
async def test_a_sound_that_cannot_be_believed_is_kept_without_a_duration(
    server: Api, data: bytes
) -> None:
    ada = server.new_user("ada")
    sent = await upload(ada, data)
    assert (sent.status, sent.body["kind"]) == (201, "audio"), sent
    assert sent.body["duration_seconds"] is None
    good = await upload(ada, wav(0.5))
    assert good.body["duration_seconds"] == 0.5, "the next sound is measured"


# --- hostile files in the worker --------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="function")
async def workers() -> AsyncIterator[ImageWorkers]:
    made = ImageWorkers(GroupLimits())
    yield made
    await made.close()


@own_loop
async def test_a_sound_that_takes_too_long_to_read_ends_its_worker_only(
    workers: ImageWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = image_workers.SOUND_SECONDS
    monkeypatch.setattr(image_workers, "SOUND_SECONDS", 0.3)
    endless, short = tmp_path / "endless", tmp_path / "short"
    # Nothing but headers of frames that are none; each must be looked at.
    endless.write_bytes(b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\0\0" * 5_000_000)
    short.write_bytes(wav(0.5))
    began = time.monotonic()
    assert await workers.duration_of(ADA, endless, "audio/mpeg") is None
    assert time.monotonic() - began < 20, "it was not read to the end, on whatever machine"
    assert workers.deaths == 1
    monkeypatch.setattr(image_workers, "SOUND_SECONDS", enough)
    assert await workers.duration_of(ADA, short, "audio/x-wav") == 0.5


@own_loop
async def test_a_sound_that_needs_too_much_memory_has_no_duration(
    workers: ImageWorkers, tmp_path: Path
) -> None:
    large, short = tmp_path / "large", tmp_path / "short"
    short.write_bytes(wav(0.5))
    with large.open("wb") as file:
        file.write(b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\x7f")
        file.truncate(2**31)  # sparse: no disk is used
    assert await workers.duration_of(ADA, large, "audio/x-wav") is None
    assert await workers.duration_of(ADA, short, "audio/x-wav") == 0.5


@own_loop
async def test_a_sound_is_kept_without_a_duration_while_too_many_wait(
    workers: ImageWorkers, tmp_path: Path
) -> None:
    short = tmp_path / "short"
    short.write_bytes(wav(0.5))
    workers.ordinary.queue = FairQueue(max_waiting=0)
    async with workers.ordinary.queue.turn(ADA):
        assert await workers.duration_of(ADA, short, "audio/x-wav") is None
        with pytest.raises(Unavailable):
            await workers.redraw(ADA, short, "image/png", tmp_path / "drawn")
    assert await workers.duration_of(ADA, short, "audio/x-wav") == 0.5


# --- messages ---------------------------------------------------------------------------------------------------------


Place = Callable[[User, User], Awaitable[str]]


async def posts(ada: User, bob: User) -> str:
    return f"{await a_channel(ada, bob)}/posts"


async def group_messages(ada: User, bob: User) -> str:
    return f"{await a_chat_group(ada, bob)}/messages"


async def chat_messages(ada: User, bob: User) -> str:
    return f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages"


async def inbox_messages(ada: User, bob: User) -> str:
    return f"{await a_channel(ada, bob)}/inbox/{part(bob.id)}/messages"


@pytest.mark.parametrize("place", [posts, group_messages, chat_messages, inbox_messages])
async def test_a_sound_is_sent_shown_and_edited_wherever_one_writes(
    server: Api, place: Place
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await place(ada, bob)
    sound = (await upload(ada, wav(), "hello.wav")).body
    assert sound["duration_seconds"] == 1.5
    body = {"kind": "audio", "audio": sound["media_id"]}
    sent = await ada.post(path, body)
    assert sent.status == 201, sent
    shown = (await ada.get(path)).items[0]
    for item in (sent.body, shown):
        assert (item["kind"], item["audio"], item["video"]) == ("audio", sound, None)
    edited = await ada.patch(f"{path}/{shown['seq']}", body | {"text": "Listen"})
    assert (edited.status, edited.body["text"], edited.body["audio"]) == (200, "Listen", sound)


async def test_lists_events_and_forwards_say_that_it_is_a_sound(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada, bob)
    ears = await bob.socket()
    sound = (await upload(ada, opus(), "hello.ogg")).body
    await ada.post(f"{channel}/posts", {"kind": "audio", "audio": sound["media_id"]})
    heard = await ears.hear("message.posted", channel_id=id_of(channel))
    assert (heard["post"]["kind"], heard["post"]["audio"]) == ("audio", sound)
    last = (await bob.get(channel)).body["last_post"]
    assert (last["kind"], last["preview"]) == ("audio", "[audio]")
    [listed] = [
        each
        for each in (await bob.get("/v1/conversations")).items
        if each["conversation_id"] == f"group_{id_of(channel)}"
    ]
    assert listed["last_message"]["kind"] == "audio"
    forward = {"forward": {"channel_id": id_of(channel), "seq": 1}}
    forwarded = await bob.post(await chat_messages(bob, ada), forward)
    assert (forwarded.body["kind"], forwarded.body["audio"]) == ("audio", sound)
    await ears.close()


async def test_a_draft_holds_a_sound_until_it_is_published(server: Api) -> None:
    ada = server.new_user("ada")
    channel = await a_channel(ada)
    sound = (await upload(ada, flac())).body
    body = {"kind": "audio", "audio": sound["media_id"]}
    draft = (await ada.post(f"{channel}/drafts", {"post": body})).body
    assert draft["post"]["audio"] == sound
    published = await ada.post(f"{channel}/drafts/{draft['draft_id']}/publish", {})
    assert published.body["audio"] == sound, published


async def test_only_a_sound_goes_with_audio_and_a_sound_still_goes_with_video_and_file(
    server: Api,
) -> None:
    ada = server.new_user("ada")
    path = f"{await a_channel(ada)}/posts"
    sound = (await upload(ada, wav())).body
    others = [(await upload(ada, data)).body for data in (MP4, b"hello there")]
    for number, field in enumerate(("audio", "video", "file"), 1):
        sent = await ada.post(path, {"kind": field, field: sound["media_id"]})
        assert (sent.status, sent.body["kind"], sent.body[field]) == (201, field, sound), sent
        assert (await ada.get(f"{path}/{number}")).body[field] == sound
    for other in others:
        refused = await ada.post(path, {"kind": "audio", "audio": other["media_id"]})
        assert refused.refusal == (400, WrongMediaKind.code)
        assert refused.body["details"]["kind"] == other["kind"]
    wrong = await ada.post(path, {"kind": "image", "images": [sound["media_id"]]})
    assert wrong.refusal == (400, WrongMediaKind.code)
    assert wrong.body["details"]["kind"] == "audio"
    for body in ({"kind": "audio"}, {"kind": "video", "audio": sound["media_id"]}):
        assert (await ada.post(path, body)).refusal == (400, "invalid_request")


# --- versions beside each other ---------------------------------------------------------------------------------------


async def test_sounds_are_stored_as_older_versions_store_and_read_them(server: Api) -> None:
    """An older process knows no media of kind `audio`: it must read what clients of its time post here."""
    ada = server.new_user("ada")
    path = f"{await a_channel(ada)}/posts"
    sound = (await upload(ada, wav())).body
    await ada.post(path, {"kind": "video", "video": sound["media_id"]})
    database = server.services.database
    record = await database.collection("media").find_one({"_id": sound["media_id"]})
    message = await database.collection("messages").find_one(
        {"content.media.media_id": sound["media_id"]}
    )
    assert record is not None
    assert message is not None
    assert (record["kind"], record["duration_seconds"]) == ("video", 1.5)
    [attachment] = message["content"]["media"]
    assert (message["content"]["kind"], attachment["kind"]) == ("video", "video")


async def test_a_sound_that_an_older_version_stored_is_one(server: Api) -> None:
    ada = server.new_user("ada")
    path = f"{await a_channel(ada)}/posts"
    sound = (await upload(ada, wav())).body
    await server.services.database.collection("media").update_one(
        {"_id": sound["media_id"]}, {"$unset": {"duration_seconds": ""}}
    )
    sent = await ada.post(path, {"kind": "audio", "audio": sound["media_id"]})
    assert sent.status == 201, sent
    assert (sent.body["audio"]["kind"], sent.body["audio"]["duration_seconds"]) == ("audio", None)
    stored = {"media_id": "a", "kind": "video", "content_type": "audio/mpeg", "size_bytes": 1}
    assert Attachment.from_stored(stored).kind is MediaKind.AUDIO
    assert Attachment.from_stored(stored | {"content_type": "video/mp4"}).kind is MediaKind.VIDEO


# --- for whoever has no account ---------------------------------------------------------------------------------------


async def test_the_public_page_and_the_feeds_offer_a_sound(server: Api) -> None:
    ada = server.new_user("ada")
    channel = await a_channel(ada)
    sound = (await upload(ada, mp4(b"M4A ", b"soun", seconds=65, size=9_000), "Episode 1.m4a")).body
    await ada.post(f"{channel}/posts", {"kind": "audio", "audio": sound["media_id"], "text": "One"})
    nobody = server.bearer(None)
    page = f"/c/{part(id_of(channel).removeprefix('@TOA#_'))}"
    text = (await nobody.get(page)).text
    assert f'<a href="{sound["url"]}" dir="auto">Episode 1.m4a</a> (1:05)' in text
    entry = ET.fromstring((await nobody.get(f"{page}/feed.atom")).text).find(f"{ATOM}entry")
    assert entry is not None
    [enclosure] = [
        link.attrib for link in entry.iter(f"{ATOM}link") if link.get("rel") == "enclosure"
    ]
    size = str(sound["size_bytes"])
    assert (enclosure["href"], enclosure["type"]) == (sound["url"], "audio/mp4")
    assert enclosure["length"] == size
    item = ET.fromstring((await nobody.get(f"{page}/feed.rss")).text).find("channel/item/enclosure")
    assert item is not None
    assert item.attrib == {"url": sound["url"], "length": size, "type": "audio/mp4"}
    [told] = (await nobody.get(f"{page}/feed.json")).body["items"]
    assert told["attachments"] == [
        {
            "url": sound["url"],
            "mime_type": "audio/mp4",
            "size_in_bytes": sound["size_bytes"],
            "title": "Episode 1.m4a",
            "duration_in_seconds": 65.0,
        }
    ]
