"""What the application's back end does for its users: create for them, list what they have, set their profiles."""

from typing import Any, Final

import pytest

from tests.api import Api, User, a_channel, a_chat_group, a_post, all_pages, fresh, id_of, part
from tests.conftest import OpenApi
from tests.groups.test_media import an_image, load, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED: Final = (403, "permission_denied")


@pytest.fixture
def root(shared_api: Api) -> User:
    return shared_api.new_user("root", admin=True)


@pytest.mark.parametrize(
    ("path", "body", "theirs"),
    [
        ("/v1/channels", {"name": "News"}, "/v1/channels?owned=true"),
        ("/v1/groups", {"name": "Tea", "type": "public"}, "/v1/groups?joined=true"),
    ],
)
async def test_the_application_creates_for_another_owner(
    shared_api: Api, root: User, path: str, body: dict[str, Any], theirs: str
) -> None:
    ada = shared_api.new_user("ada")
    ears = await ada.socket()
    for_ada = {**body, "owner_id": ada.id}
    created = await root.post(path, for_ada, idempotency_key="once")
    assert created.status == 201
    assert (created.body["owner_id"], created.body["role"]) == (ada.id, None)
    again = await root.post(path, for_ada, idempotency_key="once")
    assert again.body == created.body
    other = await root.post(path, {**body, "owner_id": root.id}, idempotency_key="once")
    assert other.refusal == (409, "idempotency_conflict")
    [own] = (await ada.get(theirs)).items
    assert (own["role"], own["owner_id"]) == ("owner", ada.id)
    # Their open socket receives it, like a group that they created themselves.
    id_name = "channel_id" if path == "/v1/channels" else "group_id"
    own_path = f"{path}/{part(own[id_name])}"
    await a_post(ada, own_path)
    assert (await ears.hear("message.posted"))["seq"] == 1
    await ears.close()
    assert (await ada.delete(own_path)).status == 204
    assert (await ada.post(path, for_ada)).refusal == REFUSED
    assert (await ada.post(path, body)).status == 201


async def test_the_admin_log_names_the_application(shared_api: Api, root: User) -> None:
    ada = shared_api.new_user("ada")
    created = await root.post("/v1/channels", {"name": "News", "owner_id": ada.id})
    path = f"/v1/channels/{part(created.body['channel_id'])}"
    [entry] = (await ada.get(f"{path}/admin-log")).items
    assert (entry["action"], entry["actor_id"], entry["by_app"]) == (
        "channel_created",
        root.id,
        True,
    )
    assert (await ada.get(path)).body["subscriber_count"] == 1
    group = await a_chat_group(ada)
    both = {"name": "News", "group_id": id_of(group), "owner_id": ada.id}
    assert (await root.post("/v1/channels", both)).refusal == (400, "invalid_request")


async def test_the_application_lists_what_a_user_is_in(shared_api: Api, root: User) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    own, joined = await a_channel(ada), await a_channel(bob, ada)
    private = await a_channel(bob, ada, settings={"visibility": "private"})
    groups = [await a_chat_group(bob, ada), await a_chat_group(ada)]
    base = f"/v1/users/{ada.id}"

    def ids(pages: list[list[Any]], name: str) -> list[str]:
        return [item[name] for page in pages for item in page]

    channels = sorted(map(id_of, [own, joined, private]))
    pages = await all_pages(root, f"{base}/channels", limit=2)
    assert (ids(pages, "channel_id"), [len(page) for page in pages]) == (channels, [2, 1])
    roles = {item["channel_id"]: item["role"] for page in pages for item in page}
    assert roles == {id_of(own): "owner", id_of(joined): "member", id_of(private): "member"}
    owned = await all_pages(root, f"{base}/channels?owned=true")
    assert ids(owned, "channel_id") == [id_of(own)]
    every = sorted([*channels, *map(id_of, groups)])
    assert ids(await all_pages(root, f"{base}/groups", limit=2), "group_id") == every
    for path in (f"{base}/channels", f"{base}/channels?owned=true", f"{base}/groups"):
        assert (await ada.get(path)).refusal == REFUSED
    nobody = f"/v1/users/{fresh('nobody')}"
    assert (await root.get(f"{nobody}/groups")).items == []
    assert (await root.get(f"{nobody}/channels")).items == []


