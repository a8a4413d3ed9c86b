"""The main use as one story, over HTTP and sockets: create, subscribe, post, read, react, leave, delete."""

from tests.api import (
    Api,
    Ears,
    User,
    a_chat_group,
    a_post,
    conversation_of,
    group_path,
    id_of,
    part,
)
from tests.conftest import OpenApi

LIKE, HEART = part("👍"), part("❤️")


async def test_the_story_of_a_channel_from_creation_to_deletion(api: OpenApi) -> None:
    server = await api()
    ada, bob, cid, dee = (server.new_user(name) for name in ("ada", "bob", "cid", "dee"))
    path = await created(ada)
    await subscribed(path, ada, bob, cid, dee)
    listening = await dee.socket()
    await posted(path, ada, bob, listening)
    await read(path, bob, listening)
    await reacted(path, bob, cid, dee, listening)
    await run_by_others(path, ada, cid, listening)
    await kept_apart_from_chats(path, ada, bob)
    await left_and_deleted(path, ada, bob, cid, listening)
    await nothing_is_left(server, path, ada, bob, cid, dee)


async def created(ada: User) -> str:
    profile = {
        "channel_id": "@TOA#_story",
        "name": "故" * 50,
        "introduction": "A story",
        "organization": "Tellers",
        "custom_data": "{}",
    }
    channel = await ada.post("/v1/channels", profile)
    assert channel.status == 201
    assert channel.body == channel.body | profile
    assert (channel.body["owner_id"], channel.body["role"]) == (ada.id, "owner")
    assert (await ada.post("/v1/channels", profile)).refusal == (409, "channel_id_taken")
    too_long = profile | {"channel_id": None, "name": "故" * 50 + "x"}
    assert (await ada.post("/v1/channels", too_long)).refusal == (400, "field_too_long")
    return "/v1/channels/story"


async def subscribed(path: str, ada: User, *users: User) -> None:
    for user in (*users, users[0]):
        answer = await user.put(f"{path}/subscription")
        assert (answer.status, answer.body["role"]) == (200, "member")
    assert (await users[0].get(path)).body["subscriber_count"] == 1 + len(users)
    assert (await users[0].get(f"{path}/subscribers")).refusal == (403, "permission_denied")
    listed = (await ada.get(f"{path}/subscribers")).items
    assert {each["user_id"] for each in listed} == {ada.id, *(user.id for user in users)}
    (found,) = (await users[0].get("/v1/channels?subscribed=true")).items
    assert found["channel_id"] == "@TOA#_story"


async def posted(path: str, ada: User, bob: User, dee_hears: Ears) -> None:
    hello = {"kind": "text", "text": "Hello"}
    first = await ada.post(f"{path}/posts", hello, idempotency_key="one")
    again = await ada.post(f"{path}/posts", hello, idempotency_key="one")
    assert (first.status, first.body["seq"]) == (201, 1)
    assert (again.status, again.body) == (201, first.body)
    event = await dee_hears.hear("message.posted", seq=1)
    assert event["post"]["text"] == "Hello"
    assert event["post"]["author_id"] is None
    full = group_path("/v1/channels/" + part("@TOA#_story"))
    for call in (f"{path}/posts", f"{full}/messages"):
        assert (await bob.post(call, hello)).refusal == (403, "posting_not_allowed")
    assert (await a_post(ada, path, "Two"))["seq"] == 2
    await dee_hears.hear("message.posted", seq=2)
    for query, seqs in (("limit=1", [2]), ("before_seq=2", [1]), ("after_seq=1", [2])):
        found = (await bob.get(f"{path}/posts?{query}")).items
        assert [post["seq"] for post in found] == seqs
        assert all(post["author_id"] is None for post in found)


async def read(path: str, bob: User, dee_hears: Ears) -> None:
    conversation = conversation_of("/v1/channels/" + part("@TOA#_story"))

    async def unread() -> tuple[int, int, int]:
        body = (await bob.get("/v1/unread")).body
        return body["total"], body["channels"], body["chats"]

    assert await unread() == (2, 2, 0)
    (listed,) = (await bob.get("/v1/conversations?conversation_group=channels")).items
    assert (listed["conversation_id"], listed["unread_count"]) == (conversation, 2)
    assert listed["last_message"]["preview"] == "Two"
    await bob.put("/v1/conversation-groups/news", {"conversation_ids": [conversation]})
    assert (await bob.get("/v1/unread")).body["conversation_groups"] == {"news": 2}
    phone = await bob.socket()
    await bob.post(f"/v1/conversations/{part(conversation)}/read", {"seq": 1})
    assert await unread() == (1, 1, 0)
    event = await phone.hear("conversation.read", conversation_id=conversation)
    assert (event["read_seq"], event["unread_count"]) == (1, 1)
    await bob.post(f"/v1/conversations/{part(conversation)}/read", {"seq": 0})
    assert await unread() == (1, 1, 0)
    await bob.post("/v1/read", {"scope": "all"})
    assert await unread() == (0, 0, 0)
    await phone.close()
    assert await dee_hears.until_now() == []


