"""Uploads over HTTP: received, redrawn, served whole and in ranges, used by messages, deleted."""

import io
import struct
import zipfile
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from multidict import CIMultiDictProxy
from PIL import Image

from channels.limits import Limits
from groups.models import MediaSize
from tests.api import Answer, Api, MovedClock, User, fresh, part
from tests.conftest import OpenApi
from tests.sounds import wav

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")


GPS_IFD = 0x8825
ORIENTATION = 0x0112
LEFT_SIDE_DOWN = 6


def an_image(size: tuple[int, int] = (60, 40), kind: str = "PNG", **options: Any) -> bytes:
    """An image whose left half is red."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo() -> bytes:
    """A JPEG of a camera that was held upright, with its position."""
    exif = Image.Exif()
    exif[ORIENTATION] = LEFT_SIDE_DOWN
    exif[0x010F] = "Camera maker"
    exif.get_ifd(GPS_IFD)[1] = "N"
    return an_image(kind="JPEG", exif=exif, comment=b"taken at home")


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=80, loop=0)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes whose header claims 3.6 billion pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 180_001)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.txt", "hello")
    return file.getvalue()


MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500)


async def upload(user: User, data: bytes, name: str = "") -> Answer:
    return await user.call("POST", "/v1/media", data=data, headers={"X-File-Name": part(name)})


async def load(user: User, path: str, **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
    """Load a file as a page does, without a token."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as http,
        http.get(user.base + path, headers=named) as response,
    ):
        return response.status, response.headers, await response.read()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shared_api: Api) -> Api:
    """One server for all tests, which use users and channels of their own."""
    return shared_api


async def test_a_photo_is_turned_upright_and_loses_its_metadata(server: Api) -> None:
    ada = server.new_user("ada")
    sent = await upload(ada, photo(), "me.jpg")
    assert sent.status == 201, sent
    media = sent.body
    assert (media["kind"], media["content_type"]) == ("image", "image/jpeg")
    assert (media["width"], media["height"]) == (40, 60)
    _, _, data = await load(ada, media["url"])
    assert b"Camera maker" not in data
    assert b"taken at home" not in data
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.size == (40, 60)
        assert not shown.getexif()
        # The camera's left side was down, so the left half is at the top.
        red, _, blue = shown.convert("RGB").getpixel((20, 5))  # type: ignore[misc]  # a triple for RGB
        assert red > blue


