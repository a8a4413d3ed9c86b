"""Posts: content, reading, editing, deletion, reactions, and the settings for these."""

from typing import Any, Final

import pytest

from groups.kernel.mongo import Database
from tests.api import Api, User, a_channel, a_post, conversation_of, group_path, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

LIKE, HEART, TEA, FIRE = "👍", "❤️", "🍵", "🔥"
HELLO: Final = {"kind": "text", "text": "Hello"}


async def react(user: User, path: str, emoji: str, seq: int = 1) -> tuple[int, str | None]:
    return (await user.put(f"{path}/posts/{seq}/reactions/{part(emoji)}")).refusal


async def test_a_post_has_the_channel_s_name_and_all_its_content(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob, name="City News")
    bare = {"description": None, "image": None}
    links = [
        {"title": "One", "url": "https://example.org/a?b=c#d", **bare},
        {"title": "Zwei", "url": "http://例え.jp/ü", **bare},
    ]
    said = {"title": "Title", "text": "Text\nof two lines 🍵", "links": links}
    custom = {"a": [1, 2.5, None, True, {"deep": "故"}], "$set": {"x.y": 1}}
    posted = await ada.post(f"{path}/posts", {"kind": "custom", **said, "custom": custom})
    assert posted.status == 201
    body = posted.body
    assert body == body | said | {"custom": custom, "kind": "custom", "channel_name": "City News"}
    assert (body["seq"], body["post_id"]) == (1, f"{id_of(path)}:1")
    assert body["reactions"] == {"counts": {}, "total": 0, "mine": []}
    assert (body["edited_at"], body["recalled_at"]) == (None, None)
    assert (await ada.get(f"{path}/posts/1")).body == body
    assert (await bob.get(f"{path}/posts/1")).body == body | {"author_id": None}


async def test_only_the_owner_and_admins_see_the_author(shared_api: Api) -> None:
    ada, adm, bob, eve = (shared_api.new_user(name) for name in ("ada", "adm", "bob", "eve"))
    path = await a_channel(ada, bob, admins=(adm,))
    assert (await adm.post(f"{path}/posts", HELLO)).body["author_id"] == adm.id
    for user, author in ((ada, adm.id), (adm, adm.id), (bob, None), (eve, None)):
        assert (await user.get(f"{path}/posts/1")).body["author_id"] == author
        assert (await user.get(f"{path}/posts")).items[0]["author_id"] == author
        message = (await user.get(f"{group_path(path)}/messages/1")).body
        assert message["sender_id"] == author
    for answer in (await bob.get("/v1/conversations"), await bob.get(path)):
        assert adm.id not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "text"},
        {"kind": "text", "text": ""},
        {"kind": "text", "text": " \n"},
        {"kind": "custom"},
        {"kind": "custom", "custom": None},
        {"kind": "sticker", "text": "x"},
        {"text": "x"},
        {**HELLO, "links": [{"title": "x", "url": "javascript:alert(1)"}]},
        {**HELLO, "links": [{"title": "x", "url": "ftp://example.org"}]},
        {**HELLO, "links": [{"title": "x", "url": "example.org"}]},
        {**HELLO, "links": [{"title": "x", "url": ""}]},
        {**HELLO, "links": [{"title": "", "url": "https://example.org"}]},
        {**HELLO, "links": [{"url": "https://example.org"}]},
        {**HELLO, "links": "https://example.org"},
    ],
)
async def test_a_post_without_content_or_with_bad_links_is_refused(
    shared_api: Api, body: dict[str, Any]
) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    good = {**HELLO, "links": [{"title": "x", "url": "https://example.org"}]}
    assert (await ada.post(f"{path}/posts", good)).status == 201
    assert (await ada.post(f"{path}/posts", body)).refusal == (400, "invalid_request")
    assert (await ada.patch(f"{path}/posts/1", body)).refusal == (400, "invalid_request")
    assert (await ada.get(path)).body["head_seq"] == 1


@own_loop
async def test_the_size_limit_of_a_post_covers_all_its_fields(api: OpenApi) -> None:
    server = await api(message_body_bytes=30)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    fits = {"kind": "text", "title": "abc", "text": "故" * 9}
    assert (await ada.post(f"{path}/posts", fits)).status == 201
    refused = await ada.post(f"{path}/posts", fits | {"text": "故" * 9 + "x"})
    assert refused.refusal == (400, "field_too_long")
    assert refused.body["details"]["limit_bytes"] == 30


