"""P8: an operation costs the database the same in a channel of ten members and of a hundred thousand.

The tests measure no time. They count commands by name and collection, and the documents and index keys examined.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
import pytest_asyncio

from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId, join_key
from groups.models import message_key, stream_of
from tests.api import (
    Answer,
    Api,
    Ears,
    User,
    a_channel,
    a_post,
    conversation_of,
    id_of,
    part,
    the_app,
)
from tests.builders import seed_members
from tests.cost.conftest import Watched
from tests.probes import Work

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEW: Final = 10
MANY: Final = 100_000
POSTS: Final = 30
COMMENT: Final[dict[str, Any]] = {"kind": "text", "text": "Well"}

Act = Callable[[], Awaitable[Answer]]


@dataclass(slots=True)
class Stage:
    """A channel with its owner, a subscriber and a stranger."""

    api: Api
    path: str
    owner: User
    stranger: User
    reader: User
    """A subscriber of this channel alone, with unread posts."""
    ears: Ears
    """The owner's socket. When it has received an event, the process has too."""
    changes: int = 0

    async def settle(self) -> None:
        """Wait until the process has received all events, and has filled its caches."""
        await self.ears.until_now()
        assert (await self.owner.get(self.path)).status == 200

    async def subscriber(self) -> User:
        """A new subscriber."""
        user = self.api.new_user("sub")
        assert (await user.put(f"{self.path}/subscription")).status == 200
        return user

    async def post(self) -> str:
        """Post; returns the path of the post."""
        return f"{self.path}/posts/{(await a_post(self.owner, self.path))['seq']}"

    async def buttons(self) -> str:
        """Post buttons; returns the path of the post."""
        rows = [
            [
                {"text": "Order", "kind": "event", "data": "tea"},
                {"text": "Call", "kind": "reply", "reply": "Call me"},
            ]
        ]
        body = {"kind": "text", "text": "Tea?", "buttons": rows}
        offered = await self.owner.post(f"{self.path}/posts", body)
        return f"{self.path}/posts/{offered.body['seq']}"

    async def poll(self) -> str:
        """Post a poll; returns the path of the post."""
        poll = {"question": "Tea?", "options": ["Yes", "No"], "results": "after_vote"}
        asked = await self.owner.post(f"{self.path}/posts", {"kind": "poll", "poll": poll})
        assert asked.status == 201, asked
        return f"{self.path}/posts/{asked.body['seq']}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages(watched: Watched) -> AsyncIterator[tuple[Stage, Stage]]:
    """Two channels of ten and of a hundred thousand members, alike otherwise."""
    # The large one first. Making it can take a minute, and an unread socket of the small one would be closed meanwhile.
    many = await a_stage(watched.api, MANY)
    few = await a_stage(watched.api, FEW)
    yield few, many
    await asyncio.gather(few.ears.close(), many.ears.close())


async def a_stage(api: Api, members: int) -> Stage:
    owner, reader = api.new_user("owner"), api.new_user("reader")
    path = await a_channel(owner, reader)
    database = api.services.database
    await seed_members(database, GroupId(id_of(path)), members - 2)
    assert (await owner.get(path)).body["subscriber_count"] == members
    stage = Stage(api, path, owner, api.new_user("stranger"), reader, await owner.socket())
    thumb = part("👍")
    for _ in range(POSTS):
        post = await stage.post()
        assert (await reader.put(f"{post}/reactions/{thumb}")).status == 200
    return stage


# --- the operations: each is prepared, and returns the call whose cost counts -----------------------------------------


async def post(stage: Stage) -> Act:
    return lambda: stage.owner.post(f"{stage.path}/posts", {"kind": "text", "text": "Hello"})


