"""Comments under posts: who may, what is shown and counted, and how they end."""

import asyncio
from typing import Any, Final

import pytest

from groups.kernel.mongo import Database
from tests.api import (
    Answer,
    Api,
    User,
    a_channel,
    a_post,
    all_pages,
    conversation_of,
    group_path,
    id_of,
    open_api,
    part,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

LIKE: Final = part("👍")
DENIED: Final = (403, "permission_denied")
OFF: Final = (403, "comments_off")
FROZEN: Final = (409, "comments_frozen")


async def a_commented_post(
    owner: User, *subscribers: User, setting: str = "subscribers", **more: Any
) -> tuple[str, str]:
    """A channel with comments and one post; the paths of the channel and of the post."""
    path = await a_channel(owner, *subscribers, settings={"comments": setting}, **more)
    return path, f"{path}/posts/{(await a_post(owner, path))['seq']}"


async def comment(user: User, post: str, text: str = "Nice", **more: Any) -> Answer:
    return await user.post(f"{post}/comments", {"kind": "text", "text": text, **more})


async def written(user: User, post: str, text: str = "Nice", **more: Any) -> dict[str, Any]:
    answer = await comment(user, post, text, **more)
    assert answer.status == 201, answer
    body = answer.body
    assert isinstance(body, dict)
    return body


async def counts_of(user: User, post: str) -> tuple[int | None, bool]:
    shown = (await user.get(post)).body
    return shown["comment_count"], shown["comments_open"]


# --- what is shown ----------------------------------------------------------------------------------------------------


async def test_a_comment_is_shown_counted_edited_and_deleted(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    await bob.patch("/v1/users/me", {"name": "Bob"})
    path, post = await a_commented_post(ada, bob, cat)
    assert await counts_of(bob, post) == (0, True)
    first = await written(bob, post, "First")
    channel_id = id_of(path)
    assert first["comment_id"] == f"{channel_id}:1:1"
    assert (first["channel_id"], first["post_seq"], first["seq"]) == (channel_id, 1, 1)
    assert (first["sender_id"], first["sender_name"], first["is_channel"]) == (bob.id, "Bob", False)
    assert (first["kind"], first["text"], first["images"]) == ("text", "First", [])
    answer = await written(cat, post, "Second", quoted_seq=1)
    assert answer["quote"] == {
        "seq": 1,
        "sender_id": bob.id,
        "sender_name": "Bob",
        "is_channel": False,
        "preview": "First",
        "kind": "text",
        "recalled": False,
    }
    listed = (await ada.get(f"{post}/comments")).items
    assert [(each["seq"], each["text"]) for each in listed] == [(2, "Second"), (1, "First")]
    [page] = [(await ada.get(f"{path}/posts")).items]
    assert [(each["comment_count"], each["comments_open"]) for each in page] == [(2, True)]
    reacted = await cat.put(f"{post}/comments/1/reactions/{LIKE}")
    assert reacted.body == {"counts": {"👍": 1}, "total": 1, "mine": ["👍"]}
    assert (await bob.get(f"{post}/comments/1")).body["reactions"]["total"] == 1
    assert (await cat.delete(f"{post}/comments/1/reactions/{LIKE}")).body["total"] == 0
    edited = await bob.patch(f"{post}/comments/1", {"kind": "text", "text": "First!"})
    assert (edited.status, edited.body["text"], edited.body["version"]) == (200, "First!", 1)
    for _ in range(2):
        assert (await bob.delete(f"{post}/comments/1")).status == 204
    gone = (await cat.get(f"{post}/comments/1")).body
    assert (gone["text"], gone["sender_id"], gone["images"]) == (None, None, None)
    assert gone["recalled_at"] is not None
    quote = (await cat.get(f"{post}/comments/2")).body["quote"]
    assert (quote["recalled"], quote["preview"], quote["sender_id"]) == (True, None, None)
    assert await counts_of(bob, post) == (1, True)
    changes = (await bob.get(f"{post}/comments?changed_since=1")).body
    assert ([each["seq"] for each in changes["items"]], changes["version"]) == ([1], 2)
    # The comments are in no conversation.
    assert (await cat.get("/v1/unread")).body["total"] == 1, "the post alone"


async def test_pages_go_both_ways(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    _, post = await a_commented_post(ada)
    for number in range(1, 6):
        await written(ada, post, str(number))
    pages = await all_pages(ada, f"{post}/comments", limit=2)
    assert [[each["seq"] for each in page] for page in pages] == [[5, 4], [3, 2], [1]]
    forward = await all_pages(ada, f"{post}/comments?after_seq=0", limit=2)
    assert [[each["seq"] for each in page] for page in forward] == [[2, 1], [4, 3], [5]]
    around = (await ada.get(f"{post}/comments?around_seq=3&limit=3")).items
    assert [each["seq"] for each in around] == [4, 3, 2]
    assert (await ada.get(f"{post}/comments?cursor=x")).refusal == (400, "bad_cursor")


async def test_a_key_comments_once(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    _, post = await a_commented_post(ada)
    body = {"kind": "text", "text": "Once"}
    answers = [await ada.post(f"{post}/comments", body, idempotency_key="k") for _ in range(2)]
    assert [answer.body["seq"] for answer in answers] == [1, 1]
    other = await ada.post(f"{post}/comments", {**body, "text": "?"}, idempotency_key="k")
    assert other.refusal == (409, "idempotency_conflict")


async def test_the_channel_comments_without_naming_its_admin(shared_api: Api) -> None:
    ada, bob, shop = (
        shared_api.new_user("ada"),
        shared_api.new_user("bob"),
        shared_api.new_user("shop", business=True),
    )
    path, post = await a_commented_post(shop, ada, bob, name="Shop")
    assert (await shop.put(f"{path}/admins/{part(ada.id)}", {"grants": ["post"]})).status == 200
    assert (await comment(shop, post)).refusal == (403, "business_account")
    assert (await comment(bob, post, as_channel=True)).refusal == DENIED
    said = await written(ada, post, "We", as_channel=True)
    assert (said["sender_id"], said["sender_name"], said["is_channel"]) == (None, "Shop", True)
    assert said["author_id"] == ada.id
    seen = (await bob.get(f"{post}/comments/1")).body
    assert (seen["sender_id"], seen["author_id"], seen["sender_name"]) == (None, None, "Shop")
    # Admins who speak for the channel edit what it said.
    edited = await shop.patch(f"{post}/comments/1", {"kind": "text", "text": "We all"})
    assert edited.body["text"] == "We all"
    log = (await shop.get(f"{path}/admin-log?limit=1")).items
    assert [(each["action"], each["actor_id"]) for each in log] == [("comment_edited", shop.id)]
    assert (await bob.patch(f"{post}/comments/1", {"kind": "text", "text": "I"})).refusal == DENIED


async def test_comments_of_blocked_users_are_marked(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    _, post = await a_commented_post(ada, bob)
    await written(bob, post)
    assert (await ada.get(f"{post}/comments/1")).body["sender_blocked"] is False
    assert (await ada.put(f"/v1/blocks/{part(bob.id)}")).status in {200, 204}
    [seen] = (await ada.get(f"{post}/comments")).items
    assert (seen["sender_blocked"], seen["text"]) == (True, "Nice")
    assert (await bob.get(f"{post}/comments/1")).body["sender_blocked"] is False


# --- who may ----------------------------------------------------------------------------------------------------------


async def test_the_setting_says_who_may_comment(shared_api: Api) -> None:
    ada, bob, dan = (shared_api.new_user(name) for name in ("ada", "bob", "dan"))
    path = await a_channel(ada, bob)
    post = f"{path}/posts/{(await a_post(ada, path))['seq']}"
    assert (await ada.get(path)).body["settings"]["comments"] == "off"
    for user in (ada, bob, dan):
        assert (await comment(user, post)).refusal == OFF
        assert (await user.get(f"{post}/comments")).refusal == OFF
    assert await counts_of(bob, post) == (None, False)

    async def allow(whom: str) -> None:
        changed = await ada.patch(path, {"settings": {"comments": whom}})
        assert changed.body["settings"]["comments"] == whom

    await allow("subscribers")
    await written(bob, post)
    assert (await comment(dan, post)).refusal == DENIED
    assert (await dan.put(f"{post}/comments/1/reactions/{LIKE}")).refusal == DENIED
    assert len((await dan.get(f"{post}/comments")).items) == 1
    await allow("everyone")
    await written(dan, post)
    assert (await dan.put(f"{post}/comments/1/reactions/{LIKE}")).status == 200
    await allow("off")
    assert (await bob.patch(f"{post}/comments/1", {"kind": "text", "text": "x"})).refusal == OFF
    assert (await bob.delete(f"{post}/comments/1")).status == 204
    assert await counts_of(bob, post) == (None, False)
    await allow("everyone")
    # What the page of posts was rendered from before is not shown.
    [shown] = (await bob.get(f"{path}/posts")).items
    assert (shown["comment_count"], shown["comments_open"]) == (1, True)


async def test_a_private_channel_hides_its_comments(shared_api: Api) -> None:
    ada, bob, dan = (shared_api.new_user(name) for name in ("ada", "bob", "dan"))
    settings = {"comments": "everyone", "visibility": "private"}
    path = await a_channel(ada, bob, settings=settings)
    post = f"{path}/posts/{(await a_post(ada, path))['seq']}"
    await written(bob, post)
    missing = (404, "channel_not_found")
    for answer in (
        await comment(dan, post),
        await dan.get(f"{post}/comments"),
        await dan.get(f"{post}/comments/1"),
        await dan.delete(f"{post}/comments/1"),
        await dan.put(f"{post}/comments/1/reactions/{LIKE}"),
    ):
        assert answer.refusal == missing
    await bob.delete(f"{path}/subscription")
    assert (await bob.get(f"{post}/comments/1")).refusal == missing
    assert (await bob.patch(f"{post}/comments/1", {"kind": "text", "text": "x"})).refusal == missing
    # What they wrote they may still delete.
    assert (await bob.delete(f"{post}/comments/1")).status == 204
    assert await counts_of(ada, post) == (0, True)


async def test_moderation_deletes_bans_mutes_and_freezes(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path, post = await a_commented_post(ada, bob, cat)
    await ada.put(f"{path}/admins/{part(cat.id)}", {"grants": ["pin_posts"]})
    for text in ("a", "b"):
        await written(bob, post, text)
    # Admins delete by the right, and it is in the log.
    assert (await cat.delete(f"{post}/comments/1")).refusal == DENIED
    await ada.put(f"{path}/admins/{part(cat.id)}", {"grants": ["delete_posts"]})
    assert (await cat.delete(f"{post}/comments/1")).status == 204
    [entry] = (await ada.get(f"{path}/admin-log?limit=1")).items
    assert (entry["action"], entry["target_id"]) == ("comment_deleted", f"{id_of(path)}:1:1")
    assert (entry["before"]["author_id"], entry["before"]["text"]) == (bob.id, "a")
    # A ban keeps what was written; its user may still delete it.
    ban = f"{path}/comment-bans/{part(bob.id)}"
    assert (await cat.put(ban)).refusal == DENIED
    for _ in range(2):
        assert (await ada.put(ban)).status == 204
    assert (await comment(bob, post)).refusal == (403, "commenting_banned")
    assert (await bob.patch(f"{post}/comments/2", {"kind": "text", "text": "x"})).status == 403
    assert (await bob.put(f"{post}/comments/2/reactions/{LIKE}")).status == 200
    await bob.delete(f"{path}/subscription")
    await bob.put(f"{path}/subscription")
    assert (await comment(bob, post)).refusal == (403, "commenting_banned"), "leaving ends no ban"
    listed = (await ada.get(f"{path}/comment-bans")).items
    assert [(each["user_id"], each["banned_by"]) for each in listed] == [(bob.id, ada.id)]
    assert (await ada.put(f"{path}/comment-bans/{part(ada.id)}")).refusal == DENIED
    assert (await ada.delete(ban)).status == 204
    assert (await ada.get(f"{path}/comment-bans")).items == []
    member = f"{group_path(path)}/members/{part(bob.id)}"
    assert (await ada.patch(member, {"mute_seconds": 60})).status == 200
    assert (await comment(bob, post)).refusal == (403, "muted")
    await ada.patch(member, {"mute_seconds": 0})
    # Frozen: nobody writes, also the owner; deleting works.
    ears = await bob.socket()
    assert (await bob.put(f"{post}/comments-freeze")).refusal == DENIED
    for _ in range(2):
        frozen = await ada.put(f"{post}/comments-freeze")
        assert (frozen.body["comments_frozen"], frozen.body["comments_open"]) == (True, False)
        assert frozen.body["comment_count"] == 1
    told = await ears.hear("message.edited")
    assert told["post"]["comments_frozen"] is True
    for user in (ada, bob):
        assert (await comment(user, post)).refusal == FROZEN
    assert (await bob.patch(f"{post}/comments/2", {"kind": "text", "text": "x"})).refusal == FROZEN
    assert (await bob.delete(f"{post}/comments/2")).status == 204
    assert (await ada.delete(f"{post}/comments-freeze")).status == 204
    await written(bob, post)
    actions = [each["action"] for each in (await ada.get(f"{path}/admin-log")).items]
    assert actions.count("comments_frozen") == actions.count("comments_unfrozen") == 1
    assert actions.count("commenting_banned") == actions.count("commenting_unbanned") == 1
    await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
    assert (await comment(bob, post)).refusal == (403, "banned")
    await ears.close()


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"kind": "text", "text": " "}, (400, "invalid_request")),
        ({"kind": "text"}, (400, "invalid_request")),
        ({"kind": "image"}, (400, "invalid_request")),
        ({"kind": "text", "text": "x", "images": ["m"]}, (400, "invalid_request")),
        ({"kind": "video", "video": "m"}, (400, "invalid_request")),
        ({"kind": "custom", "custom": 1}, (400, "invalid_request")),
        ({"kind": "text", "text": "x", "silent": True}, (400, "invalid_request")),
        ({"kind": "image", "images": ["nosuchupload"]}, (404, "media_not_found")),
        ({"kind": "image", "images": ["m"] * 11}, (400, "invalid_request")),
        ({"kind": "text", "text": "x" * 40_000}, (400, "field_too_long")),
        ({"kind": "text", "text": "x", "quoted_seq": 7}, (404, "comment_not_found")),
        ({"kind": "text", "text": "x", "quoted_seq": 1}, (409, "message_recalled")),
    ],
)
async def test_a_comment_that_does_not_fit_is_refused(
    shared_api: Api, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    ada = shared_api.new_user("ada")
    _, post = await a_commented_post(ada)
    await written(ada, post)
    await ada.delete(f"{post}/comments/1")
    assert (await ada.post(f"{post}/comments", body)).refusal == refusal
    assert await counts_of(ada, post) == (0, True)


async def test_what_is_missing_is_named(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path, post = await a_commented_post(ada)
    group = group_path(path)
    for where, code in (
        (f"{path}/posts/9", "post_not_found"),
        ("/v1/channels/nowhere/posts/1", "channel_not_found"),
    ):
        assert (await comment(ada, where)).refusal == (404, code)
        assert (await ada.get(f"{where}/comments")).refusal == (404, code)
        assert (await ada.get(f"{where}/comments/1")).refusal == (404, code)
        assert (await ada.delete(f"{where}/comments/1")).refusal == (404, code)
        assert (await ada.put(f"{where}/comments/1/reactions/{LIKE}")).refusal == (404, code)
    unknown = (404, "comment_not_found")
    assert (await ada.get(f"{post}/comments/1")).refusal == unknown
    assert (await ada.delete(f"{post}/comments/1")).refusal == unknown
    edit = {"kind": "text", "text": "x"}
    assert (await ada.patch(f"{post}/comments/1", edit)).refusal == unknown
    assert (await ada.put(f"{post}/comments/1/reactions/{LIKE}")).refusal == unknown
    assert (await ada.get(f"{group}/messages/1")).status == 200, "the post is a message there"


# --- limits -----------------------------------------------------------------------------------------------------------


@own_loop
async def test_limits_hold_at_once_and_a_user_waits(database: Database) -> None:
    async with open_api(database, comments_per_post=5) as api:
        ada = api.new_user("ada")
        users = [api.new_user() for _ in range(9)]
        _, post = await a_commented_post(ada, setting="everyone")
        answers = await asyncio.gather(*(comment(user, post) for user in users))
        refusals = [answer.refusal for answer in answers if answer.status != 201]
        assert refusals == [(409, "comment_limit_reached")] * 4
        assert await counts_of(ada, post) == (5, True)
        # Deleted ones count.
        assert (await ada.delete(f"{post}/comments/1")).status == 204
        assert (await comment(ada, post)).refusal == (409, "comment_limit_reached")
    async with open_api(database, comments_per_second=2) as api:
        ada, bob = api.new_user("ada"), api.new_user("bob")
        _, post = await a_commented_post(ada, bob)
        answers = [await comment(bob, post) for _ in range(3)]
        assert [answer.status for answer in answers] == [201, 201, 429]
        assert (await comment(ada, post)).status == 201


# --- events -----------------------------------------------------------------------------------------------------------


def comments_of(path: str, seq: int = 1) -> str:
    """The name under which the comments of a post are watched."""
    return f"comments_{id_of(path)}:{seq}"


async def test_watchers_and_the_authors_concerned_hear_of_comments(shared_api: Api) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path, post = await a_commented_post(ada, bob, cat, dan)
    of_ada, of_bob, of_cat, of_dan = [await user.socket() for user in (ada, bob, cat, dan)]
    name, channel = comments_of(path), conversation_of(path)
    await of_cat.tell(type="watch", conversation_id=name)
    assert (await of_cat.answer())["conversations"] == [
        {"conversation_id": name, "reactions": [], "complete": False}
    ]
    await of_dan.tell(type="watch", conversation_id=channel)
    await of_dan.answer()
    await written(bob, post, "First")
    for ears in (of_cat, of_ada):
        told = await ears.hear("comment.posted")
        assert (told["conversation_id"], told["channel_id"]) == (name, id_of(path))
        assert (told["post_seq"], told["seq"], told["comment"]["text"]) == (1, 1, "First")
    counted = await of_dan.hear("comments.counted")
    assert (counted["conversation_id"], counted["seq"], counted["comment_count"]) == (channel, 1, 1)
    await written(cat, post, "Second", quoted_seq=1)
    assert (await of_bob.hear("comment.posted"))["comment"]["quoted_seq"] == 1
    await bob.put(f"{post}/comments/2/reactions/{LIKE}")
    assert (await of_cat.hear("comment.reacted"))["counts"] == {"👍": 1}
    await cat.patch(f"{post}/comments/2", {"kind": "text", "text": "2"})
    assert (await of_cat.hear("comment.edited"))["version"] == 1
    await cat.delete(f"{post}/comments/2")
    assert (await of_cat.hear("comment.recalled"))["comment"]["text"] is None
    assert (await of_dan.hear("comments.counted", comment_count=1))["seq"] == 1
    # Nobody hears of their own comment but by watching, and nobody else hears of any.
    assert [each["type"] for each in await of_bob.until_now()] == []
    assert [each["type"] for each in await of_ada.until_now()] == ["comment.posted"]
    # Users who block the sender receive nothing, nor those who stopped watching.
    await ada.put(f"/v1/blocks/{part(bob.id)}")
    await of_cat.tell(type="unwatch", conversation_id=name)
    await of_cat.answer()
    await written(bob, post, "Third")
    heard = [each["type"] for each in await of_ada.until_now()]
    assert "comment.posted" not in heard
    assert await of_cat.until_now() == []
    for ears in (of_ada, of_bob, of_cat, of_dan):
        await ears.close()


async def test_watching_ends_with_the_right_to_read(shared_api: Api) -> None:
    ada, bob, dan = (shared_api.new_user(name) for name in ("ada", "bob", "dan"))
    path, post = await a_commented_post(ada, bob, setting="everyone")
    name = comments_of(path)

    async def watch(user: User) -> Any:
        ears = await user.socket()
        await ears.tell(type="watch", conversation_ids=[name])
        [result] = (await ears.answer())["conversations"]
        assert "reactions" in result, result
        return ears

    async def hears(ears: Any) -> bool:
        await ears.until_now()
        await written(ada, post)
        return "comment.posted" in [each["type"] for each in await ears.until_now()]

    of_bob, of_dan = await watch(bob), await watch(dan)
    assert await hears(of_bob)
    assert await hears(of_dan)
    await bob.delete(f"{path}/subscription")
    assert not await hears(of_bob)
    await ada.delete(f"{path}/subscribers/{part(dan.id)}?ban=true")
    assert not await hears(of_dan)
    of_bob_again = await watch(bob)
    await ada.patch(path, {"settings": {"comments": "off"}})
    await ada.patch(path, {"settings": {"comments": "everyone"}})
    assert not await hears(of_bob_again)
    of_bob_again = await watch(bob)
    await ada.patch(path, {"settings": {"visibility": "private"}})
    assert not await hears(of_bob_again)
    for wrong in (name, comments_of(path, 9), "comments_", f"{name}0", "comments_x:01"):
        await of_dan.tell(type="watch", conversation_ids=[wrong])
        [result] = (await of_dan.answer())["conversations"]
        assert result["error"]["code"] in {
            *("group_not_found", "message_not_found", "conversation_not_found", "banned")
        }, (wrong, result)
    for ears in (of_bob, of_bob_again, of_dan):
        await ears.close()


# --- the end ----------------------------------------------------------------------------------------------------------


@own_loop
async def test_comments_end_with_their_post_and_with_the_channel(database: Database) -> None:
    async with open_api(database) as api:
        ada, bob = api.new_user("ada"), api.new_user("bob")
        path, post = await a_commented_post(ada, bob)
        other = f"{path}/posts/{(await a_post(ada, path))['seq']}"
        for where in (post, other):
            await written(bob, where)
            await written(bob, where, quoted_seq=1)
            await ada.put(f"{where}/comments/1/reactions/{LIKE}")
        assert (await ada.delete(post)).status == 204
        assert await counts_of(bob, post) == (None, False)
        for answer in (
            await comment(bob, post),
            await bob.get(f"{post}/comments"),
            await bob.put(f"{post}/comments/1/reactions/{LIKE}"),
        ):
            assert answer.refusal == (409, "message_recalled")
        assert (await bob.delete(f"{post}/comments/1")).refusal == (404, "post_not_found")

        async def left() -> list[int]:
            collections = ("comment_streams", "reactions", "tallies")
            counts = [await database.collection(each).count_documents({}) for each in collections]
            of_comments = {"stream_id": {"$regex": "^comments_"}}
            counts.append(await database.collection("messages").count_documents(of_comments))
            return counts

        await api.services.comments.cleanup.clear_ended()
        assert await left() == [1, 1, 1, 2]
        assert (await ada.delete(path)).status == 204
        await api.services.chat.cleanup.wait()
        assert await left() == [0, 0, 0, 0]
