"""Business accounts: they create and run channels, and do nothing as a person; one id is one kind of account."""

import asyncio
from typing import Final

import pytest

from channels.server.options import ServiceOptions
from channels.server.realtime.close_codes import CloseCode
from groups.kernel.mongo import Database
from tests.api import (
    AS_LINES,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    fresh,
    id_of,
    part,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_PERSON: Final = (403, "business_account")
BUSINESS: Final = (409, "not_a_person")
OTHER_KIND: Final = (401, "wrong_account_kind")
TEXT: Final = {"kind": "text", "text": "Hello"}


async def a_business(api: Api) -> User:
    """A business account that has acted once, so that the server knows it."""
    shop = api.new_user("shop", business=True)
    assert (await shop.get("/v1/users/me")).body["account_kind"] == "business"
    return shop


async def test_a_business_account_creates_and_runs_its_channel(shared_api: Api) -> None:
    shop, ada = await a_business(shared_api), shared_api.new_user("ada")
    path = await a_channel(shop)
    assert (await shop.get(path)).body["subscriber_count"] == 1
    assert (await ada.put(f"{path}/subscription")).status == 200
    ears = await ada.socket()
    post = await a_post(shop, path)
    assert (await ears.hear("message.posted"))["seq"] == post["seq"]
    await ears.close()
    assert (await shop.patch(f"{path}/posts/1", TEXT | {"text": "Hi"})).status == 200
    assert (await shop.patch(path, {"name": "Shop News"})).status == 200
    assert (await shop.post(f"{path}/drafts", {"post": TEXT})).status == 201
    for what in ("subscribers", "admins", "insights", "admin-log", "inbox/unread"):
        assert (await shop.get(f"{path}/{what}")).status == 200, what
    assert (await shop.get("/v1/unread")).status == 200
    assert (await shop.patch("/v1/users/me", {"name": "Shop"})).body == {
        "user_id": shop.id,
        "name": "Shop",
        "face_url": "",
        "account_kind": "business",
        "restriction": None,
    }
    dialogue = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    assert (await ada.post(dialogue, TEXT)).status == 201
    answered = await shop.post(f"{path}/inbox/{ada.id}/messages", TEXT)
    assert answered.status == 201
    thumb = part("👍")
    reacted = await shop.put(f"{path}/inbox/{ada.id}/messages/1/reactions/{thumb}")
    assert reacted.status == 200
    assert (await shop.delete(path)).status == 204


async def test_a_business_account_does_nothing_as_a_person(shared_api: Api) -> None:
    shop, ada = await a_business(shared_api), shared_api.new_user("ada")
    bob = shared_api.new_user("bob")
    channel, group = await a_channel(ada, bob), await a_chat_group(ada, bob)
    await a_post(ada, channel)
    reaction = f"{channel}/posts/1/reactions/{part('👍')}"
    own = await a_channel(shop)
    await a_post(shop, own)
    to_channel = f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages"
    acts = [
        ("PUT", f"{channel}/subscription", None),
        ("PUT", f"{group}/members/me", None),
        ("POST", "/v1/groups", {"type": "public", "name": "Tea"}),
        ("PUT", reaction, None),
        ("POST", to_channel, TEXT),
        ("POST", f"/v1/conversations/c2c_{ada.id}/messages", TEXT),
    ]
    for method, path, body in acts:
        sent = () if body is None else (body,)
        refused = await shop.call(method, path, *sent)
        assert refused.refusal == NO_PERSON, refused
        # Who asks is the one thing that differs.
        allowed = await bob.call(method, path, *sent)
        assert allowed.status in {200, 201}, allowed
    # Not even in its own channel.
    assert (await shop.put(f"{own}/posts/1/reactions/{part('👍')}")).refusal == NO_PERSON
    assert (await shop.put(f"{own}/subscription")).refusal == NO_PERSON
    assert (await shop.delete(reaction)).refusal == (403, "permission_denied")
    assert (await shop.get(f"{channel}/posts")).status == 200


async def test_nobody_writes_to_a_business_account_or_adds_it(shared_api: Api) -> None:
    shop, ada = await a_business(shared_api), shared_api.new_user("ada")
    root, bob = shared_api.new_user("root", admin=True), shared_api.new_user("bob")
    channel, group = await a_channel(ada), await a_chat_group(ada)
    for user in (ada, root):
        to_shop = await user.post(f"/v1/conversations/c2c_{shop.id}/messages", TEXT)
        assert to_shop.refusal == BUSINESS
        assert (await user.put(f"{group}/members/{shop.id}")).refusal == BUSINESS
        assert (await user.put(f"{channel}/subscribers/{shop.id}")).refusal == BUSINESS
        assert (await user.post(f"/v1/conversations/c2c_{bob.id}/messages", TEXT)).status == 201
        # A person is asked, except by the application.
        status = 200 if user is root else 202
        assert (await user.put(f"{group}/members/{bob.id}")).status == status
        assert (await user.put(f"{channel}/subscribers/{bob.id}")).status == status
    lines = "".join(f'{{"user_id": "{i}"}}\n' for i in (shop.id, fresh("cid")))
    done = (await root.call("POST", f"{channel}/subscribers", data=lines, headers=AS_LINES)).lines
    assert [r["result"] for line in done for r in line["results"]] == ["not_a_person", "added"]
    refused = await root.post("/v1/groups", {"type": "work", "name": "Tea", "owner_id": shop.id})
    assert refused.refusal == BUSINESS
    assert (await ada.get(f"/v1/users/{shop.id}")).body["account_kind"] == "business"


async def test_a_business_account_administers_the_channel_of_another(shared_api: Api) -> None:
    shop, ada = await a_business(shared_api), shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.post(f"{path}/invitations", {"user_id": shop.id})).status == 201
    accepted = await shop.post(f"{path}/invitations/me", {"accept": True})
    assert accepted.status == 204
    assert (await a_post(shop, path))["seq"] == 1
    assert (await shop.get(path)).body["subscriber_count"] == 2
    # No longer an admin, it is not left behind as a subscriber.
    assert (await ada.delete(f"{path}/admins/{shop.id}")).status == 204
    assert (await ada.get(path)).body["subscriber_count"] == 1
    assert (await shop.get(path)).body["role"] is None