@pytest.mark.parametrize("size", ["thumb", "large"])
async def test_an_image_has_smaller_versions(server: Api, size: str) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, an_image((3000, 1500)))).body
    status, headers, data = await load(ada, media[f"{size}_url"])
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    edge = {"thumb": 320, "large": 1280}[size]
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.size == (edge, edge // 2)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_an_animation_stays_an_animation(server: Api, kind: str) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, animation(kind))).body
    _, _, data = await load(ada, media["url"])
    with Image.open(io.BytesIO(data)) as shown:
        assert getattr(shown, "n_frames", 1) == 3


@pytest.mark.parametrize(
    "make",
    [bomb, lambda: an_image((200, 200))[:150], lambda: an_image() + archive()],
    ids=["bomb", "cut off", "image and archive"],
)
async def test_a_malicious_image_is_refused(server: Api, make: Callable[[], bytes]) -> None:
    ada = server.new_user("ada")
    assert (await upload(ada, an_image())).status == 201
    assert (await upload(ada, make())).refusal == (400, "bad_media")


async def test_an_archive_named_like_an_image_is_a_file(server: Api) -> None:
    ada = server.new_user("ada")
    sent = archive()  # made once, since it contains the time at which it was made
    media = (await upload(ada, sent, "cat.png")).body
    assert (media["kind"], media["content_type"]) == ("file", "application/zip")
    _, headers, data = await load(ada, media["url"])
    assert data == sent
    assert headers["Content-Disposition"].startswith('attachment; filename="cat.png"')
    assert headers["X-Content-Type-Options"] == "nosniff"


async def upload_in_a_form(user: User, data: bytes) -> Answer:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = head + data + b"\r\n--x--\r\n"
    return await user.call("POST", "/v1/media", data=body, headers=headers)


@own_loop
@pytest.mark.parametrize("send", [upload, upload_in_a_form])
@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
async def test_an_upload_has_a_limit_of_bytes(
    api: OpenApi, kind: str, send: Callable[[User, bytes], Awaitable[Answer]]
) -> None:
    data = {
        "image": an_image((400, 400), "PNG", compress_level=0),
        "video": MP4,
        "audio": wav(),
        "file": b"hello there",
    }[kind]
    limits: dict[str, Any] = {f"{kind}_bytes": len(data)}
    server = await api(**limits)
    ada = server.new_user("ada")
    assert (await send(ada, data)).status == 201
    refused = await send(ada, data + b"\0")
    assert refused.refusal == (413, "media_too_large")
    assert refused.body["details"]["limit_bytes"] == len(data)


async def test_a_form_may_carry_the_file(server: Api) -> None:
    ada = server.new_user("ada")
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("note", "not this")
    form.add_field("file", MP4, filename="../../film\u202e.mp4", content_type="text/html")
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.http.post(ada.base + "/v1/media", data=form, headers=headers) as response:
        assert response.status == 201
        media = await response.json()
    assert (media["kind"], media["content_type"]) == ("video", "video/mp4")
    assert media["name"] == "film.mp4"


async def test_a_form_without_a_file_is_refused(server: Api) -> None:
    ada = server.new_user("ada")
    form = aiohttp.FormData({"note": "x"}, default_to_multipart=True)
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.http.post(ada.base + "/v1/media", data=form, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_request")


async def test_an_empty_upload_is_refused(server: Api) -> None:
    assert (await upload(server.new_user("ada"), b"")).refusal == (400, "bad_media")


async def test_nobody_uploads_without_a_token(server: Api) -> None:
    nobody = server.new_user("ada")
    nobody.token = None
    assert (await upload(nobody, an_image())).refusal == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("asked", "wanted", "said"),
    [
        ("bytes=0-3", slice(0, 4), "bytes 0-3/500"),
        ("bytes=490-", slice(490, 500), "bytes 490-499/500"),
        ("bytes=-5", slice(495, 500), "bytes 495-499/500"),
        ("bytes=499-9999", slice(499, 500), "bytes 499-499/500"),
    ],
)
async def test_a_range_is_sent(server: Api, asked: str, wanted: slice, said: str) -> None:
    ada = server.new_user("ada")
    data = bytes(range(250)) * 2
    media = (await upload(ada, data)).body
    status, headers, got = await load(ada, media["url"], Range=asked)
    assert (status, headers["Content-Range"]) == (206, said)
    assert got == data[wanted]


async def test_a_range_after_the_end_is_refused(server: Api) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, bytes(500))).body
    status, headers, _ = await load(ada, media["url"], Range="bytes=500-")
    assert (status, headers["Content-Range"]) == (416, "bytes */500")


@pytest.mark.parametrize("asked", ["bytes=5-2", "lines=0-3", "bytes=0-1,3-4", "bytes=-"])
async def test_an_invalid_range_header_is_ignored(server: Api, asked: str) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, bytes(500))).body
    assert (await load(ada, media["url"], Range=asked))[0] == 200


async def test_a_client_that_has_the_file_gets_304(server: Api) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, an_image())).body
    _, headers, _ = await load(ada, media["url"])
    assert "immutable" in headers["Cache-Control"]
    assert (await load(ada, media["url"], If_None_Match=headers["ETag"]))[0] == 304
    assert (await load(ada, media["url"], If_None_Match='"else"'))[0] == 200


async def test_an_unknown_id_is_not_found(server: Api) -> None:
    ada = server.new_user("ada")
    assert (await ada.get("/v1/media/abc")).refusal == (404, "media_not_found")
    text = (await upload(ada, b"hello there")).body
    assert text["thumb_url"] is None
    assert (await ada.get(f"{text['url']}?size=thumb")).refusal == (404, "media_not_found")


