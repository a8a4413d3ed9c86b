"""Important posts over HTTP and the socket: asking, acknowledging, who has not, the reminder."""

import asyncio
import io
from typing import Any

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from tests.api import Api, User, a_channel, a_chat_group, id_of, part
from tests.conftest import OpenApi

ASKS = {"kind": "text", "text": "The lift is out of order", "acknowledge": True}


def calls_of(path: str) -> str:
    return f"{path}/{'posts' if path.startswith('/v1/channels/') else 'messages'}"


async def ask(writer: User, path: str) -> str:
    """Post what asks to be acknowledged; returns the path of the message."""
    answer = await writer.post(calls_of(path), ASKS)
    assert (answer.status, answer.body["acknowledge"]) == (201, {"count": 0, "mine": False})
    return f"{calls_of(path)}/{answer.body['seq']}"


async def shown(reader: User, message: str) -> Any:
    """The message as the reader sees it: alone, and the same on a page."""
    alone = (await reader.get(message)).body["acknowledge"]
    calls, _, seq = message.rpartition("/")
    [page] = (await reader.get(f"{calls}?before_seq={int(seq) + 1}&limit=1")).items
    [around] = (await reader.get(f"{calls}?around_seq={seq}&limit=1")).items
    assert page["acknowledge"] == around["acknowledge"] == alone
    return alone


