"""What was written in a group before it became a channel: who may read it, who may delete it, and what nobody may do.

`_Tea` is a group with a history, whose owner makes it a channel. Everything in the history has the word SECRET.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from channels.server.app import endpoints_for
from groups.kernel.mongo import Database
from tests.api import (
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    group_path,
    id_of,
    join,
    part,
)
from tests.channels.test_marking import channel_path
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET: Final = "SECRET"
THUMB: Final = part("👍")
DENIED: Final = (403, "permission_denied")
NO_POST: Final = (404, "post_not_found")


@dataclass(frozen=True, slots=True)
class _Tea:
    """Seqs 1 and 2 are from before: bob's, with a reaction, and ada's. `late` joined after them."""

    api: Api
    ada: User
    bob: User
    late: User
    group: str

    @property
    def path(self) -> str:
        return channel_path(self.group)

    async def mark(self, **body: Any) -> Answer:
        asked = {"group_id": id_of(self.group), "name": "Tea news", **body}
        marked = await self.ada.post("/v1/channels", asked)
        assert marked.status == 201, marked
        return marked

    async def a_subscriber(self) -> User:
        user = self.api.new_user("new")
        assert (await user.put(f"{self.path}/subscription")).status == 200
        return user

    async def an_admin(self) -> User:
        user = await self.a_subscriber()
        assert (await self.ada.put(f"{self.path}/admins/{part(user.id)}")).status == 200
        return user

    async def seqs(self, user: User) -> list[int]:
        return [post["seq"] for post in (await user.get(f"{self.path}/posts")).items]


async def a_tea_group(api: Api, **body: Any) -> _Tea:
    ada, bob, late = (api.new_user(name) for name in ("ada", "bob", "late"))
    group = await a_chat_group(ada, bob, **body)
    await a_post(bob, group, f"{SECRET} of bob")
    await a_post(ada, group, f"{SECRET} of ada")
    await join(late, f"{group}/members/me", f"{group}/members/{part(late.id)}")
    assert (await ada.put(f"{group}/messages/1/reactions/{THUMB}")).status == 200
    return _Tea(api, ada, bob, late, group)


def every_read(api: Api, tea: _Tea, reader: User) -> list[str]:
    """Every GET of the API that names a channel, a group or a conversation, in each direction that it has."""
    values = {
        "channel_id": part(id_of(tea.path)),
        "group_id": part(id_of(tea.group)),
        "conversation_id": part(conversation_of(tea.group)),
        "seq": "1",
        "comment_seq": "1",
        "report_id": "none",
        "emoji": THUMB,
        "option": "0",
        "user_id": part(reader.id),
        "draft_id": "none",
        "broadcast_id": "none",
        "code": "none",
        "device_id": "none",
        "media_id": "none",
        "name": "none",
        "webhook_id": "none",
        "delivery_id": "none",
    }
    paths = []
    for endpoint in endpoints_for(api.services):
        spec = endpoint.spec
        if spec.method == "GET":
            path = spec.path.format_map(values)
            paths += [path, f"{path}?limit=1"]
            if "/posts" in path or "/messages" in path:
                bounds = (
                    "after_seq=0",
                    "before_seq=3",
                    "before_seq=2",
                    "around_seq=1",
                    "around=unread",
                )
                paths += [f"{path}?{bound}" for bound in (*bounds, "changed_since=0")]
    paths += [f"/v1/channels?ids={values['channel_id']}", "/v1/channels?subscribed=true"]
    paths += ["/v1/channels?q=Tea&sort=new", "/v1/channels?sort=active", "/v1/channels?owned=true"]
    return paths


PAGES: Final = ("", "?before_seq=1", "?before_seq=21", "/feed.atom", "/feed.rss", "/feed.json")


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("posts_later", [False, True])
async def test_nobody_who_came_later_reads_what_was_written_before(
    shared_api: Api, posts_later: bool
) -> None:
    tea = await a_tea_group(shared_api, history_visible=True)
    stranger = shared_api.new_user("eve")
    assert (await stranger.get(f"{tea.group}/messages")).refusal == DENIED
    marked = (await tea.mark()).body
    assert (marked["head_seq"], marked["public_from_seq"]) == (2, 3)
    assert marked["history_shared_at"] is None
    if posts_later:
        await a_post(tea.ada, tea.path, "News")
    readers = [stranger, await tea.a_subscriber(), await tea.an_admin()]
    for reader in readers:
        for path in every_read(shared_api, tea, reader):
            answer = await reader.get(path)
            assert SECRET not in answer.text, (path, answer)
        for call in ("posts/1", "posts/2", "posts/1/reactions", f"posts/1/reactions/{THUMB}"):
            assert (await reader.get(f"{tea.path}/{call}")).refusal == NO_POST
        assert ((await reader.get(tea.path)).body["last_post"] is not None) is posts_later
        assert (await reader.get(f"{tea.path}/pins")).items == []
        assert await tea.seqs(reader) == ([3] if posts_later else [])
    signed_out = shared_api.bearer(None)
    for page in PAGES:
        answer = await signed_out.get(f"/c/{part(id_of(tea.path))}{page}")
        assert (answer.status, SECRET in answer.text) == (200, False), page
    # The application's back end reads everything.
    assert await tea.seqs(shared_api.new_user("root", admin=True)) == [
        *range(2 + posts_later, 0, -1)
    ]


async def test_nobody_who_came_later_acts_on_what_was_written_before(shared_api: Api) -> None:
    tea = await a_tea_group(shared_api, history_visible=True)
    await tea.mark()
    stranger = shared_api.new_user("eve")
    subscriber, admin = await tea.a_subscriber(), await tea.an_admin()
    assert (await a_post(tea.ada, tea.path, "News"))["seq"] == 3
    for reader in (stranger, subscriber, admin):
        own = await a_channel(reader)
        for seq, status in ((1, NO_POST), (3, (201, None))):
            forward = {"forward": {"channel_id": id_of(tea.path), "seq": seq}}
            assert (await reader.post(f"{own}/posts", forward)).refusal == status
        # Also beside a member, in one batch.
        views, seqs = f"{tea.path}/posts/views", [1, 2, 3]
        by_member, seen = await asyncio.gather(
            *(user.post(views, {"seqs": seqs}) for user in (tea.ada, reader))
        )
        assert [post["seq"] for post in by_member.items] == seqs
        assert [post["seq"] for post in seen.items] == [3]
    for reader in (subscriber, admin):
        assert (await reader.put(f"{tea.path}/posts/1/reactions/{THUMB}")).refusal == NO_POST
        assert (await reader.get("/v1/unread")).body["channels"] == 1
    text = {"kind": "text", "text": "x"}
    assert (await admin.patch(f"{tea.path}/posts/1", text)).refusal == NO_POST
    assert (await admin.put(f"{tea.path}/posts/2/pin")).refusal == NO_POST
    assert (await admin.delete(f"{tea.path}/posts/1")).refusal == NO_POST


@pytest.mark.parametrize(
    ("history_visible", "seen_by_late"), [(True, [3, 2, 1]), (False, [3])], ids=["open", "hidden"]
)
async def test_members_from_before_see_what_they_saw(
    shared_api: Api, history_visible: bool, seen_by_late: Sequence[int]
) -> None:
    tea = await a_tea_group(shared_api, history_visible=history_visible)
    before = {
        user.id: (await user.get(f"{tea.group}/messages")).items for user in (tea.bob, tea.late)
    }
    shared_api.clock.move(seconds=1)
    await tea.mark()
    for user in (tea.bob, tea.late):
        # The last message stays in their list.
        [listed] = [
            item
            for item in (await user.get("/v1/conversations")).items
            if item["conversation_id"] == conversation_of(tea.group)
        ]
        assert (listed["last_message"] is not None) == bool(before[user.id])
        assert ((await user.get(tea.path)).body["last_post"] is not None) == bool(before[user.id])
    await a_post(tea.ada, tea.path, "News")
    assert await tea.seqs(tea.bob) == [3, 2, 1]
    assert await tea.seqs(tea.late) == seen_by_late
    # Who leaves and comes back is a new subscriber.
    assert (await tea.bob.delete(f"{tea.path}/subscription")).status == 204
    assert await tea.seqs(tea.bob) == [3]
    assert (await tea.bob.put(f"{tea.path}/subscription")).status == 200
    assert await tea.seqs(tea.bob) == [3]


async def test_who_joins_right_after_the_marking_is_no_member_from_before(shared_api: Api) -> None:
    tea = await a_tea_group(shared_api, history_visible=True)
    shared_api.clock.move(seconds=60)
    await tea.mark()
    # The clock of the process that lets them in is behind that of the one which marked.
    shared_api.clock.move(seconds=-60)
    new = await tea.a_subscriber()
    imported = shared_api.new_user("imported")
    root = shared_api.new_user("root", admin=True)
    sent = await root.call(
        "POST",
        f"{tea.path}/subscribers",
        data=f'{{"user_id": "{imported.id}"}}\n',
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert sent.lines[-1]["done"] is True
    assert [await tea.seqs(user) for user in (new, imported, tea.bob)] == [[], [], [2, 1]]


# --- sharing ----------------------------------------------------------------------------------------------------------


async def test_the_owner_shares_the_history_and_every_member_is_told(shared_api: Api) -> None:
    tea = await a_tea_group(shared_api)
    ears = await tea.late.socket()
    since = (await tea.bob.get("/v1/channels?subscribed=true")).body["sync_token"]
    marked = (await tea.mark(share_history=True)).body
    assert (marked["public_from_seq"], marked["history_shared_at"]) != (3, None)
    event = await ears.hear("channel.updated", channel_id=id_of(tea.path))
    assert event["changed"]["is_channel"] is True
    assert event["changed"]["public_from_seq"] == marked["public_from_seq"] == 1
    assert event["changed"]["history_shared_at"] == marked["history_shared_at"]
    # A device that was away learns it from the channel.
    [changed] = (await tea.bob.get(f"/v1/channels?subscribed=true&updated_since={since}")).items
    assert changed["history_shared_at"] == marked["history_shared_at"]
    stranger = shared_api.new_user("eve")
    assert (await stranger.get(tea.path)).body["history_shared_at"] is None
    for user in (tea.bob, tea.late, stranger, await tea.a_subscriber()):
        assert await tea.seqs(user) == [2, 1]
    assert (await tea.ada.put(f"{tea.path}/posts/2/pin")).status == 200
    assert [pin["seq"] for pin in (await stranger.get(f"{tea.path}/pins")).items] == [2]
    assert (await shared_api.bearer(None).get(f"/c/{part(id_of(tea.path))}")).text.count(SECRET)
    log = (await tea.ada.get(f"{tea.path}/admin-log")).items
    assert [(entry["action"], entry["after"]) for entry in log] == [
        ("post_pinned", {}),
        ("channel_created", {"history_shared": True}),
    ]
    await ears.close()


async def test_only_a_group_has_a_history_to_share(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    refused = await ada.post("/v1/channels", {"name": "News", "share_history": True})
    assert refused.refusal == (400, "invalid_request")
    assert refused.body["details"]["errors"][0]["field"] == "share_history"


async def test_asking_again_shares_nothing(shared_api: Api) -> None:
    tea = await a_tea_group(shared_api)
    await tea.mark()
    again = (await tea.mark(share_history=True)).body
    assert (again["public_from_seq"], again["history_shared_at"]) == (3, None)
    assert await tea.seqs(shared_api.new_user("eve")) == []


# --- deleting and changing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize(
    "became", ["subscriber", "stranger", "banned", "stranger of a private channel"]
)
async def test_authors_delete_what_they_wrote_before_whatever_they_are_now(
    shared_api: Api, became: str, shares: bool
) -> None:
    tea = await a_tea_group(shared_api)
    # Long after the time in which a member may delete a message of a group.
    shared_api.clock.move(seconds=shared_api.services.limits.recall_seconds + 1)
    await tea.mark(share_history=shares)
    if became == "subscriber":
        posts = (await tea.bob.get(f"{tea.path}/posts")).items
        assert [post["author_id"] for post in posts] == [None, tea.bob.id]
        assert (await tea.bob.get(f"{tea.path}/posts/1")).body["author_id"] == tea.bob.id
        assert (await tea.bob.delete(f"{tea.path}/posts/2")).refusal == DENIED
    elif became == "banned":
        gone = await tea.ada.call(
            "DELETE", f"{tea.path}/subscribers/{part(tea.bob.id)}", {"ban": True}
        )
        assert gone.status == 204
    else:
        assert (await tea.bob.delete(f"{tea.path}/subscription")).status == 204
    if became.endswith("private channel"):
        await tea.ada.patch(tea.path, {"settings": {"visibility": "private"}})
        assert (await tea.bob.get(tea.path)).refusal == (404, "channel_not_found")
        assert (await tea.bob.delete(f"{tea.path}/posts/2")).refusal == (404, "channel_not_found")
    for _ in range(2):
        assert (await tea.bob.delete(f"{tea.path}/posts/1")).status == 204
    left = (await tea.ada.get(f"{tea.path}/posts/1")).body
    assert (left["recalled_at"] is not None, left["text"]) == (True, None)
    assert SECRET not in (await tea.ada.get(f"{tea.path}/admin-log")).text


async def test_a_post_of_a_former_admin_is_not_theirs_to_delete(shared_api: Api) -> None:
    tea = await a_tea_group(shared_api)
    await tea.mark()
    bob_as_admin = f"{tea.path}/admins/{part(tea.bob.id)}"
    assert (await tea.ada.put(bob_as_admin)).status == 200
    post = await a_post(tea.bob, tea.path)
    assert (await tea.ada.delete(bob_as_admin)).status == 204
    assert (await tea.bob.delete(f"{tea.path}/posts/{post['seq']}")).refusal == DENIED


async def test_nothing_is_added_to_private_messages_and_events_do_not_show_them(
    shared_api: Api,
) -> None:
    tea = await a_tea_group(shared_api, history_visible=True)
    shared_api.clock.move(seconds=1)
    await tea.mark()
    new = await tea.a_subscriber()
    ears = await new.socket()
    await ears.tell(type="watch", conversation_id=conversation_of(tea.group))
    post, text = f"{tea.path}/posts/1", {"kind": "text", "text": f"{SECRET} changed"}
    assert (await tea.ada.get(post)).status == 200
    root = shared_api.new_user("root", admin=True)
    for user in (tea.ada, root):
        assert (await user.patch(post, text)).refusal == DENIED
        assert (await user.put(f"{post}/pin")).refusal == DENIED
    assert (await tea.bob.put(f"{post}/reactions/{THUMB}")).refusal == DENIED
    # The owner takes back their reaction and deletes the message: neither shows anything.
    assert (await tea.ada.delete(f"{post}/reactions/{THUMB}")).status == 200
    assert (await tea.ada.get(f"{post}/reactions")).body["total"] == 0
    assert (await tea.ada.delete(post)).status == 204
    events = await ears.until_now()
    assert [event["type"] for event in events] == ["message.recalled"]
    assert events[0]["post"]["text"] is None
    admin = await tea.an_admin()
    log = await admin.get(f"{tea.path}/admin-log")
    assert "post_deleted" in log.text
    assert SECRET not in log.text
    await ears.close()


# --- races ------------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="function")
async def test_a_post_is_behind_the_marking_or_refused(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(), await api(database=second_database)
    for _ in range(4):
        tea = await a_tea_group(here)
        writer = there.user_of(tea.bob.id)

        async def write(n: int, writer: User = writer, tea: _Tea = tea) -> Answer:
            await asyncio.sleep(0.002 * n)
            return await writer.post(f"{tea.group}/messages", {"kind": "text", "text": f"m{n}"})

        async def mark(tea: _Tea = tea) -> Answer:
            await asyncio.sleep(0.01)
            return await tea.mark()

        marked, *answers = await asyncio.gather(mark(), *(write(n) for n in range(12)))
        posted = [answer.body["seq"] for answer in answers if answer.status == 201]
        assert {answer.refusal for answer in answers if answer.status != 201} <= {
            (403, "posting_not_allowed")
        }
        shown = (await tea.ada.get(tea.path)).body
        assert shown["public_from_seq"] == shown["head_seq"] + 1 == max([2, *posted]) + 1
        assert marked.body["public_from_seq"] == shown["public_from_seq"]
        assert await tea.seqs(here.new_user("eve")) == []


async def test_the_last_group_of_a_page_of_conversations_shows_no_earlier_message(
    shared_api: Api,
) -> None:
    tea = await a_tea_group(shared_api)
    await tea.mark()
    new = await tea.a_subscriber()
    [listed] = (await new.get("/v1/conversations")).items
    assert (listed["last_message"], listed["unread_count"]) == (None, 0)
    one = await new.get(f"/v1/conversations/{part(conversation_of(tea.group))}")
    assert one.body["last_message"] is None
    assert (await new.get(group_path(tea.path))).body["head_seq"] == 2
