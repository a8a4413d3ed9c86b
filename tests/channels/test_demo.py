"""The demo scene: created once, valid, and with something of everything to see."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from channels.demo.service import fill_if_empty
from channels.limits import Limits
from channels.models import NewChannel
from channels.server.app import INDEXES, Services, create_services
from channels.server.options import ServiceOptions
from channels.verify.command import verify
from conversations.service.conversation_list import ListFilter
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Document, ensure_indexes

ADA = Actor(UserId("ada"))


@pytest.fixture
async def services(database: Database) -> AsyncIterator[Services]:
    await ensure_indexes(database, INDEXES)
    services = create_services(database, Limits())
    yield services
    await services.stop()


async def fill(services: Services) -> bool:
    def compose(clock: Clock) -> Services:
        return create_services(services.database, services.limits, clock=clock)

    return await fill_if_empty(services, compose)


async def is_sound(services: Services) -> bool:
    console = Console(file=io.StringIO())
    outcomes = await verify(services.database, services.limits, console=console, repair=False)
    return all(outcome.is_clean for outcome in outcomes)


async def stored(services: Services) -> dict[str, list[Document]]:
    names = ("users", "groups", "members", "streams", "messages", "reactions", "conversations")
    return {
        name: await services.database.collection(name).find({}).sort("_id", 1).to_list(None)
        for name in names
    }


async def test_the_scene_is_made_once_and_passes_verification(services: Services) -> None:
    assert await fill(services)
    assert await is_sound(services)
    before = await stored(services)
    assert not await fill(services)
    assert await stored(services) == before


async def test_processes_that_start_together_create_one_scene(services: Services) -> None:
    assert any(await asyncio.gather(fill(services), fill(services), fill(services)))
    assert await is_sound(services)
    together = await stored(services)
    await services.database.drop()
    await ensure_indexes(services.database, INDEXES)
    await fill(services)
    alone = await stored(services)
    for name, rows in alone.items():
        assert [row["_id"] for row in together[name]] == [row["_id"] for row in rows], name


async def test_a_database_that_is_not_empty_gets_no_scene(services: Services) -> None:
    await services.channels.channels.create(ADA, NewChannel(name="Mine"))
    assert not await fill(services)
    found, _ = await services.channels.channels.search(
        ADA, words="", sort="popular", limit=50, cursor=None
    )
    assert len(found) == 1


async def test_ada_has_unread_messages_and_channels_to_find(services: Services) -> None:
    await fill(services)
    unread = await services.conversations.conversation_list.unread_totals(ADA)
    assert unread.channels > 0
    assert unread.chats > 0
    assert unread.conversation_groups["Harbour Street"] > 0
    shown, _ = await services.conversations.conversation_list.list_conversations(
        ADA, ListFilter(), limit=50, cursor=None
    )
    assert shown[0].conversation.settings.pinned_at is not None
    counts = {item.conversation.unread_count for item in shown}
    assert len(counts) > 2, "all conversations look alike"

    directory, _ = await services.channels.channels.search(
        Actor(UserId("stranger")), words="", sort="popular", limit=50, cursor=None
    )
    assert len(directory) == 5, "the private channel is not for strangers"
    owned, _ = await services.channels.channels.list_owned(ADA, limit=50, cursor=None)
    assert len(owned) == 1


async def test_the_posts_are_in_the_past_in_order_and_have_reactions(services: Services) -> None:
    await fill(services)
    now = services.clock.now()
    page = await services.chat.messages.list_messages(
        ADA, GroupId("@TOA#_brightwater-news"), limit=50
    )
    times = [message.created_at for message in reversed(page.messages)]
    assert times == sorted(times)
    assert 0 < (now - times[-1]).total_seconds() / 3600 < 24
    assert (now - times[0]).days >= 3
    assert all(page.tallies[message.seq].total > 0 for message in page.messages)
    most = max(tally.total for tally in page.tallies.values())
    assert most == 26, "a reaction was refused, or replaced another one"
    assert any(message.content and message.content.links for message in page.messages)


async def test_a_channel_asks_with_a_poll_and_its_subscribers_comment(services: Services) -> None:
    await fill(services)
    page = await services.chat.messages.list_messages(ADA, GroupId("@TOA#_fc-harbour"), limit=50)
    [asked] = [one for one in page.messages if one.content and one.content.poll]
    assert page.tallies[asked.seq].voters == 23
    assert [one.comments for one in page.messages if one.comments] == [3]


async def test_a_channel_offers_a_menu_a_form_and_buttons_that_were_pressed(
    services: Services,
) -> None:
    await fill(services)
    club = GroupId("@TOA#_fc-harbour")
    menu = await services.menus.get(ADA, club)
    assert menu is not None
    assert [entry.text for entry in menu.entries] == ["Next match", "Tickets", "Call me"]
    forms, _ = await services.forms.list_forms(ADA, club, limit=10, cursor=None)
    assert [form.name for form in forms] == ["season-ticket"]
    page = await services.chat.messages.list_messages(ADA, club, limit=1)
    [asking] = page.messages
    assert asking.content
    votes = page.tallies[asking.seq].votes
    assert sorted(votes.values()) == [4, 9]


async def test_low_limits_make_a_smaller_scene_and_do_not_fail(database: Database) -> None:
    await ensure_indexes(database, INDEXES)
    limits = Limits(channels=2, community_members=5, conversation_groups=0, posts_per_second=1)
    services = create_services(database, limits, options=ServiceOptions(create_policy="admin"))
    assert await fill(services)
    assert await is_sound(services)
    assert await database.collection("channels").count_documents({}) == 2
    await services.stop()
