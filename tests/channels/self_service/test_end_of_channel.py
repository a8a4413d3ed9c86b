"""A channel that is deleted takes along all that serves its subscribers: a search through all bytes of the database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from tests.api import Answer, a_channel, id_of, part
from tests.conftest import OpenApi
from tests.user_data.helpers import places_of

pytestmark = pytest.mark.asyncio(loop_scope="function")

OF_THE_CHANNEL = {
    *("automatic_channels", "automatic_marks", "automatic_messages"),
    *("broadcast_not_reached", "broadcast_opt_outs", "broadcasts", "forms", "menus"),
    *("messages", "reactions", "subscriber_tag_counts", "subscriber_tags", "tallies"),
}
EXPIRES = {"departures", "events"}
"""They say that the channel ended, to members and to those who follow events."""


def _succeeded(answer: Answer) -> None:
    assert answer.status < 300, answer


async def test_a_deleted_channel_leaves_nothing_of_what_served_its_subscribers(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    channel = await a_channel(ada, bob, cat)
    for user in (ada, bob, cat):
        user.on_answer = [*user.on_answer, _succeeded]
    text: dict[str, Any] = {"kind": "text", "text": "Hello"}
    buttons = [[{"text": "Tea", "kind": "event", "data": "tea"}]]
    thread = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages"
    # Menu, form, greeting, automatic answers.
    entries = [{"text": "Call me", "kind": "event", "data": "call"}]
    await ada.put(f"{channel}/menu", {"entries": entries})
    await ada.put(
        f"{channel}/forms/order", {"title": "Order", "fields": [{"name": "n", "label": "Name"}]}
    )
    await ada.put(f"{channel}/greeting", {"text": "Welcome"})
    answer = {"keywords": ["hello"], "answer": {"text": "Good day"}}
    await ada.put(f"{channel}/auto-replies/hello", answer)
    hours = {"time_zone": "Europe/Berlin", "weekly": {}, "away": {"text": "Closed"}}
    await ada.put(f"{channel}/opening-hours", hours)
    greeted = server.new_user("greeted")
    await greeted.put(f"{channel}/subscription")
    await bob.post(f"{channel}/menu/selections", {"entry": "1"})
    await bob.post(f"{channel}/forms/order/answers", {"answers": {"n": "Bob"}})
    await cat.post(thread, text)
    # Buttons that are pressed, and a post that is acknowledged.
    seq = (
        await ada.post(f"{channel}/posts", {**text, "buttons": buttons, "acknowledge": True})
    ).body["seq"]
    await bob.put(f"{channel}/posts/{seq}/buttons/0/press")
    await bob.put(f"{channel}/posts/{seq}/acknowledgement")
    await ada.post(f"{channel}/posts/{seq}/acknowledgements/reminder")
    written = await ada.post(
        f"{channel}/inbox/{part(bob.id)}/messages", {**text, "buttons": buttons}
    )
    await bob.put(f"{thread}/{written.body['seq']}/buttons/0/press")
    # Tags, an opt-out, a broadcast that has ended, and one that waits.
    for user in (bob, cat):
        await ada.put(f"{channel}/subscribers/{part(user.id)}/tags", {"tags": ["vip"]})
    await cat.put(f"{channel}/broadcast-opt-out")
    await ada.post(f"{channel}/broadcasts", {**text, "segment": {"all": ["vip"]}})
    later = rfc3339(server.clock.now() + timedelta(days=1))
    await ada.post(f"{channel}/broadcasts", {**text, "start_at": later})
    await ada.patch(channel, {"settings": {"retention_days": 30}})
    async with asyncio.timeout(30):
        while OF_THE_CHANNEL - await places_of(database, id_of(channel)):
            await asyncio.sleep(0.1)
    await ada.delete(channel)
    await server.services.chat.cleanup.wait()
    assert await places_of(database, id_of(channel)) <= EXPIRES
