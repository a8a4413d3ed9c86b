"""The database commands of each operation: one more command here is one more for every post.

`test_flat_cost` compares a small channel with a large one, so it finds costs that grow, but not one that all pay. A
commit that changes a list here says why, and what it costs (`channels bench`).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import pytest
import pytest_asyncio

from conversations.models import Dialogue
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Kind
from tests.api import (
    Answer,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    id_of,
    part,
)
from tests.cost.conftest import Watched
from tests.cost.test_flat_cost import (
    COMMENT,
    OPERATIONS,
    Act,
    Stage,
    a_link,
    a_stage,
    accept_an_invitation,
    acknowledge,
    add_a_subscriber,
    appoint_an_admin,
    ban,
    ban_from_commenting,
    begin_the_comments,
    change_the_channel,
    click_again,
    click_first,
    click_further,
    close_a_poll,
    comment,
    comment_on_ones_own_post,
    cost_of,
    delete_a_comment,
    delete_a_commented_post,
    edit,
    forward,
    freeze_comments,
    freeze_reactions,
    hide_the_channel,
    invite_a_subscriber,
    join_by_a_link,
    kick,
    list_conversations,
    list_further_subscribers,
    list_given,
    list_pins,
    list_scheduled_posts,
    list_subscribers,
    list_the_banned,
    list_the_staff,
    make_a_link,
    mark_all_read,
    mark_read,
    mute_the_channel,
    pin,
    post,
    press,
    press_again,
    preview_a_link,
    publish_a_draft,
    react,
    react_to_a_comment,
    read_as_stranger,
    read_as_subscriber,
    read_asking_posts,
    read_buttons,
    read_commented_posts,
    read_comments,
    read_further_back,
    read_one,
    read_polls,
    recall,
    remind,
    replace_a_reaction,
    replace_a_vote,
    report_a_post,
    report_views,
    report_views_again,
    schedule_a_post,
    search_subscribers,
    show_clicks,
    show_insights,
    show_insights_of_posts,
    show_the_channel,
    show_the_channel_to_a_stranger,
    start,
    subscribe,
    subscribe_again,
    sync_a_change,
    sync_nothing,
    sync_subscriptions,
    unreact,
    unread_totals,
    unsubscribe,
    verify_the_channel,
    vote,
    who_reacted,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

Operation = Callable[[Stage], Awaitable[Act]]

LIKE: Final = part("👍")
CALLERS: Final = 12
MOST_BATCHES: Final = CALLERS // 2
"""Over HTTP some callers arrive a moment later than the others."""
FEW_BATCHES: Final = 8  # of 64 callers


async def write_to_a_user(stage: Stage) -> Act:
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    said = {"kind": "text", "text": "Hello"}
    assert (await stage.owner.post(path, said)).status == 201
    return lambda: stage.owner.post(path, said)


async def post_to_devices(stage: Stage) -> Act:
    """A post while a subscriber has a device, so that it is announced."""
    assert (await (await register_a_device(stage))()).status == 200
    return await post(stage)


async def read_a_dialogue(stage: Stage) -> Act:
    await write_to_a_user(stage)
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    return lambda: stage.owner.get(f"{path}?limit=20")


async def read_forward(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts?after_seq=3&limit=20")


async def read_changes(stage: Stage) -> Act:
    await stage.owner.patch(f"{stage.path}/posts/2", {"kind": "text", "text": "Better"})
    return lambda: stage.reader.get(f"{stage.path}/posts?changed_since=0&limit=20")


async def read_around(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts?around_seq=3&limit=20")


async def read_around_the_first_unread(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts?around=unread&limit=20")


async def read_changes_of_a_dialogue(stage: Stage) -> Act:
    await (await edit_in_a_dialogue(stage))()
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    return lambda: stage.owner.get(f"{path}?changed_since=0&limit=20")


async def read_a_dialogue_around_the_first_unread(stage: Stage) -> Act:
    await write_to_a_user(stage)
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    return lambda: stage.owner.get(f"{path}?around=unread&limit=20")


async def leave_a_chat(stage: Stage) -> Act:
    path = await a_chat_group(stage.owner, stage.reader)
    return lambda: stage.reader.delete(f"{path}/members/me")


async def write_to_a_chat(stage: Stage) -> Act:
    path = await a_chat_group(stage.owner, stage.reader)
    return lambda: stage.owner.post(f"{path}/messages", {"kind": "text", "text": "Hello"})


async def read_a_chat(stage: Stage) -> Act:
    path = await a_chat_group(stage.owner, stage.reader)
    await a_post(stage.owner, path)
    return lambda: stage.reader.get(f"{path}/messages?limit=20")


async def edit_in_a_dialogue(stage: Stage) -> Act:
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    said = (await stage.owner.post(path, {"kind": "text", "text": "Hello"})).body
    better = {"kind": "text", "text": "Better"}
    return lambda: stage.owner.patch(f"{path}/{said['seq']}", better)


async def recall_in_a_dialogue(stage: Stage) -> Act:
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    said = (await stage.owner.post(path, {"kind": "text", "text": "Hello"})).body
    return lambda: stage.owner.delete(f"{path}/{said['seq']}")


async def react_in_a_dialogue(stage: Stage) -> Act:
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    said = (await stage.owner.post(path, {"kind": "text", "text": "Hello"})).body
    return lambda: stage.owner.put(f"{path}/{said['seq']}/reactions/{LIKE}")


async def react_to_what_has_reactions(stage: Stage) -> Act:
    who, post = await stage.subscriber(), await stage.post()
    assert (await stage.reader.put(f"{post}/reactions/{LIKE}")).status == 200
    return lambda: who.put(f"{post}/reactions/{LIKE}")


async def _an_inbox(stage: Stage) -> tuple[User, str, Act]:
    """A channel whose owner has no socket, since the server would read the total of the inbox for it."""
    owner = stage.api.new_user("owner")
    path = await a_channel(owner, stage.reader)
    messages = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    return owner, path, lambda: stage.reader.post(messages, {"kind": "text", "text": "Hello"})


async def write_to_a_channel(stage: Stage) -> Act:
    _, _, write = await _an_inbox(stage)
    await write()
    return write


async def write_stop_to_a_channel(stage: Stage) -> Act:
    _, path, write = await _an_inbox(stage)
    await write()
    messages = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    return lambda: stage.reader.post(messages, {"kind": "text", "text": "Stop"})


async def answer_for_a_channel(stage: Stage) -> Act:
    owner, path, write = await _an_inbox(stage)
    await write()
    answers = f"{path}/inbox/{part(stage.reader.id)}/messages"
    return lambda: owner.post(answers, {"kind": "text", "text": "Welcome"})


async def read_for_a_channel(stage: Stage) -> Act:
    owner, path, write = await _an_inbox(stage)
    await write()
    return lambda: owner.post(f"{path}/inbox/{part(stage.reader.id)}/read")


async def list_an_inbox(stage: Stage) -> Act:
    owner, path, write = await _an_inbox(stage)
    await write()
    return lambda: owner.get(f"{path}/inbox?limit=20")


async def show_unread_of_an_inbox(stage: Stage) -> Act:
    owner, path, write = await _an_inbox(stage)
    await write()
    return lambda: owner.get(f"{path}/inbox/unread")


async def put_into_a_conversation_group(stage: Stage) -> Act:
    path = f"/v1/conversation-groups/{part(fresh('Tab'))}"
    await stage.reader.put(path)
    added = {"add": [conversation_of(stage.path)]}
    return lambda: stage.reader.post(f"{path}/conversations", added)


async def _a_link_with_requests(stage: Stage) -> tuple[str, str]:
    """A channel where somebody asked to subscribe, and the path of the calls for those who have the link."""
    path = await a_channel(stage.owner)
    link = await a_link(stage.owner, path, approval=True)
    await stage.api.new_user("first").post(f"{link}/join")
    return path, link


async def ask_by_a_link(stage: Stage) -> Act:
    who, (_, link) = stage.api.new_user("new"), await _a_link_with_requests(stage)
    return lambda: who.post(f"{link}/join", {"text": "May I?"})


async def approve_a_request(stage: Stage) -> Act:
    who, (path, link) = stage.api.new_user("new"), await _a_link_with_requests(stage)
    await who.post(f"{link}/join")
    return lambda: stage.owner.post(f"{path}/join-requests/{part(who.id)}", {"approve": True})


async def subscribe_where_somebody_asked(stage: Stage) -> Act:
    who, (path, _) = stage.api.new_user("new"), await _a_link_with_requests(stage)
    return lambda: who.put(f"{path}/subscription")


async def list_join_requests(stage: Stage) -> Act:
    path, _ = await _a_link_with_requests(stage)
    return lambda: stage.owner.get(f"{path}/join-requests")


def a_device(pushkey: str) -> dict[str, str]:
    return {"platform": "gateway", "pushkey": pushkey, "app_id": "app", "locale": "en"}


async def read_the_feed(stage: Stage) -> Act:
    return lambda: stage.reader.get("/v1/feed?limit=20")


async def search_messages(stage: Stage) -> Act:
    await a_post(stage.owner, stage.path, "A word to find")
    return lambda: stage.reader.get("/v1/search/messages?q=wor")


async def search_words_in_one_channel(stage: Stage) -> Act:
    await a_post(stage.owner, stage.path, "A word to find")
    path = f"/v1/search/messages?conversation_id={part(conversation_of(stage.path))}"
    return lambda: stage.reader.get(f"{path}&q=word%20find")


async def show_a_menu(stage: Stage) -> Act:
    entries = [{"text": "Call me", "kind": "event", "data": "call"}]
    assert (await stage.owner.put(f"{stage.path}/menu", {"entries": entries})).status == 200
    return lambda: stage.reader.get(f"{stage.path}/menu")


async def choose_an_event_of_a_menu(stage: Stage) -> Act:
    await show_a_menu(stage)
    return lambda: stage.reader.post(f"{stage.path}/menu/selections", {"entry": "1"})


async def subscribe_where_the_channel_greets(stage: Stage) -> Act:
    path, who = await a_channel(stage.owner), stage.api.new_user("new")
    assert (await stage.owner.put(f"{path}/greeting", {"text": "Welcome"})).status == 200
    return lambda: who.put(f"{path}/subscription")


async def register_a_device(stage: Stage) -> Act:
    device = a_device(fresh("key"))
    return lambda: stage.reader.put(f"/v1/devices/{device['pushkey']}", device)


async def register_a_device_again(stage: Stage) -> Act:
    act = await register_a_device(stage)
    assert (await act()).status == 200
    return act


async def take_a_device_over(stage: Stage) -> Act:
    device = a_device(fresh("key"))
    await stage.owner.put("/v1/devices/other", a_device(fresh("key")))
    await stage.owner.put("/v1/devices/phone", device)
    return lambda: stage.reader.put(f"/v1/devices/{device['pushkey']}", device)


async def delete_a_device(stage: Stage) -> Act:
    await stage.reader.put("/v1/devices/phone", a_device(fresh("key")))
    return lambda: stage.reader.delete("/v1/devices/phone")


async def list_devices(stage: Stage) -> Act:
    return lambda: stage.reader.get("/v1/devices")


OF_A_TRANSACTION: Final = {"insert events": 1, "commitTransaction": 1}
OF_ACCESS: Final = {"find members": 1, "find groups": 1}
OF_A_READ: Final = {**OF_ACCESS, "find messages": 1, "aggregate tallies": 1}
OF_ALL_CONVERSATIONS: Final = {"find members": 1, "find conversations": 1, "find streams": 1}

LOOK_UP: Final = "aggregate"
"""Several queries in one command, which is sent to the database and to no collection."""

COMMANDS: Final[dict[Operation, dict[str, int]]] = {
    post: {
        LOOK_UP: 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    post_to_devices: {
        LOOK_UP: 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    report_a_post: {
        **OF_ACCESS,
        "find messages": 1,
        LOOK_UP: 1,
        "update reports": 1,
        "update report_cases": 1,
        "commitTransaction": 1,
    },
    hide_the_channel: {
        LOOK_UP: 2,
        "update groups": 2,
        "update streams": 2,
        "insert admin_log": 2,
        "insert events": 2,
        "commitTransaction": 2,
    },
    write_to_a_user: {
        LOOK_UP: 1,
        "update streams": 1,
        "insert messages": 1,
        "update conversations": 1,
        **OF_A_TRANSACTION,
    },
    subscribe: {
        "aggregate": 1,
        "update groups": 1,
        "insert members": 1,
        **OF_A_TRANSACTION,
    },
    subscribe_where_the_channel_greets: {
        "aggregate": 1,
        "update groups": 1,
        "insert members": 1,
        **OF_A_TRANSACTION,
    },
    subscribe_again: {"aggregate": 1, "commitTransaction": 1},
    unsubscribe: {
        "aggregate": 1,
        "update groups": 1,
        "delete members": 1,
        "update departures": 1,
        **OF_A_TRANSACTION,
    },
    # The first reaction to a message also writes the message.
    react: {
        "aggregate": 1,
        "update messages": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    react_to_what_has_reactions: {
        "aggregate": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    replace_a_reaction: {
        "aggregate": 1,
        "update tallies": 1,
        "delete reactions": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    unreact: {
        "aggregate": 1,
        "update tallies": 1,
        "delete reactions": 1,
        **OF_A_TRANSACTION,
    },
    # Votes are rows of reactions, and counted in the same tally: a page with polls sends what any page sends.
    vote: {
        "aggregate": 1,
        "update messages": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    press: {
        "aggregate": 1,
        "update messages": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    press_again: {"aggregate": 1, "commitTransaction": 1},
    show_a_menu: {**OF_ACCESS, "find menus": 1},
    choose_an_event_of_a_menu: {**OF_ACCESS, "find menus": 1, "aggregate": 1, **OF_A_TRANSACTION},
    read_buttons: {"aggregate groups": 1},
    replace_a_vote: {
        "aggregate": 1,
        "update tallies": 1,
        "delete reactions": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    # So are acknowledgements. A reminder is one write, however many it reaches.
    acknowledge: {
        "aggregate": 1,
        "update messages": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    list_given: {
        "find groups": 1,
        "find members": 2,
        "find messages": 1,
        "find reactions": 1,
        "find tallies": 1,
        "aggregate": 1,  # who of the members has, where they are few enough to be named
        "find users": 1,
    },
    remind: {
        "aggregate": 1,
        "find messages": 1,
        "find tallies": 1,
        "update messages": 1,
        "update tallies": 1,
        **OF_A_TRANSACTION,
    },
    close_a_poll: {
        LOOK_UP: 1,
        "find messages": 1,
        "find streams": 1,
        "update streams": 1,
        "update messages": 1,
        "update tallies": 1,  # so that it conflicts with votes
        "find tallies": 1,
        "insert admin_log": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    read_asking_posts: {"aggregate groups": 1},
    read_polls: {"aggregate groups": 1},
    read_as_subscriber: {"aggregate groups": 1},
    read_as_stranger: {"aggregate groups": 1, "find restrictions": 1},
    read_further_back: {"aggregate groups": 1},
    read_forward: OF_A_READ,
    read_changes: OF_A_READ,
    read_around: OF_A_READ,
    read_around_the_first_unread: {**OF_A_READ, LOOK_UP: 1},
    read_one: OF_A_READ,
    # The post counts its comments, so a page of posts that have some costs what another one does.
    read_commented_posts: {"aggregate groups": 1},
    # The looks: all that decides; the authors who may be notified; the names in the answer.
    comment: {
        LOOK_UP: 3,
        "update messages": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    comment_on_ones_own_post: {
        LOOK_UP: 2,
        "update messages": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    begin_the_comments: {
        LOOK_UP: 3,
        "update messages": 1,
        "insert streams": 1,
        "insert comment_streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    # Messages: the post, then the page.
    read_comments: {
        **OF_ACCESS,
        "find messages": 2,
        LOOK_UP: 1,
        "aggregate tallies": 1,
    },
    # Messages: the comment, and the number on the post.
    delete_a_comment: {
        LOOK_UP: 1,
        "find streams": 1,
        "update streams": 1,
        "update messages": 2,
        "update tallies": 1,
        **OF_A_TRANSACTION,
    },
    # As a post without comments, and two commands more, however many comments there are.
    delete_a_commented_post: {
        LOOK_UP: 1,  # who may
        "find messages": 1,
        "find streams": 1,
        "update streams": 1,
        "update messages": 1,
        "update tallies": 1,
        "delete streams": 1,
        "update comment_streams": 1,
        **OF_A_TRANSACTION,
    },
    react_to_a_comment: {
        LOOK_UP: 1,
        "update messages": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    ban_from_commenting: {
        LOOK_UP: 1,
        "update groups": 1,
        "update restrictions": 1,
        "insert admin_log": 1,
        "commitTransaction": 1,
    },
    freeze_comments: {
        LOOK_UP: 1,  # who may
        "find messages": 1,
        "find streams": 1,
        "update streams": 1,
        "update messages": 1,
        "insert admin_log": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    read_a_dialogue: {"find messages": 1, "aggregate tallies": 1},
    read_changes_of_a_dialogue: {"find messages": 1, "aggregate tallies": 1},
    read_a_dialogue_around_the_first_unread: {
        "find conversations": 1,
        "find messages": 1,
        "aggregate tallies": 1,
    },
    mark_read: {"aggregate": 1, "update conversations": 1, **OF_A_TRANSACTION},
    mark_all_read: {
        "find conversation_groups": 1,
        **OF_ALL_CONVERSATIONS,
        "update conversations": 1,
        **OF_A_TRANSACTION,
    },
    unread_totals: {"find conversation_groups": 1, **OF_ALL_CONVERSATIONS},
    # Memberships and settings in one command, what the page shows in a second one.
    list_conversations: {"aggregate": 2},
    sync_subscriptions: {
        "find members": 2,
        "find departures": 1,
        "find groups": 2,
        "find streams": 1,
        "find channels": 1,
    },
    # What is the user's, invitations included, in one command; heads and profiles in a second one.
    sync_nothing: {"aggregate": 2},
    # And a page of conversations in a third.
    sync_a_change: {"aggregate": 3},
    start: {"aggregate": 3},
    leave_a_chat: {
        "aggregate": 1,
        "update groups": 1,
        "delete members": 1,
        # For devices that were offline (`sync`), as when leaving a channel.
        "update departures": 1,
        **OF_A_TRANSACTION,
    },
    verify_the_channel: {
        LOOK_UP: 1,
        "find channels": 1,
        "find groups": 1,
        "find members": 1,
        "update groups": 1,
        "insert admin_log": 1,
        "find streams": 1,
        **OF_A_TRANSACTION,
    },
    report_views: {
        "aggregate": 1,
        "update views": 1,
        "update messages": 1,
        **OF_A_TRANSACTION,
    },
    report_views_again: {"aggregate": 1, "commitTransaction": 1},
    click_first: {
        "aggregate": 1,
        "update link_clicks": 1,
        "update messages": 1,  # no deletion of the post misses the first clicks
        **OF_A_TRANSACTION,
    },
    click_further: {"aggregate": 1, "update link_clicks": 1, **OF_A_TRANSACTION},
    click_again: {"aggregate": 1, "commitTransaction": 1},
    show_clicks: {"find members": 2, "find groups": 2, "find messages": 1, "find link_clicks": 1},
    # The events: whether a count waits to be added up.
    show_insights: {**OF_ACCESS, "find events": 1, "find insights": 4},
    show_insights_of_posts: {**OF_ACCESS, "aggregate groups": 1, "find link_clicks": 1},
    mute_the_channel: {
        "find members": 2,
        "find conversations": 2,
        "find streams": 1,
        "update conversations": 1,
        "update members": 1,  # the first settings of a membership: no end of it misses them
        "update insights": 1,
        "aggregate": 1,
        **OF_A_TRANSACTION,
    },
    who_reacted: {**OF_ACCESS, "find messages": 1, "find reactions": 1, "find users": 1},
    add_a_subscriber: {
        "aggregate": 1,
        "update groups": 1,
        "insert members": 1,
        "insert admin_log": 1,
        "find users": 1,
        **OF_A_TRANSACTION,
    },
    invite_a_subscriber: {
        "aggregate": 1,
        "update groups": 1,
        "update admin_invitations": 1,
        "insert admin_log": 1,
        **OF_A_TRANSACTION,
    },
    accept_an_invitation: {
        "aggregate": 1,
        "update groups": 1,
        "insert members": 1,
        "update admin_invitations": 1,
        **OF_A_TRANSACTION,
    },
    make_a_link: {
        LOOK_UP: 1,
        "find invite_links": 1,
        "update groups": 1,
        "update invite_links": 1,
        "insert admin_log": 1,
        "commitTransaction": 1,
    },
    preview_a_link: {"find invite_links": 1, LOOK_UP: 1},
    # As a subscribe, and the link: to which channel it leads, and its count.
    join_by_a_link: {
        "find invite_links": 1,
        LOOK_UP: 1,
        "update groups": 1,
        "insert members": 1,
        "update invite_links": 1,
        **OF_A_TRANSACTION,
    },
    ask_by_a_link: {
        "find invite_links": 1,
        # The second one: how many requests of the user wait elsewhere.
        LOOK_UP: 2,
        "update groups": 1,
        "insert join_requests": 1,
        "update invite_links": 1,
        **OF_A_TRANSACTION,
    },
    approve_a_request: {
        # The second one: the link by which they asked.
        LOOK_UP: 2,
        "update groups": 1,
        "insert members": 1,
        "delete join_requests": 1,
        "update invite_links": 1,
        "insert admin_log": 1,
        **OF_A_TRANSACTION,
    },
    # Where somebody asked before, each batch of joins looks for requests that they end.
    subscribe_where_somebody_asked: {
        LOOK_UP: 2,
        "update groups": 1,
        "insert members": 1,
        **OF_A_TRANSACTION,
    },
    list_join_requests: {
        **OF_ACCESS,
        "find join_requests": 1,
        "find invite_links": 1,
        "find users": 1,
    },
    list_subscribers: {
        "find members": 2,
        "find groups": 1,
        "find users": 1,
        "find subscriber_tags": 1,
    },
    list_further_subscribers: {
        "find members": 2,
        "find groups": 1,
        "find users": 1,
        "find subscriber_tags": 1,
    },
    search_subscribers: {
        "find members": 2,
        "find groups": 1,
        "find users": 1,
        "find subscriber_tags": 1,
    },
    list_the_staff: {
        "find members": 2,
        "find groups": 1,
        "find users": 1,
        "find subscriber_tags": 1,
    },
    kick: {
        "aggregate": 1,
        "update groups": 1,
        "delete members": 1,
        "update departures": 1,
        "insert admin_log": 1,
        **OF_A_TRANSACTION,
    },
    ban: {
        "aggregate": 1,
        "update groups": 1,
        "delete members": 1,
        "update departures": 1,
        "update restrictions": 1,
        "insert admin_log": 1,
        **OF_A_TRANSACTION,
    },
    list_the_banned: {**OF_ACCESS, "find restrictions": 1},
    appoint_an_admin: {
        "aggregate": 1,
        "update groups": 1,
        "update members": 1,
        "insert admin_log": 1,
        "find users": 1,
        **OF_A_TRANSACTION,
    },
    show_the_channel: {**OF_ACCESS, "find streams": 1},
    show_the_channel_to_a_stranger: {**OF_ACCESS, "find restrictions": 1, "find streams": 1},
    change_the_channel: {
        LOOK_UP: 1,
        "find channels": 2,
        "find groups": 1,
        "find members": 1,
        "update groups": 1,
        "insert admin_log": 1,
        "find streams": 1,
        **OF_A_TRANSACTION,
    },
    edit: {
        LOOK_UP: 1,  # who may
        "find messages": 1,
        "find streams": 1,
        "update messages": 1,
        "update streams": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    recall: {
        LOOK_UP: 1,  # who may
        "find messages": 1,
        "find streams": 1,
        "update messages": 1,
        "update streams": 1,
        # So that it conflicts with reactions, which write the tally alone.
        "update tallies": 1,
        **OF_A_TRANSACTION,
    },
    forward: {
        LOOK_UP: 2,
        "find messages": 1,
        "find channels": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    pin: {
        LOOK_UP: 1,  # who may
        "find messages": 1,
        "find streams": 2,
        "update streams": 1,
        "update messages": 1,
        "insert admin_log": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    list_pins: {**OF_ACCESS, "find streams": 1, "find messages": 1, "aggregate tallies": 1},
    freeze_reactions: {
        LOOK_UP: 1,  # who may
        "find messages": 1,
        "find streams": 1,
        "update streams": 1,
        "update messages": 1,
        "update tallies": 1,  # as when it is deleted
        "insert admin_log": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    schedule_a_post: {
        LOOK_UP: 1,  # who may
        "update channels": 1,
        "find drafts": 1,
        "insert drafts": 1,
        **OF_A_TRANSACTION,
    },
    list_scheduled_posts: {**OF_ACCESS, "find drafts": 1},
    publish_a_draft: {
        LOOK_UP: 1,
        "findAndModify drafts": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    write_to_a_chat: {
        LOOK_UP: 1,
        "update streams": 1,
        "insert messages": 1,
        "find users": 1,
        **OF_A_TRANSACTION,
    },
    read_a_chat: {"aggregate groups": 1, "find users": 1},
    edit_in_a_dialogue: {
        "find messages": 1,
        LOOK_UP: 1,
        "find streams": 1,
        "update messages": 1,
        "update streams": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    recall_in_a_dialogue: {
        "find messages": 1,
        "find streams": 1,
        "update messages": 1,
        "update streams": 1,
        "update tallies": 1,
        **OF_A_TRANSACTION,
    },
    react_in_a_dialogue: {
        LOOK_UP: 1,
        "update messages": 1,
        "update tallies": 1,
        "insert reactions": 1,
        **OF_A_TRANSACTION,
    },
    write_to_a_channel: {
        LOOK_UP: 1,
        "update inbox_totals": 1,
        "update threads": 1,
        "update conversations": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    # The word that opts out of broadcasts: one document more.
    write_stop_to_a_channel: {
        LOOK_UP: 1,
        "update inbox_totals": 1,
        "update threads": 1,
        "update conversations": 1,
        "update broadcast_opt_outs": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    answer_for_a_channel: {
        **OF_ACCESS,
        LOOK_UP: 1,
        "update inbox_totals": 1,
        "update threads": 1,
        "update streams": 1,
        "insert messages": 1,
        **OF_A_TRANSACTION,
    },
    read_for_a_channel: {
        "find members": 2,
        "find groups": 2,
        "find threads": 1,
        "find streams": 1,
        "update threads": 1,
        "update inbox_totals": 1,
        **OF_A_TRANSACTION,
    },
    list_an_inbox: {**OF_ACCESS, "find threads": 1, "find streams": 1, "find users": 1},
    show_unread_of_an_inbox: {**OF_ACCESS, "find inbox_totals": 1},
    put_into_a_conversation_group: {
        "find conversation_groups": 1,
        "find members": 2,
        "find conversations": 3,
        "find streams": 2,
        "update conversation_groups": 1,
        "update conversations": 1,
        **OF_A_TRANSACTION,
    },
    # First without a transaction: apps register at each start, which changes nothing.
    register_a_device: {
        "find users": 1,  # whether the token was revoked meanwhile
        "find devices": 2,
        "find device_addresses": 1,
        "update device_addresses": 1,
        "update device_users": 1,
        "update devices": 1,
        "commitTransaction": 1,
    },
    register_a_device_again: {"find devices": 1},
    take_a_device_over: {
        "find users": 1,
        "find devices": 2,
        "find device_addresses": 1,
        "delete devices": 1,
        "update device_addresses": 1,
        "update device_users": 1,
        "update devices": 1,
        "commitTransaction": 1,
    },
    delete_a_device: {
        "find devices": 1,
        "delete devices": 1,
        "delete device_addresses": 1,
        "update device_users": 1,
        "commitTransaction": 1,
    },
    list_devices: {"find devices": 1},
    # The conversations, the posts' places, then all that the page shows.
    read_the_feed: {**OF_ALL_CONVERSATIONS, "find messages": 1, LOOK_UP: 1},
    # The same, the groups that hide what was written before, and the reactions to what matches.
    search_messages: {
        **OF_ALL_CONVERSATIONS,
        "find groups": 1,
        "find messages": 1,
        LOOK_UP: 2,
    },
    search_words_in_one_channel: {**OF_ACCESS, "aggregate messages": 1, LOOK_UP: 2},
}
"""The commands of one caller alone, by command and collection."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(watched: Watched) -> AsyncIterator[Stage]:
    stage = await a_stage(watched.api, 10)
    yield stage
    await stage.ears.close()


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda operation: operation.__name__)
async def test_one_caller_sends_exactly_these_commands(
    watched: Watched, stage: Stage, operation: Operation
) -> None:
    # The first call fills the caches of the process.
    await cost_of(watched, operation, stage)
    sent = Counter((await cost_of(watched, operation, stage)).commands)
    listed = Counter(COMMANDS[operation])
    assert sent == listed, f"more: {dict(sent - listed)}, fewer: {dict(listed - sent)}"