async def overview(reader: User, message: str, state: str) -> tuple[list[str], dict[str, int]]:
    users: list[str] = []
    cursor = ""
    while True:
        query = f"state={state}&limit=1" + (f"&cursor={cursor}" if cursor else "")
        page = (await reader.get(f"{message}/acknowledgements?{query}")).body
        assert all(
            (each["acknowledged_at"] is None) is (state == "missing") for each in page["items"]
        )
        users += [each["user_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            return users, page["counts"]
        cursor = part(page["next_cursor"])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("make", [a_channel, a_chat_group])
async def test_members_acknowledge_once_and_the_staff_sees_who_has_not(
    shared_api: Api, make: Any
) -> None:
    ada, bob, cy, stranger = (shared_api.new_user() for _ in range(4))
    path = await make(ada, bob, cy)
    message = await ask(ada, path)
    assert (await ada.post(calls_of(path), {"kind": "text", "text": "Hi"})).body[
        "acknowledge"
    ] is None
    field = "channel_id" if make is a_channel else "group_id"
    phone, page = await bob.socket(), await cy.socket()
    await page.tell(type="watch", conversation_ids=[f"group_{id_of(path)}"])
    await page.answer()
    for _ in range(2):  # the second one changes nothing
        given = await bob.put(f"{message}/acknowledgement")
        assert (given.status, given.body) == (200, {"count": 1, "mine": True})
    own = await phone.hear("acknowledgements.changed", mine=True)
    assert (own[field], own["count"]) == (id_of(path), 1)
    assert (await page.hear("acknowledgements.changed"))["count"] == 1
    # Reactions count apart from it.
    assert (await bob.put(f"{message}/reactions/{part('👍')}")).body["total"] == 1
    for reader, mine in ((bob, True), (cy, False), (ada, False)):
        assert await shown(reader, message) == {"count": 1, "mine": mine}
    counts = {"asked": 2, "given": 1, "missing": 1}
    assert await overview(ada, message, "given") == ([bob.id], counts)
    assert await overview(ada, message, "missing") == ([cy.id], counts)

    plain = message.rpartition("/")[0] + "/2"
    for refused, why in (
        (await ada.put(f"{message}/acknowledgement"), (409, "own_acknowledgement")),
        (await bob.put(f"{plain}/acknowledgement"), (409, "acknowledgement_not_asked")),
        (await ada.get(f"{plain}/acknowledgements"), (409, "acknowledgement_not_asked")),
        (await bob.get(f"{message}/acknowledgements"), (403, "permission_denied")),
        (await bob.post(f"{message}/acknowledgements/reminder"), (403, "permission_denied")),
    ):
        assert refused.refusal == why
    assert (await stranger.put(f"{message}/acknowledgement")).status in {403, 404}

    # Reminded once: those who have not, on their sockets.
    reminded = await ada.post(f"{message}/acknowledgements/reminder")
    assert reminded.status == 200
    assert (await page.hear("acknowledgement.reminder"))["seq"] == 1
    again = await ada.post(f"{message}/acknowledgements/reminder")
    assert again.refusal == (409, "already_reminded")
    heard = [event["type"] for event in await phone.until_now()]
    assert "acknowledgement.reminder" not in heard
    listed = (await ada.get(f"{message}/acknowledgements")).body
    assert listed["reminded_at"] == reminded.body["reminded_at"]

    # Who leaves still counts as given, and is not asked; who comes is.
    await bob.delete(f"{path}/subscription" if make is a_channel else f"{path}/members/{bob.id}")
    assert (await overview(ada, message, "missing"))[1] == counts
    # An edit keeps it, a forward does not carry it, deleting ends it.
    edited = await ada.patch(message, {"kind": "text", "text": "It works again"})
    assert edited.body["acknowledge"] == {"count": 1, "mine": False}
    source = {"seq": 1, field: id_of(path)}
    copied = await ada.post(calls_of(path), {"forward": source})
    assert (copied.status, copied.body["acknowledge"]) == (201, None)
    assert (await ada.delete(message)).status == 204
    assert (await shown(cy, message)) is None
    assert (await cy.put(f"{message}/acknowledgement")).refusal == (409, "message_recalled")
    for socket in (phone, page):
        await socket.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_only_the_staff_asks_and_drafts_do_too(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    group, channel = await a_chat_group(ada, bob), await a_channel(ada, bob)
    refused = await bob.post(f"{group}/messages", ASKS)
    assert refused.refusal == (403, "acknowledgement_not_allowed")
    assert (await bob.post(f"{group}/messages", {**ASKS, "acknowledge": False})).status == 201
    one_to_one = f"/v1/conversations/{part('c2c_' + bob.id)}/messages"
    assert (await ada.post(one_to_one, ASKS)).refusal == (403, "acknowledgement_not_allowed")
    draft = (await ada.post(f"{channel}/drafts", {"post": ASKS})).body
    assert draft["post"]["acknowledge"] == {"count": 0, "mine": False}
    posted = await ada.post(f"{channel}/drafts/{draft['draft_id']}/publish")
    assert posted.body["acknowledge"] == {"count": 0, "mine": False}
    preview = await ada.post(f"{channel}/posts/preview", ASKS)
    assert preview.body["acknowledge"] == {"count": 0, "mine": False}


async def test_beyond_the_limit_nobody_is_named_as_missing_and_counts_stay(api: OpenApi) -> None:
    server = await api(acknowledgement_names=3)
    ada, bob, cy, dan = (server.new_user() for _ in range(4))
    channel = await a_channel(ada, bob, cy)
    message = await ask(ada, channel)
    # At the limit of three members they are named.
    assert await overview(ada, message, "missing") == (
        sorted([bob.id, cy.id]),
        {"asked": 2, "given": 0, "missing": 2},
    )
    assert (await dan.put(f"{channel}/subscription")).status == 200
    assert (await bob.put(f"{message}/acknowledgement")).status == 200
    refused = await ada.get(f"{message}/acknowledgements?state=missing")
    assert (refused.refusal, refused.body["details"]["limit"]) == ((409, "too_many_to_name"), 3)
    counts = {"asked": 3, "given": 1, "missing": 2}
    assert await overview(ada, message, "given") == ([bob.id], counts)


async def test_acknowledgements_at_once_are_counted_exactly_and_one_reminder_wins(
    api: OpenApi,
) -> None:
    server = await api()
    ada, *readers = (server.new_user() for _ in range(40))
    channel = await a_channel(ada, *readers)
    message = await ask(ada, channel)
    calls = [each.put(f"{message}/acknowledgement") for each in readers for _ in range(2)]
    reminders = [ada.post(f"{message}/acknowledgements/reminder") for _ in range(4)]
    answers = await asyncio.gather(*calls, *reminders)
    assert {answer.status for answer in answers[: len(calls)]} == {200}
    assert sorted(answer.status for answer in answers[len(calls) :]) == [200, 409, 409, 409]
    assert await shown(ada, message) == {"count": 39, "mine": False}
    assert (await overview(ada, message, "missing"))[1] == {"asked": 39, "given": 39, "missing": 0}
    # The check of stored data counts them, and repairs a wrong count.
    tallies = server.services.database.collection("tallies")
    before = await tallies.find_one({}, {"version": 0})
    assert before is not None
    assert before["acknowledged"] == 39
    await tallies.update_one({"_id": before["_id"]}, {"$set": {"acknowledged": 40}})
    console, limits = Console(file=io.StringIO()), Limits(posts_per_second=0)
    for found in (["acknowledged: is counted 40, held by 39"], []):
        outcomes = await verify(server.services.database, limits, console=console, repair=True)
        assert [each.problem for outcome in outcomes for each in outcome.first] == found
    assert await tallies.find_one({}, {"version": 0}) == before