async def test_posts_are_paged_in_both_directions(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    for number in range(1, 8):
        await a_post(ada, path, str(number))

    async def seqs(query: str) -> tuple[list[int], str | None]:
        page = (await bob.get(f"{path}/posts?{query}")).body
        return [post["seq"] for post in page["items"]], page["next_cursor"]

    assert await seqs("") == ([7, 6, 5, 4, 3, 2, 1], None)
    assert await seqs("before_seq=4") == ([3, 2, 1], None)
    assert await seqs("after_seq=4") == ([7, 6, 5], None)
    assert await seqs("after_seq=7") == ([], None)
    assert await seqs("before_seq=1") == ([], None)
    back, cursor = await seqs("limit=3")
    assert back == [7, 6, 5]
    back, cursor = await seqs(f"limit=3&cursor={cursor}")
    assert back == [4, 3, 2]
    assert await seqs(f"limit=3&cursor={cursor}") == ([1], None)
    forth, cursor = await seqs("after_seq=1&limit=4")
    assert forth == [5, 4, 3, 2]
    assert await seqs(f"limit=4&cursor={cursor}") == ([7, 6], None)


@pytest.mark.parametrize("query", ["before_seq=0", "before_seq=-1", "after_seq=x", "after_seq=1e3"])
async def test_an_invalid_seq_is_refused(shared_api: Api, query: str) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.get(f"{path}/posts?after_seq=0")).status == 200
    assert (await ada.get(f"{path}/posts?{query}")).refusal == (400, "invalid_request")


async def test_a_post_is_edited_by_its_author_and_by_any_admin(shared_api: Api) -> None:
    ada, adm, bob = (shared_api.new_user(name) for name in ("ada", "adm", "bob"))
    path = await a_channel(ada, bob, admins=(adm,))
    await a_post(ada, path)
    for user, text in ((ada, "Better"), (adm, "Best")):
        edited = await user.patch(f"{path}/posts/1", {"kind": "text", "text": text})
        assert (edited.status, edited.body["text"]) == (200, text)
        assert edited.body["edited_at"]
        assert edited.body["author_id"] == ada.id
    assert (await bob.patch(f"{path}/posts/1", HELLO)).refusal == (403, "posting_not_allowed")
    before = (await ada.get(f"{path}/posts/1")).body
    again = await adm.patch(f"{path}/posts/1", {"kind": "text", "text": "Best"})
    assert again.body == before
    assert (await ada.get(path)).body["last_post"]["preview"] == "Best"
    assert (await ada.patch(f"{path}/posts/2", HELLO)).refusal == (404, "post_not_found")


async def test_a_deleted_post_leaves_a_tombstone_with_its_seq(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path, "secret")
    await react(bob, path, LIKE)
    for _ in range(2):
        assert (await ada.delete(f"{path}/posts/1")).status == 204
    for user in (ada, bob):
        post = (await user.get(f"{path}/posts/1")).body
        assert post["seq"] == 1
        assert post["recalled_at"]
        for field in ("kind", "title", "text", "links", "custom", "author_id"):
            assert post[field] is None
    for answer in (
        await bob.get(f"{path}/posts"),
        await bob.get(path),
        await bob.get("/v1/conversations"),
    ):
        assert "secret" not in answer.text
    assert (await ada.patch(f"{path}/posts/1", HELLO)).refusal == (409, "message_recalled")
    assert await react(bob, path, HEART) == (409, "message_recalled")
    assert (await bob.delete(f"{path}/posts/1/reactions/{part(LIKE)}")).status == 200
    assert (await a_post(ada, path))["seq"] == 2


async def test_the_same_post_is_a_message_of_the_group(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path, "by channel")
    await a_post(ada, group_path(path), "by group")
    posts = (await ada.get(f"{path}/posts")).items
    messages = (await ada.get(f"{group_path(path)}/messages")).items
    assert [post["text"] for post in posts] == ["by group", "by channel"]
    assert [(m["seq"], m["text"]) for m in messages] == [(p["seq"], p["text"]) for p in posts]
    assert (await ada.get(f"{group_path(path)}/messages/9")).refusal == (404, "message_not_found")
    assert (await ada.get(f"{path}/posts/9")).refusal == (404, "post_not_found")


# --- reactions and their settings -----------------------------------------------------------------------------------