async def test_every_operation_of_test_flat_cost_is_listed() -> None:
    assert {operation.__name__ for operation in OPERATIONS} <= {
        operation.__name__ for operation in COMMANDS
    }


async def test_a_post_that_sockets_receive_sends_no_further_command(
    watched: Watched, stage: Stage
) -> None:
    listeners = [await stage.reader.socket() for _ in range(3)]
    await stage.settle()
    await watched.probe.take()
    seq = (await a_post(stage.owner, stage.path))["seq"]
    for ears in (*listeners, stage.ears):
        assert (await ears.hear("message.posted"))["post"]["seq"] == seq
    assert (await watched.probe.take()).commands == COMMANDS[post]
    for ears in listeners:
        await ears.close()


async def test_opening_a_socket_sends_one_command(watched: Watched, stage: Stage) -> None:
    await stage.settle()
    await watched.probe.take()
    ears = await stage.reader.connect()
    assert (await ears.frame())["type"] == "ready"
    assert (await watched.probe.take()).commands == {"find members": 1}
    await ears.close()


@pytest.mark.parametrize("count", [1, 40])
async def test_watching_sends_the_same_commands_for_one_conversation_and_for_many(
    watched: Watched, stage: Stage, count: int
) -> None:
    reader = watched.api.new_user("reader")
    paths = [await a_channel(stage.owner, reader) for _ in range(count)]
    for path in paths:
        await a_post(stage.owner, path)
        assert (await reader.put(f"{path}/posts/1/reactions/{LIKE}")).status == 200
    ears = await reader.socket()
    await stage.settle()
    await watched.probe.take()
    await ears.tell(type="watch", conversation_ids=[conversation_of(path) for path in paths])
    told = (await ears.frame())["conversations"]
    assert [one["reactions"][0]["mine"] for one in told] == [["👍"]] * count
    sent = (await watched.probe.take()).commands
    assert sent == {"find groups": 1, "find members": 1, "find streams": 1, "aggregate tallies": 1}
    await ears.close()


