"""The typed calls of the Python client, against the real server."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest

from channels.client import (
    Client,
    Conflict,
    InvalidInput,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from channels.client.event_models import MessagePosted
from channels.client.models import (
    ButtonBody,
    ChannelMissing,
    Conversation,
    GroupMissing,
    Invited,
    Member,
    SegmentBody,
    Subscriber,
    TagLine,
    User,
)
from tests.api import PATIENCE_SECONDS, Api, fresh, the_app
from tests.channels.test_link_previews import a_known_page
from tests.client.clients import client_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIKE: Final = "👍"
PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def named(name: str) -> str:
    return f"@TOA#_{fresh(name)}"


async def test_users_come_by_invite_links(shared_api: Api) -> None:
    owner, bob, cat = (shared_api.new_user(name) for name in ("owner", "bob", "cat"))
    async with client_of(owner) as mine, client_of(bob) as bobs, client_of(cat) as cats:
        place = (await mine.channels.create(name="Club")).channel_id
        link = await mine.invite_links.create(place, name="Poster", approval=True)
        assert (await bobs.invite_links.preview(link.code)).id == place
        for client in (bobs, cats):
            assert (await client.invite_links.join(link.code, text="Hi")).status == "requested"
            assert [one.text async for one in client.invite_links.own_requests()] == ["Hi"]
        await cats.invite_links.withdraw(place)
        assert [one.user_id async for one in mine.invite_links.requests(place)] == [bob.id]
        answered = await mine.invite_links.answer(place, [bob.id, cat.id], approve=True)
        assert [one.error.code if one.error else None for one in answered.items] == [
            None,
            "join_request_not_found",
        ]
        changed = await mine.invite_links.change(place, link.code, approval=False, max_uses=2)
        assert (changed.uses, changed.max_uses) == (1, 2)
        joined = await cats.invite_links.join(link.code)
        assert joined.channel is not None
        assert joined.channel.subscriber_count == 3
        assert (await mine.invite_links.get(place, link.code)).qr_svg.startswith("<svg")
        await mine.invite_links.revoke(place, link.code)
        assert [one.state async for one in mine.invite_links.links(place, state="ended")] == [
            "revoked"
        ]
        group = (await mine.groups.create(type="work", name="Tea")).group_id
        other = await mine.invite_links.create(group, kind="groups")
        assert (await bobs.invite_links.join(other.code)).kind == "group"


async def test_a_channel_lives_from_its_creation_to_its_end(shared_api: Api) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    channel_id = named("ferry")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        made = await mine.channels.create(
            channel_id=channel_id, name="Ferry", settings={"reactions": "basic"}
        )
        assert (made.channel_id, made.owner_id, made.settings.reactions) == (
            *(channel_id, owner.id),
            "basic",
        )
        assert made.created_at.tzinfo is not None
        assert (await theirs.channels.subscribe(channel_id)).subscribed_at is not None
        assert [one.channel_id async for one in theirs.channels.subscribed()] == [channel_id]
        assert [one.channel_id async for one in mine.channels.owned()] == [channel_id]
        found = await theirs.channels.directory("ferry").to_list()
        assert channel_id in [one.channel_id for one in found]
        changed = await mine.channels.update(channel_id, introduction="When it leaves")
        assert changed.introduction == "When it leaves"
        here, nowhere = await theirs.channels.find([channel_id, "@TOA#_nowhere"])
        assert here.channel_id == channel_id
        assert isinstance(nowhere, ChannelMissing)
        assert nowhere.error.code == "channel_not_found"
        assert {one.user_id async for one in mine.channels.subscribers(channel_id)} == {
            *(owner.id, reader.id)
        }
        await theirs.channels.unsubscribe(channel_id)
        await mine.channels.delete(channel_id)
        with pytest.raises(NotFound) as refused:
            await theirs.channels.get(channel_id)
        assert (refused.value.code, refused.value.status) == ("channel_not_found", 404)
        assert refused.value.request_id


async def test_posts_are_written_read_page_by_page_and_changed(shared_api: Api) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    channel_id = named("news")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        await mine.channels.create(channel_id=channel_id, name="News")
        for number in range(1, 8):
            post = await mine.posts.publish(channel_id, text=f"No. {number}")
            assert (post.seq, post.kind) == (number, "text")
        listed = theirs.posts.list(channel_id, limit=3)
        assert [post.seq async for post in listed] == [7, 6, 5, 4, 3, 2, 1]
        page = await theirs.posts.list(channel_id, after_seq=2, limit=3).page()
        assert [post.seq for post in page.items] == [5, 4, 3]
        assert [one.seq for one in await theirs.posts.list(channel_id, limit=2).to_list(3)] == [
            *(7, 6, 5)
        ]
        edited = await mine.posts.edit(channel_id, 2, text="Edited")
        assert (edited.text, edited.version) == ("Edited", 1)
        assert (await mine.posts.pin(channel_id, 3)).pinned
        assert [post.seq async for post in theirs.posts.pins(channel_id)] == [3]
        await mine.posts.unpin(channel_id, 3)
        await mine.posts.delete(channel_id, 4)
        assert (await theirs.posts.get(channel_id, 4)).recalled_at is not None
        assert (await theirs.posts.list(channel_id, changed_since=0).page()).version == 4
        await theirs.channels.subscribe(channel_id)
        tally = await theirs.posts.react(channel_id, 7, LIKE)
        assert (tally.counts, tally.mine) == ({LIKE: 1}, [LIKE])
        assert [one.user_id async for one in mine.posts.reactors(channel_id, 7, LIKE)] == [
            reader.id
        ]
        assert (await theirs.posts.unreact(channel_id, 7, LIKE)).total == 0
        asked = await mine.posts.publish(
            channel_id, poll={"question": "Tea?", "options": ["Yes", "No"], "multiple": True}
        )
        assert (asked.kind, (await theirs.posts.vote(channel_id, asked.seq, 0, 1)).mine) == (
            "poll",
            [0, 1],
        )
        assert (await theirs.posts.take_vote_back(channel_id, asked.seq)).voters == 0
        assert (await mine.posts.close_poll(channel_id, asked.seq)).closed
        (seen,) = (await theirs.posts.report_views(channel_id, [7])).items
        assert seen.seq == 7
        assert (await mine.posts.preview(channel_id, text="?")).text == "?"


async def test_a_channel_serves_people_by_itself(shared_api: Api) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    shop = named("shop")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        await mine.channels.create(channel_id=shop, name="Shop")
        await theirs.channels.subscribe(shop)
        calls = mine.self_service
        menu = await calls.set_menu(
            shop, entries=[{"text": "Hours", "kind": "reply", "reply": "?"}]
        )
        assert (await theirs.self_service.menu(shop)).version == menu.version
        chosen = await theirs.self_service.select(shop, "1", version=menu.version)
        assert chosen.message is not None
        form = await calls.put_form(
            shop, "order", title="Order", fields=[{"name": "n", "label": "N"}]
        )
        assert [one.name async for one in theirs.self_service.forms(shop)] == [form.name]
        assert (await theirs.self_service.form(shop, "order")).title == "Order"
        with pytest.raises(InvalidInput) as refused:
            await theirs.self_service.answer_form(shop, "order", {"n": " "})
        assert refused.value.details == {"field": "n", "reason": "missing"}
        answered = await theirs.self_service.answer_form(shop, "order", {"n": "Two"})
        assert answered.message.form_answer is not None
        button: ButtonBody = {"text": "Order", "kind": "event", "data": "tea"}
        post = await mine.posts.publish(shop, text="Tea?", buttons=[[button]])
        pressed = await theirs.posts.press(shop, post.seq, 0, text="Order")
        assert pressed.buttons[0][0].presses == 1
        sent = await mine.inbox.answer(shop, reader.id, text="Tea?", buttons=[[button]])
        assert (await theirs.conversations.press(f"c2c_{shop}", sent.seq, 0)).buttons[0][0].pressed
        assert (await calls.set_greeting(shop, text="Welcome")).text == "Welcome"
        assert (await calls.greeting(shop)).text == "Welcome"
        await calls.put_auto_reply(shop, "tea", keywords=["tea"], answer={"text": "Yes"})
        assert (await calls.auto_reply(shop, "tea")).keywords == ["tea"]
        assert [one.name async for one in calls.auto_replies(shop)] == ["tea"]
        hours = await calls.set_opening_hours(
            shop, time_zone="Europe/Berlin", weekly={}, away={"text": "Zz"}
        )
        assert (await calls.opening_hours(shop)).time_zone == hours.time_zone == "Europe/Berlin"
        for end in (
            calls.delete_menu(shop),
            calls.delete_form(shop, "order"),
            calls.delete_greeting(shop),
            calls.delete_auto_reply(shop, "tea"),
            calls.delete_opening_hours(shop),
        ):
            await end


async def test_subscribers_have_tags_and_get_broadcasts(shared_api: Api) -> None:
    owner, reader, other = (shared_api.new_user(name) for name in ("owner", "reader", "other"))
    shop = named("shop")
    async with client_of(owner) as mine, client_of(reader) as theirs, client_of(other) as others:
        await mine.channels.create(channel_id=shop, name="Shop")
        for client in (theirs, others):
            await client.channels.subscribe(shop)
        assert (await mine.subscriber_tags.put(shop, reader.id, ["vip"])).tags == ["vip"]
        lines: list[TagLine] = [
            {"user_id": reader.id, "add": ["berlin"]},
            {"user_id": other.id, "tags": ["berlin"]},
        ]
        progress = [one async for one in mine.subscriber_tags.change_many(shop, lines)]
        assert (progress[-1].changed, progress[-1].done) == (2, True)
        found = {one.tag: one.subscribers async for one in mine.subscriber_tags.list(shop)}
        assert found == {"berlin": 2, "vip": 1}
        assert [one.user_id async for one in mine.channels.subscribers(shop, tag="vip")] == [
            reader.id
        ]
        berlin: SegmentBody = {"all": ["berlin"]}
        assert (await mine.broadcasts.count_audience(shop, berlin)).count == 2
        assert (await others.broadcasts.opt_out(shop)).opted_out
        assert (await others.broadcasts.opted_out(shop)).since is not None
        later = shared_api.clock.now() + timedelta(days=1)
        planned = await mine.broadcasts.create(shop, text="Sale", start_at=later)
        stopped = await mine.broadcasts.stop(shop, planned.broadcast_id)
        assert stopped.state == "stopped"
        assert (await mine.broadcasts.resume(shop, planned.broadcast_id)).state != "stopped"
        sent = await mine.broadcasts.create(shop, text="Sale", segment=berlin)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sent.state != "done":
                await asyncio.sleep(0.02)
                sent = await mine.broadcasts.get(shop, sent.broadcast_id)
        assert (sent.sent, sent.not_reached.opted_out) == (1, 1)
        missed = mine.broadcasts.not_reached(shop, sent.broadcast_id)
        assert [(one.user_id, one.reason) async for one in missed] == [(other.id, "opted_out")]
        assert len(await mine.broadcasts.list(shop, limit=1).to_list()) == 2
        await others.broadcasts.opt_in(shop)
        assert not (await others.broadcasts.opted_out(shop)).opted_out


async def test_a_user_is_exported_and_deleted(shared_api: Api) -> None:
    owner, app = shared_api.new_user("owner"), the_app(shared_api.new_user())
    place = named("place")
    async with client_of(owner) as mine, client_of(app) as back_end:
        await mine.channels.create(channel_id=place, name="Place")
        export = mine.users.export()
        types = [line.type async for line in export]
        assert types[0] == "start"
        assert "membership" in types
        assert not {"cursor", "end"} & set(types)
        assert [
            line.type async for line in back_end.users.export(owner.id, cursor=export.cursor)
        ] == []
        with pytest.raises(Conflict) as refused:
            await back_end.users.delete(owner.id, confirm=owner.id)
        assert refused.value.details == {"channel_ids": [place], "group_ids": []}
        await mine.channels.delete(place)
        begun = await back_end.users.delete(owner.id, confirm=owner.id, messages="delete")
        assert begun.messages == "delete"
        assert (await back_end.users.deletion(owner.id)).user_id == owner.id


async def test_the_kind_of_a_post_follows_from_its_fields(shared_api: Api) -> None:
    owner = shared_api.new_user("owner")
    channel_id = named("pictures")
    async with client_of(owner) as mine:
        await mine.channels.create(channel_id=channel_id, name="Pictures")
        media = await mine.media.upload(PNG, "dot.png")
        assert (media.content_type, media.width) == ("image/png", 1)
        assert (await mine.media.download(media.media_id)).startswith(b"\x89PNG")
        assert (await mine.media.preview_link(a_known_page(shared_api))).title == "Known"
        both = await mine.posts.publish(channel_id, text="Look", images=[media.media_id])
        alone = await mine.posts.publish(channel_id, images=[media.media_id])
        custom = await mine.posts.publish(channel_id, custom={"gate": 4})
        assert [both.kind, alone.kind, custom.kind] == ["text_and_image", "image", "custom"]
        copied = await mine.posts.publish(
            channel_id, forward={"channel_id": channel_id, "seq": both.seq}
        )
        assert copied.text == "Look"


async def test_a_job_that_runs_twice_posts_once(shared_api: Api) -> None:
    owner = shared_api.new_user("owner")
    channel_id = named("once")
    async with client_of(owner) as mine:
        await mine.channels.create(channel_id=channel_id, name="Once")
        for _ in range(2):
            post = await mine.posts.publish(
                channel_id, text="Gate 4", idempotency_key="flight-2217"
            )
            assert post.seq == 1
        with pytest.raises(Conflict) as refused:
            await mine.posts.publish(channel_id, text="Gate 5", idempotency_key="flight-2217")
        assert refused.value.code == "idempotency_conflict"


async def test_a_user_reads_and_counts_what_is_unread(shared_api: Api) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    channel_id = named("unread")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        await mine.channels.create(channel_id=channel_id, name="Unread")
        await theirs.channels.subscribe(channel_id)
        for text in ("One", "Two"):
            await mine.posts.publish(channel_id, text=text)
        await mine.conversations.send(f"c2c_{reader.id}", text="Hello")
        totals = await theirs.conversations.unread()
        assert (totals.total, totals.channels, totals.chats) == (3, 2, 1)
        conversation_id = f"group_{channel_id}"
        assert (await theirs.conversations.mark_read(conversation_id, 1)).unread_count == 1
        (listed,) = await theirs.conversations.list(conversation_group="channels").to_list()
        assert isinstance(listed, Conversation)
        assert (listed.unread_count, listed.head_seq) == (1, 2)
        assert (await theirs.conversations.update(conversation_id, muted=True)).muted
        assert (await theirs.conversations.mark_all_read("c2c")).total == 0
        sync = await theirs.conversations.sync()
        assert sync.sync_token
        assert {item.conversation_id for item in sync.items} == {
            *(conversation_id, f"c2c_{owner.id}")
        }


async def test_a_channel_answers_its_subscribers(shared_api: Api) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    channel_id = named("desk")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        await mine.channels.create(channel_id=channel_id, name="Desk")
        await theirs.channels.subscribe(channel_id)
        await theirs.conversations.send(f"c2c_{channel_id}", text="When?")
        assert (await mine.inbox.unread(channel_id)).unread_threads == 1
        (thread,) = await mine.inbox.threads(channel_id).to_list()
        assert thread.user_id == reader.id
        tagged = await mine.inbox.put_tags(channel_id, reader.id, ["hours", "urgent"])
        assert tagged.tags == ["hours", "urgent"]
        assert [one.tag async for one in mine.inbox.tags(channel_id)] == ["hours", "urgent"]
        answer = await mine.inbox.answer(channel_id, reader.id, text="At noon")
        assert (await mine.inbox.mark_read(channel_id, reader.id)).unread_count == 0
        texts = [one.text async for one in theirs.conversations.messages(f"c2c_{channel_id}")]
        assert texts == ["At noon", "When?"]
        await mine.inbox.delete(channel_id, reader.id, answer.seq)
        assert [one.text async for one in mine.inbox.messages(channel_id, reader.id)] == [
            *(None, "When?")
        ]


async def test_groups_have_members_and_messages(shared_api: Api) -> None:
    owner, guest = shared_api.new_user("owner"), shared_api.new_user("guest")
    async with client_of(owner) as mine, client_of(guest) as theirs:
        group = await mine.groups.create(type="public", name="Crew", join_option="free")
        here, nowhere = await mine.groups.find([group.group_id, "@TGS#nowhere"])
        assert here.group_id == group.group_id
        assert isinstance(nowhere, GroupMissing)
        assert (await theirs.groups.join(group.group_id)).joined_at is not None
        assert [one.group_id async for one in theirs.groups.joined()] == [group.group_id]
        sent = await theirs.groups.send(group.group_id, text="Ahoy")
        assert [one.text async for one in mine.groups.messages(group.group_id)] == ["Ahoy"]
        assert (await theirs.groups.edit(group.group_id, sent.seq, text="Ahoi")).text == "Ahoi"
        assert (await mine.groups.react(group.group_id, sent.seq, LIKE)).total == 1
        asked = await mine.groups.send(
            group.group_id, poll={"question": "Tea?", "options": ["Yes", "No"]}
        )
        assert (await theirs.groups.vote(group.group_id, asked.seq, 1)).options[1].votes == 1
        voters = mine.groups.voters(group.group_id, asked.seq, 1)
        assert [one.user_id async for one in voters] == [guest.id]
        assert (await theirs.groups.take_vote_back(group.group_id, asked.seq)).mine == []
        assert (await mine.groups.close_poll(group.group_id, asked.seq)).closed
        changed = await mine.groups.change_member(group.group_id, guest.id, role="admin")
        assert changed.role == "admin"
        await mine.groups.delete(group.group_id, sent.seq)
        await mine.groups.remove_member(group.group_id, guest.id, ban=True)
        with pytest.raises(PermissionDenied) as refused:
            await theirs.groups.join(group.group_id)
        assert refused.value.code == "banned"
        added = await mine.groups.add_member(group.group_id, shared_api.new_user().id)
        assert isinstance(added, Invited | Member)


async def test_a_back_end_imports_users_and_adds_them(shared_api: Api) -> None:
    app = the_app(shared_api.new_user())
    channel_id = named("town")
    users = [fresh("citizen") for _ in range(30)]
    async with client_of(app) as back_end:
        await back_end.channels.create(channel_id=channel_id, name="Town")
        progress = [one async for one in back_end.channels.import_subscribers(channel_id, users)]
        assert (progress[-1].added, progress[-1].done, progress[-1].error) == (30, True, None)
        added = await back_end.channels.add_subscriber(channel_id, fresh("guest"))
        assert isinstance(added, Subscriber)
        (user,) = await back_end.users.set_many([{"user_id": users[0], "name": "Ada"}])
        assert isinstance(user, User)
        assert user.name == "Ada"


async def test_a_back_end_follows_the_feed(shared_api: Api) -> None:
    owner, channel_id = shared_api.new_user("owner"), named("feed")
    async with client_of(owner) as mine, client_of(the_app(owner)) as back_end:
        await mine.channels.create(channel_id=channel_id, name="Feed")
        feed = back_end.events(after="start", types=["message.posted"], channel_id=channel_id)
        for text in ("One", "Two"):
            await mine.posts.publish(channel_id, text=text)
        seqs: list[int] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for event in feed:
                assert isinstance(event, MessagePosted)
                assert event.event_id
                seqs.append(event.seq)
                if len(seqs) == 2:
                    break
        assert seqs == [1, 2]


async def test_other_calls_go_through_request(shared_api: Api) -> None:
    user = shared_api.new_user()
    async with client_of(user) as client:
        assert await client.request("PUT", "/v1/blocks/leo") is not None
        listed = await client.request("GET", "/v1/blocks", query={"limit": 1})
        assert [one["user_id"] for one in listed["items"]] == ["leo"]
        assert await client.request("DELETE", "/v1/blocks/leo") is None


async def test_errors_have_a_family_a_code_and_details(shared_api: Api) -> None:
    user = shared_api.new_user()
    async with client_of(user) as client:
        with pytest.raises(InvalidInput) as refused:
            await client.channels.create(name="x" * 500)
        assert refused.value.code == "field_too_long"
        assert refused.value.details["field"] == "name"
        with pytest.raises(InvalidInput) as refused:
            await client.request("POST", "/v1/channels", body={"nme": "typing error"})
        assert refused.value.code == "invalid_request"
    async with Client(user.base, token="no token") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.users.me()
