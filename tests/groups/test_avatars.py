"""Names and avatars of users, wherever they are shown; avatars that were uploaded here."""

from typing import Any

import pytest
import pytest_asyncio

from groups.kernel.mongo import Database
from tests.api import Api, User, a_channel, a_chat_group, a_post, part
from tests.conftest import OpenApi
from tests.groups.test_media import MP4, an_image, load, upload
from tests.groups.test_media_records import told

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")


ME = "/v1/users/me"
WEB = "https://example.org/a.png"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shared_api: Api) -> Api:
    """One server for all tests, which use users and channels of their own."""
    return shared_api


# --- where users are shown --------------------------------------------------------------------------------------------


@own_loop
async def test_a_changed_name_is_shown_at_once_by_every_process(
    api: OpenApi, second_database: Database
) -> None:
    servers = [await api(), await api(database=second_database)]
    ada, bob, cat = (servers[0].new_user(name) for name in ("ada", "bob", "cat"))
    chat = await a_chat_group(ada, bob, join_option="approval")
    news = await a_channel(ada, bob)
    message = f"{chat}/messages/{(await a_post(bob, chat))['seq']}"
    post = f"{news}/posts/{(await a_post(ada, news))['seq']}"
    thumb = part("👍")
    await bob.put(f"{message}/reactions/{thumb}")
    await bob.put(f"{post}/reactions/{thumb}")
    await cat.put(f"{chat}/members/me", {"text": "Me?"})
    for user in (bob, cat):
        for number in range(2):
            shows = {"name": f"{user.id} {number}", "face_url": f"{WEB}?{number}"}
            as_stored = {"user_id": user.id, "account_kind": "person", **shows}
            assert (await user.patch(ME, shows)).body == as_stored | {"restriction": None}
            for server in servers:
                eyes = server.user_of(ada.id)
                shown = await shown_as(eyes, user, chat, news, message, post)
                assert shown == [(shows["name"], shows["face_url"])] * len(shown)
                assert len(shown) == (6 if user is bob else 2)


async def shown_as(
    eyes: User, user: User, chat: str, news: str, message: str, post: str
) -> list[tuple[str, str]]:
    """The name and avatar of the user in every place that shows them."""
    thumb = part("👍")
    lists = [
        f"{chat}/members",
        f"{news}/subscribers",
        f"{message}/reactions/{thumb}",
        f"{post}/reactions/{thumb}",
        f"{chat}/join-requests",
    ]
    found: list[dict[str, Any]] = []
    for path in lists:
        found += (await eyes.get(path)).items
    found.append((await eyes.get(f"/v1/users/{part(user.id)}")).body)
    shown = [(one["name"], one["face_url"]) for one in found if one["user_id"] == user.id]
    said = [*(await eyes.get(f"{chat}/messages")).items, (await eyes.get(message)).body]
    senders = [(one["sender_name"], one["sender_face_url"]) for one in said]
    if user.id == said[0]["sender_id"]:
        assert senders[0] == senders[1]
        shown.append(senders[0])
    return shown


