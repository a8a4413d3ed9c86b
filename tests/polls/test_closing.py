"""Polls that close by themselves: the last counts are announced once, to all who follow, whichever process dies."""

import asyncio
from datetime import timedelta
from typing import Any, Final, NoReturn

import pytest

from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from reactions.polls.service.closing import PollClosing
from tests.api import Api, MovedClock, User, a_channel, a_chat_group, a_post, conversation_of
from tests.conftest import OpenApi
from tests.polls.test_polls import ask, vote

HOUR: Final = 3_600


async def closings(server: Api, root: User) -> list[dict[str, Any]]:
    """The closings that the event feed has, oldest first."""
    await server.services.log.sequencer.run()
    events = (await root.get("/v1/events?after=start&types=poll.changed&limit=100")).items
    return [event for event in events if event["closed"]]


def in_hours(clock: MovedClock, hours: float) -> str:
    return rfc3339(clock.now() + timedelta(hours=hours))


async def test_a_closing_time_that_comes_is_announced_once_with_the_counts(
    api: OpenApi, second_database: Database
) -> None:
    clock = MovedClock()
    servers = [await api(clock=clock), await api(clock=clock, database=second_database)]
    server, both = servers[0], [each.services.poll_closing for each in servers]
    ada, bob = (server.new_user(name, hours=99) for name in ("ada", "bob"))
    root = server.new_user("root", admin=True, hours=99)
    channel, group = await a_channel(ada, bob), await a_chat_group(ada, bob)
    due = in_hours(clock, 1)
    for path in (channel, group):
        hidden = await ask(ada, path, results="after_close", closes_at=due)
        await vote(bob, hidden, 1)
    later = await ask(ada, channel, closes_at=in_hours(clock, 0.5))
    kept = (await ada.get(later)).body
    options = [each["text"] for each in kept["poll"]["options"]]
    poll = {"question": kept["poll"]["question"], "options": options}
    poll["closes_at"] = in_hours(clock, 2)
    changed = await ada.patch(later, {"kind": "poll", "poll": poll})
    assert changed.status == 200, changed
    early = await ask(ada, channel, closes_at=due)
    assert (await ada.post(f"{early}/poll/close")).status == 200
    gone = await ask(ada, channel, closes_at=due)
    assert (await ada.delete(gone)).status == 204
    await ask(ada, channel)
    await a_post(ada, channel)

    ears = await server.user_of(bob.id, hours=99).socket()
    await ears.tell(type="watch", conversation_id=conversation_of(channel))
    await ears.answer()
    assert [each["seq"] for each in await closings(server, root)] == [3], "the early one"
    clock.move(seconds=HOUR + 1)
    # An edit of the text brings no closing back, nor takes one away that is still to come.
    text = {"kind": "poll", "text": "Soon", "poll": poll}
    assert (await ada.patch(later, text)).status == 200
    for _ in range(2):
        await asyncio.gather(*(each.announce_due() for each in both))
    told = await ears.hear("poll.changed")
    assert (told["seq"], told["closed"], told["options"], told["voters"]) == (1, True, [0, 1, 0], 1)
    found = (await closings(server, root))[1:]
    assert sorted((each["stream_id"], each["seq"], *each["options"]) for each in found) == sorted(
        (conversation_of(path), 1, 0, 1, 0) for path in (channel, group)
    )
    clock.move(seconds=HOUR)
    await asyncio.gather(*(each.announce_due() for each in both))
    assert [each["seq"] for each in (await closings(server, root))[3:]] == [2]
    messages = server.services.database.collection("messages")
    assert await messages.find_one({"poll_closes_at": {"$exists": True}}) is None


async def test_a_process_that_dies_before_the_commit_leaves_the_closing_to_another_one(
    api: OpenApi, second_database: Database
) -> None:
    clock = MovedClock()
    servers = [await api(clock=clock), await api(clock=clock, database=second_database)]
    first, second = (server.services.poll_closing for server in servers)
    for closing in (first, second):
        await closing.stop()
    ada = servers[0].new_user("ada", hours=99)
    root = servers[0].new_user("root", admin=True, hours=99)
    channel = await a_channel(ada)
    await ask(ada, channel, closes_at=in_hours(clock, 1))
    private = await a_channel(ada, settings={"visibility": "private"})
    await ask(ada, private, closes_at=in_hours(clock, 1))
    assert (await ada.delete(private)).status == 204
    clock.move(seconds=HOUR + 1)

    class Dying:
        """Ends the transaction behind the mark."""

        async def find(self, *_: object) -> NoReturn:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await PollClosing(engine=first.engine, access=Dying()).announce_due()  # type: ignore[arg-type]
    assert await closings(servers[0], root) == []
    await second.announce_due()
    assert [each["seq"] for each in await closings(servers[0], root)] == [1]
    await first.announce_due()
    assert len(await closings(servers[0], root)) == 1