async def test_watching_polls_sends_one_command_more_whatever_their_number(
    watched: Watched, stage: Stage
) -> None:
    reader = watched.api.new_user("reader")
    paths = [await a_channel(stage.owner, reader) for _ in range(5)]
    poll = {"question": "Tea?", "options": ["Yes", "No"]}
    for path in paths:
        for seq in (1, 2):
            asked = await stage.owner.post(f"{path}/posts", {"kind": "poll", "poll": poll})
            assert asked.status == 201
            assert (await reader.put(f"{path}/posts/{seq}/vote", {"options": [1]})).status == 200
    ears = await reader.socket()
    await stage.settle()
    await watched.probe.take()
    await ears.tell(type="watch", conversation_ids=[conversation_of(path) for path in paths])
    told = (await ears.frame())["conversations"]
    assert [[poll["options"] for poll in one["polls"]] for one in told] == [[[0, 1], [0, 1]]] * 5
    sent = (await watched.probe.take()).commands
    of_any = {"find groups": 1, "find members": 1, "find streams": 1, "aggregate tallies": 1}
    assert sent == {**of_any, LOOK_UP: 1}
    await ears.close()


@pytest.mark.parametrize("count", [1, CALLERS])
async def test_counts_of_insights_are_added_up_by_five_commands(
    watched: Watched, stage: Stage, count: int
) -> None:
    counting = watched.api.services.analytics.counting
    paths = [await a_channel(stage.owner) for _ in range(count)]
    for path in paths:
        await a_post(stage.owner, path)
        await (await subscribe(stage))()
    await stage.settle()
    await watched.probe.take()
    await counting.catch_up()
    assert (await watched.probe.take()).commands == {
        "find events": 2,
        "update events": 1,
        "update insights": 1,
        "commitTransaction": 1,
    }
    await counting.catch_up()
    assert (await watched.probe.take()).commands == {"find events": 1}