@pytest.mark.asyncio(loop_scope="function")
async def test_the_application_lists_all_groups(api: OpenApi) -> None:
    server = await api()
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    private = await a_channel(ada, settings={"visibility": "private"})
    of_type: dict[str, list[str]] = {"community": [id_of(private)]}
    for kind in ("work", "public", "meeting", "community", "work"):
        made = await ada.post("/v1/groups", {"type": kind, "name": "Tea"})
        of_type.setdefault(kind, []).append(made.body["group_id"])

    async def listed(query: str) -> list[str]:
        pages = await all_pages(root, f"/v1/groups?all=true{query}", limit=2)
        return [item["group_id"] for page in pages for item in page]

    assert await listed("") == sorted(i for group_ids in of_type.values() for i in group_ids)
    for kind, group_ids in of_type.items():
        assert await listed(f"&type={kind}") == sorted(group_ids)
    assert (await ada.get("/v1/groups?all=true")).refusal == REFUSED
    assert (await root.get("/v1/groups?type=work")).refusal == (400, "invalid_request")
    first = await root.get("/v1/groups?all=true&limit=1")
    elsewhere = f"/v1/groups?all=true&type=work&cursor={first.body['next_cursor']}"
    assert (await root.get(elsewhere)).refusal == (400, "bad_cursor")


async def test_the_application_sets_many_profiles(shared_api: Api, root: User) -> None:
    ada, bob, cid = (fresh(name) for name in ("ada", "bob", "cid"))
    users = [
        {"user_id": ada, "name": "Ada", "face_url": "https://example.org/a.png"},
        {"user_id": bob, "name": "B" * 151},
        {"user_id": cid},
        {"user_id": "me", "name": "Me"},
        {"user_id": ada, "name": "Another Ada"},
        {"user_id": bob, "face_url": "/v1/media/none"},
        {"user_id": cid, "name": "Cid", "age": 7},
        17,
    ]
    items = (await root.post("/v1/users", {"users": users})).items
    assert [item.get("error", {}).get("code") for item in items] == [
        *(None, "field_too_long", None, "invalid_request", "invalid_request"),
        *("media_not_found", "invalid_request", "invalid_request"),
    ]
    assert [item["user_id"] for item in items] == [ada, bob, cid, "me", ada, bob, cid, ""]
    known = {"account_kind": "person"}
    of_ada = {"user_id": ada, "name": "Ada", "face_url": "https://example.org/a.png", **known}
    assert items[0] == of_ada
    assert items[2] == {"user_id": cid, "name": "", "face_url": "", **known}
    # What is left out stays, and a repeat changes nothing.
    changes = {"users": [{"user_id": ada, "name": "Ada L."}, {"user_id": bob, "name": "Bob"}]}
    for _ in range(2):
        items = (await root.post("/v1/users", changes)).items
        assert items[0] == of_ada | {"name": "Ada L."}
        assert items[1] == {"user_id": bob, "name": "Bob", "face_url": "", **known}
    refused = await shared_api.user_of(ada).post("/v1/users", changes)
    assert refused.refusal == REFUSED
    assert (await root.post("/v1/users", {"users": []})).items == []


@pytest.mark.asyncio(loop_scope="function")
async def test_an_uploaded_picture_is_kept_for_each_user_who_shows_it(api: OpenApi) -> None:
    server = await api()
    root, ada = server.new_user("root", admin=True, hours=99), server.new_user("ada", hours=99)
    url = (await upload(root, an_image())).body["url"]
    users = [{"user_id": user_id, "face_url": url} for user_id in (ada.id, fresh("bob"))]
    items = (await root.post("/v1/users", {"users": users})).items
    assert [item["face_url"] for item in items] == [url, url]
    server.clock.move(seconds=25 * 3600)
    for user in users:
        await server.services.chat.media.sweep()
        assert (await load(ada, url))[0] == 200
        without = {"users": [user | {"face_url": ""}]}
        assert (await root.post("/v1/users", without)).items[0]["face_url"] == ""
    await server.services.chat.media.sweep()
    assert (await load(ada, url))[0] == 404


@pytest.mark.asyncio(loop_scope="function")
async def test_the_number_of_users_in_a_call_is_limited(api: OpenApi) -> None:
    server = await api(users_per_call=2)
    root = server.new_user("root", admin=True)
    users = [{"user_id": f"user-{number}", "name": "Name"} for number in range(3)]
    assert len((await root.post("/v1/users", {"users": users[:2]})).items) == 2
    refused = await root.post("/v1/users", {"users": users})
    assert refused.refusal == (400, "invalid_request")
    assert (await root.get("/v1/users/user-2")).refusal == (404, "user_not_found")