# --- messages that carry them -----------------------------------------------------------------------------------------


async def channel_of(user: User) -> str:
    name = fresh("pictures")
    made = await user.post("/v1/channels", {"channel_id": f"@TOA#_{name}", "name": name})
    assert made.status == 201, made
    return f"/v1/channels/{name}"


Post = Callable[[Any], Awaitable[Answer]]


async def test_posts_of_every_kind_show_their_uploads(server: Api) -> None:
    ada = server.new_user("ada")
    channel = await channel_of(ada)
    image = (await upload(ada, an_image())).body
    video = (await upload(ada, MP4, "a.mp4")).body
    file = (await upload(ada, b"hello there", "a.txt")).body
    place = {"latitude": 22.5, "longitude": 114.1, "name": "Office", "address": ""}
    wanted: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"kind": "image", "images": [image["media_id"]] * 10}, {"images": [image] * 10}),
        (
            {"kind": "text_and_image", "text": "Look", "images": [image["media_id"]]},
            {"text": "Look", "images": [image]},
        ),
        ({"kind": "video", "video": video["media_id"]}, {"video": video}),
        ({"kind": "file", "file": file["media_id"], "title": "Notes"}, {"file": file}),
        ({"kind": "location", "location": place}, {"location": place}),
    ]
    for seq, (body, shown) in enumerate(wanted, 1):
        seen = await ada.post(f"{channel}/posts/preview", body)
        posted = await ada.post(f"{channel}/posts", body)
        assert posted.status == 201, posted
        for answer in (seen, posted, await ada.get(f"{channel}/posts/{seq}")):
            assert {name: answer.body[name] for name in shown} == shown
            assert answer.body["kind"] == body["kind"]
        assert seen.body["seq"] == seq


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"kind": "image"}, (400, "invalid_request")),
        ({"kind": "text_and_image", "images": ["x"]}, (400, "invalid_request")),
        ({"kind": "text", "text": "x", "images": ["x"]}, (400, "invalid_request")),
        ({"kind": "image", "images": ["x"]}, (404, "media_not_found")),
        (
            {"kind": "location", "location": {"latitude": 91, "longitude": 0}},
            (400, "invalid_request"),
        ),
    ],
)
async def test_an_upload_that_does_not_fit_the_message_kind_is_refused(
    server: Api, change: dict[str, Any], refusal: tuple[int, str]
) -> None:
    ada = server.new_user("ada")
    channel = await channel_of(ada)
    assert (await ada.post(f"{channel}/posts", change)).refusal == refusal
    assert (await ada.post(f"{channel}/posts/preview", change)).refusal == refusal
    assert (await ada.get(f"{channel}/posts")).items == []