# --- in a batch -------------------------------------------------------------------------------------------------------


async def each_alike(stage: Stage, operation: Operation) -> list[Act]:
    return [await operation(stage) for _ in range(CALLERS)]


async def each_of_another_user(
    stage: Stage, call: Callable[[User], Awaitable[Answer]]
) -> list[Act]:
    users = [await stage.subscriber() for _ in range(CALLERS)]
    return [partial(call, user) for user in users]


async def together(stage: Stage, operation: Operation) -> list[Act]:
    """The acts of `CALLERS` users at the same time."""
    if operation is react_to_what_has_reactions:
        path = f"{await stage.post()}/reactions/{LIKE}"
        assert (await stage.reader.put(path)).status == 200
        return await each_of_another_user(stage, lambda user: user.put(path))
    if operation is comment:
        # All on one post, which counts them: its document is the hottest there is.
        assert (await (await comment(stage))()).status == 201
        path = f"{await stage.post()}/comments"
        assert (await stage.reader.post(path, COMMENT)).status == 201
        return await each_of_another_user(stage, lambda user: user.post(path, COMMENT))
    if operation is read_as_subscriber:
        path = f"{stage.path}/posts?limit=20"
        return await each_of_another_user(stage, lambda user: user.get(path))
    if operation is unread_totals:
        return await each_of_another_user(stage, lambda user: user.get("/v1/unread"))
    if operation is start:
        return await each_of_another_user(stage, lambda user: user.get("/v1/sync"))
    if operation in SYNCS:
        users = [await stage.subscriber() for _ in range(CALLERS)]
        tokens = [(await user.get("/v1/sync")).body["sync_token"] for user in users]
        paths = [f"/v1/sync?since={token}" for token in tokens]
        if operation is sync_a_change:
            await stage.post()
        return [partial(user.get, path) for user, path in zip(users, paths, strict=True)]
    if operation is list_conversations:
        return await each_of_another_user(stage, lambda user: user.get("/v1/conversations"))
    if operation is mark_read:
        path = f"/v1/conversations/{part(conversation_of(stage.path))}/read"
        acts = await each_of_another_user(stage, lambda user: user.post(path, {}))
        await stage.post()
        await asyncio.gather(*(act() for act in acts))  # the first read stores a cursor
        await stage.post()
        return acts
    return await each_alike(stage, operation)