async def test_a_sender_is_named_only_where_they_may_be_known(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await ada.patch(ME, {"name": "Ada"})
    chat, news = await a_chat_group(ada, bob), await a_channel(ada, bob)
    assert (await ada.post(f"{chat}/messages", {"kind": "text", "text": "x"})).body[
        "sender_name"
    ] == "Ada"
    await a_post(ada, news)
    await a_post(bob, chat)
    own, first = (await bob.get(f"{chat}/messages")).items
    assert (own["sender_id"], own["sender_name"]) == (bob.id, "")
    assert (first["sender_id"], first["sender_name"]) == (ada.id, "Ada")
    through = news.replace("/channels/", "/groups/")
    (hidden,) = (await bob.get(f"{through}/messages")).items
    assert (hidden["sender_id"], hidden["sender_name"], hidden["sender_face_url"]) == (None,) * 3
    (known,) = (await ada.get(f"{through}/messages")).items
    assert (known["sender_id"], known["sender_name"]) == (ada.id, "Ada")
    await ada.delete(f"{chat}/messages/1")
    recalled = (await bob.get(f"{chat}/messages/1")).body
    assert (recalled["sender_id"], recalled["sender_name"]) == (None, None)


@pytest.mark.parametrize(
    ("field", "longest", "limit"),
    [("name", "故" * 50, 150), ("face_url", WEB + "é" * ((500 - len(WEB)) // 2), 500)],
)
async def test_the_fields_of_a_profile_have_limits_of_bytes(
    server: Api, field: str, longest: str, limit: int
) -> None:
    ada = server.new_user("ada")
    longest += "x" * (limit - len(longest.encode()))
    assert (await ada.patch(ME, {field: longest})).status == 200
    refused = await ada.patch(ME, {field: longest + "x"})
    assert refused.refusal == (400, "field_too_long")
    assert refused.body["details"] == {"field": field, "limit_bytes": limit}
    assert (await ada.get(ME)).body[field] == longest


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "   ", "\ud800", None, 7])
async def test_a_name_is_one_visible_line_or_empty(server: Api, name: object) -> None:
    ada = server.new_user("ada")
    for good in ("Ada", ""):
        assert (await ada.patch(ME, {"name": good})).body["name"] == good
    assert (await ada.patch(ME, {"name": name})).refusal == (400, "invalid_request")


# --- uploaded avatars -------------------------------------------------------------------------------------------------

BAD = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:image/png;base64,AAAA",
    "file:///etc/passwd",
    "//example.org/a.png",
    "/v1/media/",
    "/v1/media/../channels",
    "/v1/media/abc/../../x",
    "/v1/media/abc?size=original&x=1",
    "/v1/media/ABC",
    "/v1/users/me",
    "v1/media/abc",
]


@pytest.mark.parametrize("url", BAD)
async def test_an_avatar_is_a_web_address_or_an_upload(server: Api, url: str) -> None:
    ada = server.new_user("ada")
    places = [ME, await a_channel(ada), await a_chat_group(ada)]
    for place in places:
        assert (await ada.patch(place, {"face_url": WEB})).status == 200
        assert (await ada.patch(place, {"face_url": url})).refusal == (400, "invalid_request")
        assert (await ada.get(place)).body["face_url"] == WEB


async def places_of(ada: User) -> list[str]:
    return [ME, await a_channel(ada), await a_chat_group(ada)]


async def test_an_uploaded_avatar_is_kept_while_it_is_shown(server: Api) -> None:
    ada = server.new_user("ada")
    places = await places_of(ada)
    url = (await upload(ada, an_image())).body["url"]
    for place in places:
        for spelling in (url, f"{url}?size=thumb", url):
            changed = await ada.patch(place, {"face_url": spelling})
            assert (changed.status, changed.body["face_url"]) == (200, spelling)
    server.clock.move(seconds=25 * 3600)
    await server.services.chat.media.sweep()
    for place in places:
        assert (await load(ada, url))[0] == 200
        let_go = await server.user_of(ada.id).patch(place, {"face_url": ""})
        assert let_go.status == 200
        await server.services.chat.media.sweep()
    assert (await load(ada, url))[0] == 404


async def test_an_avatar_is_released_with_its_channel(server: Api) -> None:
    ada = server.new_user("ada")
    url = (await upload(ada, an_image())).body["url"]
    path = await a_channel(ada, face_url=url)
    server.clock.move(seconds=25 * 3600)
    ada = server.user_of(ada.id)
    await server.services.chat.media.sweep()
    assert (await load(ada, url))[0] == 200
    assert (await ada.delete(path)).status == 204
    await server.services.chat.media.sweep()
    assert (await load(ada, url))[0] == 404


async def test_only_one_s_own_uploads_may_be_avatars(server: Api) -> None:
    ada, eve = server.new_user("ada"), server.new_user("eve")
    mine = (await upload(ada, an_image())).body["url"]
    video = (await upload(ada, MP4)).body["url"]
    for place in await places_of(ada):
        assert (await ada.patch(place, {"face_url": mine})).status == 200
        refused = await ada.patch(place, {"face_url": video})
        assert refused.refusal == (400, "wrong_media_kind")
        refused = await ada.patch(place, {"face_url": f"/v1/media/{'a' * 32}"})
        assert refused.refusal == (404, "media_not_found")
        assert (await ada.get(place)).body["face_url"] == mine
    for place in await places_of(eve):
        assert (await eve.patch(place, {"face_url": mine})).refusal == (404, "media_not_found")
    created = await eve.post("/v1/channels", {"name": "x", "face_url": mine})
    assert created.refusal == (404, "media_not_found")


async def test_an_admin_may_keep_the_avatar_that_another_uploaded(server: Api) -> None:
    ada, adm = server.new_user("ada"), server.new_user("adm")
    path = await a_channel(ada, admins=(adm,))
    url = (await upload(ada, an_image())).body["url"]
    assert (await ada.patch(path, {"face_url": url})).status == 200
    assert (await adm.patch(path, {"face_url": url, "name": "New"})).status == 200
    assert (await adm.patch(path, {"face_url": ""})).status == 200
    assert (await adm.patch(path, {"face_url": url})).refusal == (404, "media_not_found")


async def test_verify_counts_the_avatars_of_groups_and_users(server: Api) -> None:
    ada = server.new_user("ada")
    database = server.services.database
    media = (await upload(ada, an_image())).body
    for place in await places_of(ada):
        assert (await ada.patch(place, {"face_url": f"{media['url']}?size=large"})).status == 200
    assert await told(database) == []
    uploads = database.collection("media")
    await uploads.update_one({"_id": media["media_id"]}, {"$set": {"uses": 0}})
    # The uploader has these unused bytes, too.
    assert len(await told(database, repair=True)) == 2
    assert await told(database) == []
    (row,) = await uploads.find({"_id": media["media_id"]}).to_list(None)
    assert (row["uses"], row["expires_at"]) == (3, None)
    assert (await ada.patch(ME, {"face_url": WEB})).status == 200
    assert await told(database) == []