async def read_as_subscriber(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts?limit=20")


async def read_as_stranger(stage: Stage) -> Act:
    return lambda: stage.stranger.get(f"{stage.path}/posts?limit=20")


async def read_further_back(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts?limit=5&before_seq=20")


async def read_one(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts/7")


async def react(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await stage.post()
    return lambda: who.put(f"{post}/reactions/{part('👍')}")


async def replace_a_reaction(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await stage.post()
    await who.put(f"{post}/reactions/{part('👍')}")
    return lambda: who.put(f"{post}/reactions/{part('🎉')}")


async def unreact(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await stage.post()
    await who.put(f"{post}/reactions/{part('👍')}")
    return lambda: who.delete(f"{post}/reactions/{part('👍')}")


async def vote(stage: Stage) -> Act:
    who, poll = await stage.subscriber(), await stage.poll()
    return lambda: who.put(f"{poll}/vote", {"options": [0]})


async def press(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await stage.buttons()
    return lambda: who.put(f"{post}/buttons/0/press")


async def press_again(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await stage.buttons()
    assert (await who.put(f"{post}/buttons/0/press")).status == 200
    return lambda: who.put(f"{post}/buttons/0/press")


async def read_buttons(stage: Stage) -> Act:
    """A page with buttons, of which the reader has pressed some."""
    for _ in range(3):
        post = await stage.buttons()
        assert (await stage.reader.put(f"{post}/buttons/0/press")).status == 200
    return lambda: stage.reader.get(f"{stage.path}/posts?limit=20")


async def replace_a_vote(stage: Stage) -> Act:
    who, poll = await stage.subscriber(), await stage.poll()
    assert (await who.put(f"{poll}/vote", {"options": [0]})).status == 200
    return lambda: who.put(f"{poll}/vote", {"options": [1]})


async def close_a_poll(stage: Stage) -> Act:
    poll = await stage.poll()
    assert (await stage.reader.put(f"{poll}/vote", {"options": [0]})).status == 200
    return lambda: stage.owner.post(f"{poll}/poll/close")


async def read_polls(stage: Stage) -> Act:
    """A page with polls, in which the reader has voted."""
    for _ in range(3):
        poll = await stage.poll()
        assert (await stage.reader.put(f"{poll}/vote", {"options": [0]})).status == 200
    return lambda: stage.reader.get(f"{stage.path}/posts?limit=20")


async def an_asking_post(stage: Stage) -> str:
    asking = {"kind": "text", "text": "Read this", "acknowledge": True}
    posted = await stage.owner.post(f"{stage.path}/posts", asking)
    assert posted.status == 201
    return f"{stage.path}/posts/{posted.body['seq']}"


async def acknowledge(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await an_asking_post(stage)
    return lambda: who.put(f"{post}/acknowledgement")


async def read_asking_posts(stage: Stage) -> Act:
    """A page with posts that ask to be acknowledged, as the reader did."""
    for _ in range(3):
        post = await an_asking_post(stage)
        assert (await stage.reader.put(f"{post}/acknowledgement")).status == 200
    return lambda: stage.reader.get(f"{stage.path}/posts?limit=20")


async def list_given(stage: Stage) -> Act:
    post = await an_asking_post(stage)
    assert (await stage.reader.put(f"{post}/acknowledgement")).status == 200
    return lambda: stage.owner.get(f"{post}/acknowledgements")


async def remind(stage: Stage) -> Act:
    post = await an_asking_post(stage)
    return lambda: stage.owner.post(f"{post}/acknowledgements/reminder")


async def report_views(stage: Stage) -> Act:
    who, post = stage.api.new_user("viewer"), await stage.post()
    # For each post, the message and the sketch are read and written: four documents.
    seen = {"seqs": [*range(1, 10), int(post.rpartition("/")[2])]}
    return lambda: who.post(f"{stage.path}/posts/views", seen)


async def report_views_again(stage: Stage) -> Act:
    seen = {"seqs": list(range(1, 21))}
    assert (await stage.reader.post(f"{stage.path}/posts/views", seen)).status == 200
    return lambda: stage.reader.post(f"{stage.path}/posts/views", seen)


LINK: Final = "https://example.org/"


async def a_linked_post(stage: Stage) -> str:
    """Post a link in a channel that counts clicks; returns the path of its clicks."""
    settings = {"settings": {"count_clicks": True}}
    assert (await stage.owner.patch(stage.path, settings)).status == 200
    seq = (await a_post(stage.owner, stage.path, f"See {LINK}"))["seq"]
    return f"{stage.path}/posts/{seq}/clicks"


async def click_first(stage: Stage) -> Act:
    path, who = await a_linked_post(stage), stage.api.new_user("clicker")
    return lambda: who.post(path, {"url": LINK})


async def click_further(stage: Stage) -> Act:
    path, who = await a_linked_post(stage), stage.api.new_user("clicker")
    assert (await stage.reader.post(path, {"url": LINK})).status == 204
    return lambda: who.post(path, {"url": LINK})


async def click_again(stage: Stage) -> Act:
    path = await a_linked_post(stage)
    assert (await stage.reader.post(path, {"url": LINK})).status == 204
    return lambda: stage.reader.post(path, {"url": LINK})


async def show_clicks(stage: Stage) -> Act:
    path = await a_linked_post(stage)
    return lambda: stage.owner.get(path)


async def show_insights(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/insights")


async def show_insights_of_posts(stage: Stage) -> Act:
    await a_linked_post(stage)  # a page without links asks for no clicks
    return lambda: stage.owner.get(f"{stage.path}/insights/posts?limit=20")


async def mute_the_channel(stage: Stage) -> Act:
    who = await stage.subscriber()
    conversation = part(conversation_of(stage.path))
    return lambda: who.patch(f"/v1/conversations/{conversation}", {"muted": True})


async def _a_commented_post(stage: Stage) -> str:
    settings = {"settings": {"comments": "everyone"}}
    assert (await stage.owner.patch(stage.path, settings)).status == 200
    post = await stage.post()
    assert (await stage.reader.post(f"{post}/comments", COMMENT)).status == 201
    return post


async def begin_the_comments(stage: Stage) -> Act:
    await _a_commented_post(stage)
    post = await stage.post()
    return lambda: stage.reader.post(f"{post}/comments", COMMENT)


async def comment(stage: Stage) -> Act:
    post = await _a_commented_post(stage)
    return lambda: stage.stranger.post(f"{post}/comments", COMMENT)


async def comment_on_ones_own_post(stage: Stage) -> Act:
    post = await _a_commented_post(stage)
    return lambda: stage.owner.post(f"{post}/comments", COMMENT)


async def read_comments(stage: Stage) -> Act:
    post = await _a_commented_post(stage)
    for quoted_seq in range(1, 10):
        body = {**COMMENT, "quoted_seq": quoted_seq}
        assert (await stage.stranger.post(f"{post}/comments", body)).status == 201
    return lambda: stage.reader.get(f"{post}/comments?limit=10")


async def read_commented_posts(stage: Stage) -> Act:
    for _ in range(3):
        await _a_commented_post(stage)
    return lambda: stage.reader.get(f"{stage.path}/posts?limit=20")


async def delete_a_comment(stage: Stage) -> Act:
    post = await _a_commented_post(stage)
    return lambda: stage.reader.delete(f"{post}/comments/1")


async def delete_a_commented_post(stage: Stage) -> Act:
    post = await _a_commented_post(stage)
    return lambda: stage.owner.delete(post)


async def react_to_a_comment(stage: Stage) -> Act:
    post = await _a_commented_post(stage)
    return lambda: stage.stranger.put(f"{post}/comments/1/reactions/{part('👍')}")


async def ban_from_commenting(stage: Stage) -> Act:
    who = part(stage.api.new_user("banned").id)
    return lambda: stage.owner.put(f"{stage.path}/comment-bans/{who}")


async def freeze_comments(stage: Stage) -> Act:
    post = await stage.post()
    return lambda: stage.owner.put(f"{post}/comments-freeze")


async def who_reacted(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/posts/7/reactions/{part('👍')}")


async def subscribe(stage: Stage) -> Act:
    who = stage.api.new_user("new")
    return lambda: who.put(f"{stage.path}/subscription")


async def a_link(owner: User, path: str, **body: object) -> str:
    """The path of the calls for those who have a new invite link."""
    made = await owner.post(f"{path}/invite-links", body)
    assert made.status == 201, made
    return f"/v1/invite-links/{made.body['code']}"


async def preview_a_link(stage: Stage) -> Act:
    who, path = stage.api.new_user("new"), await a_link(stage.owner, stage.path)
    return lambda: who.get(path)


async def join_by_a_link(stage: Stage) -> Act:
    who = stage.api.new_user("new")
    path = await a_link(stage.owner, stage.path, max_uses=5)
    return lambda: who.post(f"{path}/join")


async def make_a_link(stage: Stage) -> Act:
    return lambda: stage.owner.post(f"{stage.path}/invite-links", {"max_uses": 5})


async def subscribe_again(stage: Stage) -> Act:
    return lambda: stage.reader.put(f"{stage.path}/subscription")


async def unsubscribe(stage: Stage) -> Act:
    who = await stage.subscriber()
    return lambda: who.delete(f"{stage.path}/subscription")


async def add_a_subscriber(stage: Stage) -> Act:
    who = part(stage.api.new_user("added").id)
    app = the_app(stage.owner)
    return lambda: app.put(f"{stage.path}/subscribers/{who}")


async def invite_a_subscriber(stage: Stage) -> Act:
    who = part(stage.api.new_user("invited").id)
    return lambda: stage.owner.put(f"{stage.path}/subscribers/{who}")


async def accept_an_invitation(stage: Stage) -> Act:
    who = stage.api.new_user("invited")
    await stage.owner.put(f"{stage.path}/subscribers/{part(who.id)}")
    return lambda: who.post(f"{stage.path}/invitations/me", {"accept": True})


async def list_subscribers(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/subscribers?limit=5")


async def list_further_subscribers(stage: Stage) -> Act:
    first = await stage.owner.get(f"{stage.path}/subscribers?limit=2&q=u")
    cursor = first.body["next_cursor"]
    return lambda: stage.owner.get(f"{stage.path}/subscribers?limit=2&q=u&cursor={cursor}")


async def search_subscribers(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/subscribers?limit=3&q=u000000")


async def list_the_staff(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/subscribers?staff=true")


async def list_the_banned(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/bans")


async def kick(stage: Stage) -> Act:
    who = part((await stage.subscriber()).id)
    return lambda: stage.owner.delete(f"{stage.path}/subscribers/{who}")


async def ban(stage: Stage) -> Act:
    who = part((await stage.subscriber()).id)
    return lambda: stage.owner.delete(f"{stage.path}/subscribers/{who}?ban=true")


async def appoint_an_admin(stage: Stage) -> Act:
    who = part((await stage.subscriber()).id)
    return lambda: stage.owner.put(f"{stage.path}/admins/{who}")


async def show_the_channel(stage: Stage) -> Act:
    return lambda: stage.reader.get(stage.path)


async def show_the_channel_to_a_stranger(stage: Stage) -> Act:
    return lambda: stage.stranger.get(stage.path)


async def change_the_channel(stage: Stage) -> Act:
    stage.changes += 1
    text = f"Changed {stage.changes} times"
    return lambda: stage.owner.patch(stage.path, {"introduction": text})


async def list_conversations(stage: Stage) -> Act:
    return lambda: stage.reader.get("/v1/conversations")


async def unread_totals(stage: Stage) -> Act:
    return lambda: stage.reader.get("/v1/unread")


async def mark_read(stage: Stage) -> Act:
    await stage.post()
    conversation = part(conversation_of(stage.path))
    return lambda: stage.reader.post(f"/v1/conversations/{conversation}/read", {})


async def mark_all_read(stage: Stage) -> Act:
    await stage.post()
    return lambda: stage.reader.post("/v1/read", {"scope": "all"})


async def edit(stage: Stage) -> Act:
    post = await stage.post()
    return lambda: stage.owner.patch(post, {"kind": "text", "text": "Better"})


async def recall(stage: Stage) -> Act:
    post = await stage.post()
    return lambda: stage.owner.delete(post)


async def forward(stage: Stage) -> Act:
    source = {"forward": {"channel_id": id_of(stage.path), "seq": 7}}
    return lambda: stage.owner.post(f"{stage.path}/posts", source)


async def pin(stage: Stage) -> Act:
    post = await stage.post()
    await stage.owner.put(f"{post}/pin")
    await stage.owner.delete(f"{post}/pin")
    return lambda: stage.owner.put(f"{post}/pin")


async def list_pins(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/pins")


async def freeze_reactions(stage: Stage) -> Act:
    post = await stage.post()
    return lambda: stage.owner.put(f"{post}/reactions-freeze")


async def schedule_a_post(stage: Stage) -> Act:
    at = rfc3339(stage.api.clock.now() + timedelta(days=1))
    body = {"post": {"kind": "text", "text": "Hello"}, "publish_at": at}
    return lambda: stage.owner.post(f"{stage.path}/drafts", body)


async def list_scheduled_posts(stage: Stage) -> Act:
    return lambda: stage.owner.get(f"{stage.path}/drafts?scheduled=true")


async def publish_a_draft(stage: Stage) -> Act:
    body = {"post": {"kind": "text", "text": "Hello"}}
    draft = (await stage.owner.post(f"{stage.path}/drafts", body)).body["draft_id"]
    return lambda: stage.owner.post(f"{stage.path}/drafts/{draft}/publish")


async def sync_subscriptions(stage: Stage) -> Act:
    mine = "/v1/channels?subscribed=true"
    token = (await stage.reader.get(mine)).body["sync_token"]
    stage.changes += 1
    changed = await stage.owner.patch(stage.path, {"introduction": f"Change {stage.changes}"})
    assert changed.status == 200
    return lambda: stage.reader.get(f"{mine}&updated_since={token}")


async def start(stage: Stage) -> Act:
    return lambda: stage.reader.get("/v1/sync")


async def sync_nothing(stage: Stage) -> Act:
    token = (await stage.reader.get("/v1/sync")).body["sync_token"]
    return lambda: stage.reader.get(f"/v1/sync?since={token}")


async def sync_a_change(stage: Stage) -> Act:
    token = (await stage.reader.get("/v1/sync")).body["sync_token"]
    await stage.post()
    return lambda: stage.reader.get(f"/v1/sync?since={token}")


async def verify_the_channel(stage: Stage) -> Act:
    app = stage.api.new_user("app", admin=True)
    assert (await app.delete(f"{stage.path}/verified")).status == 204
    return lambda: app.put(f"{stage.path}/verified")


async def report_a_post(stage: Stage) -> Act:
    target = {"type": "post", "channel_id": id_of(stage.path), "seq": 1}
    about = {"target": target, "reason": "spam"}
    assert (await stage.reader.post("/v1/reports", about)).status in {200, 201}
    return lambda: stage.reader.post("/v1/reports", about | {"reason": "other"})


async def hide_the_channel(stage: Stage) -> Act:
    """It is hidden, and shown again."""
    app = stage.api.new_user("app", admin=True)

    async def act() -> Answer:
        hidden = await app.put(f"{stage.path}/suspension", {"mode": "hidden", "reason": "Spam"})
        assert hidden.status == 204, hidden
        return await app.delete(f"{stage.path}/suspension")

    return act


OPERATIONS: Final = [
    report_a_post,
    hide_the_channel,
    sync_subscriptions,
    start,
    sync_nothing,
    sync_a_change,
    verify_the_channel,
    post,
    read_as_subscriber,
    read_as_stranger,
    read_further_back,
    read_one,
    react,
    replace_a_reaction,
    unreact,
    vote,
    replace_a_vote,
    close_a_poll,
    read_buttons,
    press,
    press_again,
    read_polls,
    acknowledge,
    read_asking_posts,
    remind,
    report_views,
    report_views_again,
    click_first,
    click_further,
    click_again,
    show_clicks,
    show_insights,
    show_insights_of_posts,
    mute_the_channel,
    who_reacted,
    subscribe,
    subscribe_again,
    preview_a_link,
    join_by_a_link,
    make_a_link,
    unsubscribe,
    add_a_subscriber,
    invite_a_subscriber,
    accept_an_invitation,
    list_subscribers,
    list_further_subscribers,
    search_subscribers,
    list_the_staff,
    kick,
    ban,
    list_the_banned,
    appoint_an_admin,
    show_the_channel,
    show_the_channel_to_a_stranger,
    change_the_channel,
    list_conversations,
    unread_totals,
    mark_read,
    mark_all_read,
    edit,
    recall,
    forward,
    pin,
    list_pins,
    freeze_reactions,
    begin_the_comments,
    comment,
    comment_on_ones_own_post,
    read_comments,
    read_commented_posts,
    delete_a_comment,
    delete_a_commented_post,
    react_to_a_comment,
    ban_from_commenting,
    freeze_comments,
    schedule_a_post,
    list_scheduled_posts,
    publish_a_draft,
]


SCANS: Final = 3
"""No operation makes more scans that end beside what belongs to another group."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
async def test_it_costs_the_same_with_100_000_members_as_with_ten(
    watched: Watched,
    stages: tuple[Stage, Stage],
    operation: Callable[[Stage], Awaitable[Act]],
) -> None:
    # The first call makes connections and fills caches, and the database tries out plans.
    for stage in stages:
        await cost_of(watched, operation, stage)
    few, many = [await cost_of(watched, operation, stage) for stage in stages]
    assert (few.commands, few.documents) == (many.commands, many.documents)
    # A scan ends at the first key beyond its range, which counts, or at the end of the index, which does not. Which one
    # depends on what is stored next to it: other groups, and what the application restricts users to.
    assert abs(few.keys - many.keys) <= SCANS
    assert sum(many.commands.values()) > 0
    # No operation examines more than a page.
    assert many.documents <= 60, many
    assert many.keys <= 150, many


async def cost_of(
    watched: Watched, operation: Callable[[Stage], Awaitable[Act]], stage: Stage
) -> Work:
    act = await operation(stage)
    await stage.settle()
    await watched.probe.take()
    answer = await act()
    assert answer.status < 300, answer
    return await watched.probe.take()


async def test_the_probe_finds_a_growing_cost(
    watched: Watched, stages: tuple[Stage, Stage]
) -> None:
    """The probe must find a count of the members, which no operation above does."""
    costs: list[Any] = []
    members = watched.api.services.database.collection("members")
    for stage in stages:
        await watched.probe.take()
        group_id = GroupId(id_of(stage.path))
        of_group = {"$gt": join_key(group_id, ""), "$lt": join_key(group_id, "\U0010ffff")}
        await members.count_documents({"_id": of_group, "role": "member"})
        costs.append(await watched.probe.take())
    few, many = costs
    assert few.commands == many.commands == {"aggregate members": 1}
    assert few.documents < 200
    assert many.documents >= MANY - 2


async def test_fifty_users_are_looked_up_with_two_commands(watched: Watched) -> None:
    ada = watched.api.new_user("ada")
    ids = ",".join([ada.id, *(f"none{number}" for number in range(49))])
    await watched.probe.take()
    assert len((await ada.get(f"/v1/users?ids={ids}")).items) == 50
    # Those without a profile may be owners of channels that the caller may know of.
    assert (await watched.probe.take()).commands == {"find users": 1, "find groups": 1}


async def test_a_page_costs_one_command_however_many_reacted(
    watched: Watched, stages: tuple[Stage, Stage]
) -> None:
    stage = stages[0]
    reactions = watched.api.services.database.collection("reactions")
    stream_id = stream_of(GroupId(id_of(stage.path)))
    await cost_of(watched, read_as_subscriber, stage)
    before = await cost_of(watched, read_as_subscriber, stage)
    assert before.commands == {"aggregate groups": 1}
    crowd = [
        {"_id": join_key(key, user, "👍"), "message_id": key, "user_id": user, "emoji": "👍"}
        for key in (message_key(stream_id, seq) for seq in range(1, POSTS + 1))
        for user in (f"crowd{number}" for number in range(100))
    ]
    await reactions.insert_many(crowd)
    try:
        after = await cost_of(watched, read_as_subscriber, stage)
    finally:
        await reactions.delete_many({"user_id": {"$regex": "^crowd"}})
    assert (after.commands, after.documents) == (before.commands, before.documents)
    # As above, the key beyond a range counts if there is one. Each message has a range of its own.
    assert 0 <= after.keys - before.keys <= 21