SYNCS: Final = [sync_nothing, sync_a_change, start]
BATCHED: Final = [post, write_to_a_user, subscribe, unsubscribe, read_as_subscriber]
BATCHED_TOO: Final = [
    react_to_what_has_reactions,
    comment,
    read_further_back,
    read_forward,
    mark_read,
    unread_totals,
    list_conversations,
    *SYNCS,
]


@pytest.mark.parametrize(
    "operation", [*BATCHED, *BATCHED_TOO], ids=lambda operation: operation.__name__
)
async def test_a_batch_sends_the_commands_of_one_caller(
    watched: Watched, stage: Stage, operation: Operation
) -> None:
    expected = Counter(COMMANDS[operation])
    acts = await together(stage, operation)
    await stage.settle()
    await watched.probe.take()
    answers = await asyncio.gather(*(act() for act in acts))
    assert all(answer.status < 300 for answer in answers), answers
    sent = Counter((await watched.probe.take()).commands)
    if operation in SYNCS:
        # Callers who come a moment later may share one of the commands and not the others.
        assert set(sent) == set(expected)
        assert all(expected[name] <= sent[name] <= MOST_BATCHES * expected[name] for name in sent)
        return
    batches = [
        Counter({name: times * number for name, number in expected.items()})
        for times in range(1, MOST_BATCHES + 1)
    ]
    assert sent in batches