async def test_a_video_is_not_an_image_and_another_user_s_upload_is_refused(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await channel_of(ada)
    video = (await upload(ada, MP4)).body["media_id"]
    wrong = await ada.post(f"{channel}/posts", {"kind": "image", "images": [video]})
    assert wrong.refusal == (400, "wrong_media_kind")
    his = (await upload(bob, an_image())).body["media_id"]
    taken = await ada.post(f"{channel}/posts", {"kind": "image", "images": [his]})
    assert taken.refusal == (404, "media_not_found")


async def test_eleven_images_are_too_many(server: Api) -> None:
    ada = server.new_user("ada")
    channel = await channel_of(ada)
    image = (await upload(ada, an_image())).body["media_id"]
    refused = await ada.post(f"{channel}/posts", {"kind": "image", "images": [image] * 11})
    assert refused.refusal == (400, "invalid_request")


async def test_only_users_who_may_post_get_a_preview(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await channel_of(ada)
    await bob.put(f"{channel}/subscription")
    body = {"kind": "text", "text": "Soon"}
    seen = await ada.post(f"{channel}/posts/preview", body)
    assert (seen.status, seen.body["text"], seen.body["author_id"]) == (200, "Soon", None)
    assert (await bob.post(f"{channel}/posts/preview", body)).refusal == (
        403,
        "posting_not_allowed",
    )
    assert (await bob.get(f"{channel}/posts")).items == []


# --- how long they stay -----------------------------------------------------------------------------------------------


@pytest.fixture
async def moved(api: OpenApi) -> tuple[Api, MovedClock]:
    clock = MovedClock()
    return await api(clock=clock), clock


@own_loop
async def test_an_unused_upload_is_deleted_after_a_day(moved: tuple[Api, MovedClock]) -> None:
    server, clock = moved
    ada = server.new_user("ada")
    channel = await channel_of(ada)
    unused = (await upload(ada, an_image())).body
    used = (await upload(ada, an_image())).body
    await ada.post(f"{channel}/posts", {"kind": "image", "images": [used["media_id"]]})
    clock.move(seconds=Limits().unused_media_seconds - 60)
    assert await server.services.chat.media.sweep() == 0
    clock.move(seconds=120)
    assert await server.services.chat.media.sweep() == 1
    assert (await ada.get(unused["url"])).refusal == (404, "media_not_found")
    assert (await load(ada, used["url"]))[0] == 200
    files = server.services.database.collection("blobs.files")
    chunks = server.services.database.collection("blobs.chunks")
    assert await files.estimated_document_count() == len(MediaSize)
    assert await chunks.estimated_document_count() == len(MediaSize)


@own_loop
@pytest.mark.parametrize("how", ["recall", "edit", "delete"])
async def test_a_deleted_post_releases_its_uploads(moved: tuple[Api, MovedClock], how: str) -> None:
    server, clock = moved
    ada = server.new_user("ada")
    channel = await channel_of(ada)
    media = (await upload(ada, an_image())).body
    body = {"kind": "image", "images": [media["media_id"]]}
    assert [(await ada.post(f"{channel}/posts", body)).status for _ in range(2)] == [201, 201]
    await ada.delete(f"{channel}/posts/1")
    clock.move(seconds=1)
    assert await server.services.chat.media.sweep() == 0, "the second post still holds it"
    if how == "recall":
        await ada.delete(f"{channel}/posts/2")
    elif how == "edit":
        await ada.patch(f"{channel}/posts/2", {"kind": "text", "text": "none"})
    else:
        await ada.delete(channel)
        await server.services.chat.cleanup.wait()
    clock.move(seconds=1)
    assert await server.services.chat.media.sweep() == 1
    assert (await ada.get(media["url"])).refusal == (404, "media_not_found")


async def test_an_edit_by_another_admin_keeps_the_images(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await channel_of(ada)
    await bob.put(f"{channel}/subscription")
    assert (await ada.put(f"{channel}/admins/{bob.id}")).status == 200
    media = (await upload(ada, an_image())).body
    body = {"kind": "text_and_image", "text": "one", "images": [media["media_id"]]}
    await ada.post(f"{channel}/posts", body)
    edited = await bob.patch(f"{channel}/posts/1", {**body, "text": "two"})
    assert edited.status == 200, edited
    assert edited.body["images"] == [media]
    kept = server.services.database.collection("media")
    record = await kept.find_one({"_id": media["media_id"]})
    assert record is not None
    assert (record["uses"], record["expires_at"]) == (1, None)


async def test_json_is_no_upload_unless_it_is_named_as_a_file(server: Api) -> None:
    ada = server.new_user("ada")
    data, as_json = b'{"file": "aGVsbG8="}', {"Content-Type": "application/json"}
    refused = await ada.call("POST", "/v1/media", data=data, headers=as_json)
    assert refused.refusal == (415, "unsupported_media_type")
    assert refused.body["details"] == {"content_type": "application/json"}
    assert "X-File-Name" in refused.body["detail"]
    for headers in (as_json | {"X-File-Name": "prices.json"}, {"Content-Type": "text/plain"}):
        sent = await ada.call("POST", "/v1/media", data=data, headers=headers)
        assert (sent.status, sent.body["kind"]) == (201, "file")