async def test_an_id_is_of_one_kind(shared_api: Api) -> None:
    shop = await a_business(shared_api)
    as_person = shared_api.user_of(shop.id)
    assert (await as_person.get("/v1/users/me")).refusal == OTHER_KIND
    refused = await as_person.get("/v1/socket")
    assert refused.refusal == OTHER_KIND
    for make in (a_channel, a_chat_group):
        ada = shared_api.new_user("ada")
        await make(shared_api.new_user("owner"), ada)
        as_business = shared_api.user_of(ada.id, business=True)
        assert (await as_business.get("/v1/users/me")).refusal == OTHER_KIND
        assert (await ada.get("/v1/users/me")).body["account_kind"] == "person"
    # A person who only runs channels may become a business account.
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    await a_post(shared_api.user_of(ada.id, business=True), path)
    assert (await a_post_refusal(ada, path)) == OTHER_KIND


async def a_post_refusal(user: User, path: str) -> tuple[int, str | None]:
    return (await user.post(f"{path}/posts", TEXT)).refusal


async def test_the_application_changes_the_kind(shared_api: Api) -> None:
    root, ada = shared_api.new_user("root", admin=True), shared_api.new_user("ada")
    as_business = shared_api.user_of(ada.id, business=True)
    group = await a_chat_group(ada)
    ears = await ada.socket()

    async def make(kind: str) -> None:
        done = await root.post("/v1/users", {"users": [{"user_id": ada.id, "account_kind": kind}]})
        assert [item["account_kind"] for item in done.items] == [kind]

    # Said of a person, it keeps business tokens out; it closes no socket.
    await make("person")
    assert (await as_business.get("/v1/users/me")).refusal == OTHER_KIND
    assert await ears.until_now() == []
    await make("business")
    assert await ears.closed() == CloseCode.BAD_TOKEN
    assert (await ada.get("/v1/users/me")).refusal == OTHER_KIND
    # What it was in as a person stays, and it ends this itself.
    assert (await as_business.get(group)).body["role"] == "owner"
    assert (await as_business.post(f"{group}/messages", TEXT)).refusal == NO_PERSON
    assert (await as_business.delete(group)).status == 204
    ears = await as_business.socket()
    await make("person")
    assert await ears.closed() == CloseCode.BAD_TOKEN
    assert (await as_business.get("/v1/users/me")).refusal == OTHER_KIND
    assert (await ada.post("/v1/groups", {"type": "work", "name": "Tea"})).status == 201


async def test_a_socket_keeps_its_kind(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ears = await ada.socket()
    token = shared_api.user_of(ada.id, business=True).token
    await ears.tell(type="auth", token=token)
    assert (await ears.frame())["code"] == "invalid_request"
    assert (await ada.get("/v1/users/me")).status == 200
    ears = await shared_api.new_user("shop", business=True).socket()
    await ears.close()


@pytest.mark.asyncio(loop_scope="function")
async def test_every_process_knows_a_business_account(
    api: OpenApi, second_database: Database
) -> None:
    one, other = await api(), await api(database=second_database)
    shop, ada = one.new_user("shop", business=True), other.new_user("ada")
    # Two tokens of one id, first seen by two processes at once.
    both = [shop, other.user_of(shop.id, business=True)]
    calls = [user.get("/v1/users/me") for user in both * 8]
    assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
    fence = await ada.socket()
    await fence.until_now()
    to_shop = await ada.post(f"/v1/conversations/c2c_{shop.id}/messages", TEXT)
    assert to_shop.refusal == BUSINESS
    assert (await other.user_of(shop.id).get("/v1/unread")).refusal == OTHER_KIND
    later = await api()
    refused = await later.user_of(shop.id).get("/v1/unread")
    assert refused.refusal == OTHER_KIND


@pytest.mark.asyncio(loop_scope="function")
async def test_a_deployment_may_let_only_business_accounts_create(api: OpenApi) -> None:
    server = await api(options=ServiceOptions(create_policy="business"))
    new = {"name": "News"}
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    assert (await ada.post("/v1/channels", new)).refusal == (403, "permission_denied")
    for user in (server.new_user("shop", business=True), root):
        assert (await user.post("/v1/channels", new)).status == 201
    given = await root.post("/v1/channels", new | {"owner_id": ada.id})
    assert given.body["owner_id"] == ada.id