async def reacted(path: str, bob: User, cid: User, dee: User, dee_hears: Ears) -> None:
    conversation = "group_@TOA#_story"
    await dee_hears.tell(type="watch", conversation_id=conversation)
    assert (await dee_hears.frame())["type"] == "watching"
    liked = await bob.put(f"{path}/posts/1/reactions/{LIKE}")
    assert (liked.body["counts"], liked.body["mine"]) == ({"👍": 1}, ["👍"])
    await cid.put(f"{path}/posts/1/reactions/{LIKE}")
    replaced = await bob.put(f"{path}/posts/1/reactions/{HEART}")
    assert replaced.body == {"counts": {"👍": 1, "❤️": 1}, "total": 2, "mine": ["❤️"]}
    await bob.delete(f"{path}/posts/1/reactions/{HEART}")
    while (await dee_hears.hear("reactions.changed", seq=1))["counts"] != {"👍": 1}:
        pass
    post = (await dee.get(f"{path}/posts/1")).body
    assert post["reactions"] == {"counts": {"👍": 1}, "total": 1, "mine": []}
    assert (await bob.put(f"{path}/posts/1/reactions/hello")).refusal == (400, "bad_emoji")


async def run_by_others(path: str, ada: User, cid: User, dee_hears: Ears) -> None:
    assert (await ada.put(f"{path}/admins/{cid.id}")).status == 200
    assert (await a_post(cid, path, "From cid"))["seq"] == 3
    event = await dee_hears.hear("message.posted", seq=3)
    assert cid.id not in str(event)
    assert (await cid.patch(f"{path}/posts/1", {"kind": "text", "text": "Hi"})).status == 200
    assert (await dee_hears.hear("message.edited", seq=1))["post"]["text"] == "Hi"
    assert (await cid.delete(f"{path}/posts/2")).status == 204
    assert (await dee_hears.hear("message.recalled", seq=2))["post"]["text"] is None
    await cid.patch(path, {"name": "Evening story"})
    event = await dee_hears.hear("channel.updated")
    assert event["changed"] == {"name": "Evening story"}
    assert (await ada.delete(f"{path}/subscription")).refusal == (409, "owner_cannot_leave")


async def kept_apart_from_chats(path: str, ada: User, bob: User) -> None:
    tea = await a_chat_group(ada)
    assert (await bob.put(f"{tea}/members/me")).status == 200
    assert (await a_post(bob, tea, "hi"))["seq"] == 1
    body = (await ada.get("/v1/unread")).body
    assert (body["channels"], body["chats"]) == (1, 1)
    for name, titles in (("channels", ["Evening story"]), ("chats", ["Tea"])):
        listed = (await ada.get(f"/v1/conversations?conversation_group={name}")).items
        assert [each["title"] for each in listed] == titles
    marked = await ada.post("/v1/channels", {"group_id": id_of(tea), "name": "Tea News"})
    assert marked.body["channel_id"] == id_of(tea)
    refused = await bob.post(f"{tea}/messages", {"kind": "text", "text": "refused"})
    assert refused.refusal == (403, "posting_not_allowed")
    assert (await ada.get("/v1/unread")).body["chats"] == 0
    assert (await ada.delete(tea)).status == 204


async def left_and_deleted(path: str, ada: User, bob: User, cid: User, dee_hears: Ears) -> None:
    assert (await cid.delete(f"{path}/subscription")).status == 204
    assert (await cid.get("/v1/conversations")).items == []
    assert (await bob.get(path)).body["subscriber_count"] == 3
    assert (await bob.delete(path)).refusal == (403, "permission_denied")
    assert (await ada.delete(path)).status == 204
    await dee_hears.hear("channel.deleted", channel_id="@TOA#_story")
    assert (await bob.get(path)).refusal == (404, "channel_not_found")


async def nothing_is_left(server: Api, path: str, *users: User) -> None:
    await server.services.chat.cleanup.wait()
    for user in users:
        assert (await user.get("/v1/conversations")).items == []
        assert (await user.get("/v1/channels?subscribed=true")).items == []
        assert (await user.get("/v1/unread")).body["total"] == 0
    again = await users[0].post("/v1/channels", {"channel_id": "@TOA#_story", "name": "Again"})
    assert (again.status, again.body["head_seq"]) == (201, 0)
    assert (await users[0].get(f"{path}/posts")).items == []