@pytest.mark.parametrize("count", [1, 64])
async def test_a_batch_sends_the_same_commands_for_one_channel_and_for_many(
    watched: Watched, stage: Stage, count: int
) -> None:
    owners = [watched.api.new_user("owner") for _ in range(count)]
    paths = await asyncio.gather(*(a_channel(owner) for owner in owners))
    # A process does not keep a profile that it read while another channel was made: so each is read once more.
    await stage.settle()
    shown = await asyncio.gather(
        *(owner.get(path) for owner, path in zip(owners, paths, strict=True))
    )
    assert all(answer.status == 200 for answer in shown), shown
    users = [watched.api.new_user("reader") for _ in range(count)]
    for act, operation in (("put", subscribe), ("delete", unsubscribe)):
        await stage.settle()
        await watched.probe.take()
        answers = await asyncio.gather(
            *(
                getattr(user, act)(f"{path}/subscription")
                for user, path in zip(users, paths, strict=True)
            )
        )
        assert all(answer.status < 300 for answer in answers), answers
        sent = Counter((await watched.probe.take()).commands)
        assert sent in [
            Counter({name: times * number for name, number in COMMANDS[operation].items()})
            for times in range(1, FEW_BATCHES + 1)
        ]


@pytest.mark.parametrize("operation", [post, write_to_a_user, write_to_a_channel])
@pytest.mark.parametrize("count", [1, 64])
async def test_a_batch_sends_the_same_commands_for_one_stream_and_for_many(
    watched: Watched, stage: Stage, operation: Operation, count: int
) -> None:
    services, hello = watched.api.services, Content(kind=Kind.TEXT, text="Hello")
    writers = [watched.api.new_user("writer") for _ in range(count)]
    readers = [watched.api.new_user("reader") for _ in writers]
    paths = [await a_channel(*sides) for sides in zip(writers, readers, strict=True)]

    async def write_all() -> None:
        # Without HTTP, so that all are there before the first transaction begins.
        sides = zip(map(actor_of, writers), map(actor_of, readers), map(id_of, paths), strict=True)
        calls: list[Awaitable[object]] = []
        for writer, reader, channel_id in sides:
            if operation is post:
                calls.append(services.chat.messages.post(writer, GroupId(channel_id), hello))
            elif operation is write_to_a_user:
                dialogue = Dialogue(writer.user_id, reader.user_id)
                calls.append(services.conversations.dialogues.post(writer, dialogue, hello))
            else:
                dialogue = Dialogue(reader.user_id, channel_id)
                calls.append(services.conversations.dialogues.post(reader, dialogue, hello))
        await asyncio.gather(*calls)

    await write_all()
    await stage.settle()
    await watched.probe.take()
    await write_all()
    assert (await watched.probe.take()).commands == COMMANDS[operation]