async def test_in_a_channel_a_new_reaction_replaces_the_old_one(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    await a_post(ada, path)
    await react(cat, path, LIKE)
    for emoji, counts in ((LIKE, {LIKE: 2}), (LIKE, {LIKE: 2}), (HEART, {LIKE: 1, HEART: 1})):
        tally = (await bob.put(f"{path}/posts/1/reactions/{part(emoji)}")).body
        assert tally == {"counts": counts, "total": 2, "mine": [emoji]}
    tally = {"counts": {LIKE: 1, HEART: 1}, "total": 2, "mine": [HEART]}
    post = (await bob.get(f"{path}/posts/1")).body
    assert post["reactions"] == tally == (await bob.get(f"{path}/posts")).items[0]["reactions"]
    holders = (await ada.get(f"{path}/posts/1/reactions/{part(HEART)}")).items
    assert [holder["user_id"] for holder in holders] == [bob.id]


async def test_a_new_reaction_setting_applies_at_once(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    refused = (403, "reaction_not_allowed")
    for choice, like, tea in (
        ("all", (200, None), (200, None)),
        ("basic", (200, None), refused),
        ([TEA], refused, (200, None)),
        ("none", refused, refused),
    ):
        changed = await ada.patch(path, {"settings": {"reactions": choice}})
        assert changed.body["settings"]["reactions"] == choice
        assert await react(bob, path, LIKE) == like
        assert await react(bob, path, TEA) == tea
    # Users may always remove their own reactions.
    taken = await bob.delete(f"{path}/posts/1/reactions/{part(TEA)}")
    assert (taken.status, taken.body["mine"]) == (200, [])


async def test_the_numbers_of_reactions_per_user_and_post_are_settings(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    settings = {"reactions_per_user": 2, "distinct_reactions": 2}
    path = await a_channel(ada, bob, cat, settings=settings)
    await a_post(ada, path)
    assert [await react(bob, path, emoji) for emoji in (LIKE, HEART)] == [(200, None)] * 2
    assert await react(bob, path, FIRE) == (409, "reactions_per_user_reached")
    assert await react(cat, path, FIRE) == (409, "distinct_reactions_reached")
    assert await react(cat, path, HEART) == (200, None)
    await ada.patch(path, {"settings": {"distinct_reactions": 3}})
    assert await react(cat, path, FIRE) == (200, None)


@pytest.mark.parametrize(
    "settings",
    [
        {"reactions": "some"},
        {"reactions": []},
        {"reactions": ["hello"]},
        {"reactions": [LIKE] * 101},
        {"reactions_per_user": 0},
        {"reactions_per_user": 101},
        {"distinct_reactions": 0},
        {"distinct_reactions": 1001},
        {"accept_messages": "some"},
        {"no_such": 1},
        {"reactions": None},
    ],
)
async def test_an_invalid_setting_is_refused(shared_api: Api, settings: dict[str, Any]) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    before = (await ada.get(path)).body
    for refused in (
        await ada.patch(path, {"settings": settings}),
        await ada.post("/v1/channels", {"name": "x", "settings": settings}),
    ):
        assert refused.status == 400
        assert refused.refusal[1] in {"invalid_request", "bad_emoji"}
    assert (await ada.get(path)).body == before


# --- across processes -----------------------------------------------------------------------------------------------


@own_loop
async def test_every_process_shows_a_change_made_in_another(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(), await api(database=second_database)
    ada, bob = here.new_user("ada"), here.new_user("bob")
    path = await a_channel(ada, bob)
    reader = there.user_of(bob.id)
    assert (await reader.get(path)).body["organization"] == ""
    ears = await reader.socket()
    for organization in ("One", "Two"):
        await ada.patch(path, {"organization": organization, "settings": {"signatures": True}})
        await ears.hear("channel.updated", channel_id=id_of(path))
        shown = (await reader.get(path)).body
        assert (shown["organization"], shown["settings"]["signatures"]) == (organization, True)
    await ada.delete(group_path(path))
    await ears.hear("channel.deleted", channel_id=id_of(path))
    assert (await reader.get(path)).refusal == (404, "channel_not_found")


async def test_the_author_of_a_post_has_read_it(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    for user, unread in ((ada, 0), (bob, 1)):
        shown = await user.get(f"/v1/conversations/{part(conversation_of(path))}")
        assert (shown.body["unread_count"], shown.body["is_channel"]) == (unread, True)