def actor_of(user: User) -> Actor:
    return Actor(UserId(user.id))


@pytest.mark.parametrize("count", [1, 40])
async def test_feed_and_search_cost_the_same_commands_for_one_channel_and_for_many(
    watched: Watched, stage: Stage, count: int
) -> None:
    reader = watched.api.new_user("reader")
    paths = [await a_channel(stage.owner, reader) for _ in range(count)]
    for path in paths:
        await a_post(stage.owner, path, "A word to find")
    for call, operation in (
        ("/v1/feed?limit=20", read_the_feed),
        ("/v1/search/messages?q=wor&limit=20", search_messages),
    ):
        first = await reader.get(call)
        await stage.settle()
        await watched.probe.take()
        again = await reader.get(call)
        assert len(again.items) == len(first.items) == min(count, 20)
        assert (await watched.probe.take()).commands == COMMANDS[operation]
        if first.body["next_cursor"]:
            further = await reader.get(f"{call}&cursor={first.body['next_cursor']}")
            assert len(further.items) == 20
            assert (await watched.probe.take()).commands == COMMANDS[operation]


@pytest.mark.parametrize("count", [1, 2, 20])
async def test_pages_of_many_channels_cost_the_commands_of_one(
    watched: Watched, stage: Stage, count: int
) -> None:
    readers = [watched.api.new_user("reader") for _ in range(count)]
    paths = [await a_channel(stage.owner, reader) for reader in readers]
    for path, reader in zip(paths, readers, strict=True):
        await a_post(stage.owner, path)
        assert (await reader.put(f"{path}/posts/1/reactions/{LIKE}")).status == 200

    async def read() -> list[Answer]:
        reading = (
            reader.get(f"{path}/posts?limit=20")
            for path, reader in zip(paths, readers, strict=True)
        )
        return await asyncio.gather(*reading)

    # The first time the process does not know how many posts there are.
    await read()
    await stage.settle()
    for path in paths[::2]:
        await a_post(stage.owner, path)
    await watched.probe.take()
    answers = await read()
    sent = (await watched.probe.take()).commands
    for place, answer in enumerate(answers):
        shown = {post["seq"]: post["reactions"]["mine"] for post in answer.items}
        assert shown == ({2: [], 1: ["👍"]} if place % 2 == 0 else {1: ["👍"]})
    if count == 1:
        assert sent == COMMANDS[read_as_subscriber]
    else:
        # Over HTTP some callers arrive a moment later than the others, and one of them may be alone.
        assert set(sent) <= {"aggregate", "aggregate groups"}
        assert sum(sent.values()) <= max(2, MOST_BATCHES)


@pytest.mark.parametrize("count", [2, 20])
async def test_pages_of_channels_that_were_never_read_cost_one_command_more(
    watched: Watched, stage: Stage, count: int
) -> None:
    reader = stage.reader
    paths = [await a_channel(stage.owner, reader) for _ in range(count)]
    for path in paths:
        await a_post(stage.owner, path)
    await stage.settle()
    await watched.probe.take()
    reading = (reader.get(f"{path}/posts?limit=20") for path in paths)
    answers = await asyncio.gather(*reading)
    sent = (await watched.probe.take()).commands
    assert [[post["seq"] for post in answer.items] for answer in answers] == [[1]] * count
    assert set(sent) <= {"aggregate", "aggregate groups"}
    assert sum(sent.values()) <= 2 * max(2, MOST_BATCHES)


async def test_lists_of_conversations_cost_no_more_side_by_side(
    watched: Watched, stage: Stage
) -> None:
    acts = await each_of_another_user(stage, lambda user: user.get("/v1/conversations"))
    await asyncio.gather(*(act() for act in acts))
    await stage.settle()
    await watched.probe.take()
    await asyncio.gather(*(act() for act in acts))
    sent = (await watched.probe.take()).commands
    for name, times in sent.items():
        assert times <= CALLERS * COMMANDS[list_conversations][name], sent
