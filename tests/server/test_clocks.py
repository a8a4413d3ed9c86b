"""Processes on machines whose clocks differ: they decide by the database's time, as if all clocks were right."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
import pytest

from groups.kernel.clock import SystemClock, rfc3339
from groups.kernel.errors import RateLimited
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database
from groups.models import stream_of
from tests.api import (
    PATIENCE_SECONDS,
    SECRET,
    Api,
    MovedClock,
    User,
    a_channel,
    a_post,
    group_path,
    open_api,
    part,
)
from tests.builders import ADA, World, mock_world
from tests.mongod import DRIVER

APART: Final = [50.0, 3600.0, -50.0, -3600.0]
NEAR: Final = 2.0
"""Seconds within which two clocks are the same: the machine that tests may be busy."""

OpenMachine = Callable[..., Awaitable[Api]]


@pytest.fixture
async def machine(mongod_uri: str, database: Database) -> AsyncIterator[OpenMachine]:
    """Starts a server on a machine whose clock is so many seconds ahead; all share one database."""
    name = database.collection("any").database.name
    async with AsyncExitStack() as stack:

        async def start(ahead: float = 0.0, **limits: Any) -> Api:
            clock = MovedClock()
            clock.move(seconds=ahead)
            connected = await Database.connect(mongod_uri, name, clock=clock, driver=DRIVER)
            stack.push_async_callback(connected.close)
            return await stack.enter_async_context(
                open_api(connected, clock=clock, by_database=True, **limits)
            )

        yield start


# --- by the database's time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", APART)
async def test_every_process_shows_the_database_s_time(machine: OpenMachine, ahead: float) -> None:
    right, wrong = await machine(), await machine(ahead)
    now = right.services.clock.now()
    assert abs((wrong.services.clock.now() - now).total_seconds()) < NEAR
    assert abs(wrong.services.database.clock.machine_ahead_seconds - ahead) < NEAR
    shown = (await wrong.new_user().get("/metrics")).text
    (gauge,) = [
        line for line in shown.splitlines() if line.startswith("channels_clock_offset_seconds ")
    ]
    assert abs(float(gauge.split()[1]) - ahead) < NEAR


@pytest.mark.parametrize("ahead", APART)
async def test_a_process_with_a_wrong_clock_does_not_harm_posts_elsewhere(
    machine: OpenMachine, ahead: float
) -> None:
    rate = {"posts_per_second": 3}
    right, wrong = await machine(**rate), await machine(ahead, **rate)
    ada = right.new_user("ada")
    path = await a_channel(ada)
    there = wrong.user_of(ada.id)
    # All that a second has, so that the bucket is empty.
    body = {"kind": "text", "text": "Hello"}
    posted = await asyncio.gather(*(there.post(f"{path}/posts", body) for _ in range(5)))
    assert {answer.status for answer in posted} == {201, 429}
    await asyncio.sleep(1.1)
    post = await a_post(ada, path)
    for item in (await ada.get(f"{path}/posts")).items:
        apart = datetime.fromisoformat(item["created_at"]) - datetime.fromisoformat(
            post["created_at"]
        )
        assert abs(apart.total_seconds()) < NEAR + 1.1


@pytest.mark.parametrize("ahead", APART)
async def test_a_revocation_counts_alike_by_every_clock(machine: OpenMachine, ahead: float) -> None:
    right, wrong = await machine(), await machine(ahead)
    for here, there in ((right, wrong), (wrong, right)):
        ada = here.new_user("ada")
        elsewhere = there.bearer(ada.token)
        assert (await ada.get("/v1/users/me")).status == 200
        assert (await elsewhere.get("/v1/users/me")).status == 200
        assert (await ada.delete("/v1/users/me/tokens")).status == 204
        await until(elsewhere, refused=True)
        # Who signs in again afterwards is let in by both.
        again = here.user_of(ada.id)
        for base in (here, there):
            assert (await base.bearer(again.token).get("/v1/users/me")).status == 200


@pytest.mark.parametrize("ahead", [50.0, 3600.0])
async def test_a_token_of_the_future_is_refused_by_every_process(
    machine: OpenMachine, ahead: float
) -> None:
    right, wrong = await machine(), await machine(ahead)
    issued = (SystemClock().now() + timedelta(seconds=ahead)).timestamp()
    token = jwt.encode({"sub": "eve", "iat": issued, "exp": issued + 3600}, SECRET)
    for server in (right, wrong):
        refused = await server.bearer(token).get("/v1/users/me")
        assert refused.refusal == (401, "unauthenticated")


@pytest.mark.parametrize("ahead", [50.0, 3600.0])
async def test_a_scheduled_post_waits_for_its_time_with_any_clock(
    machine: OpenMachine, ahead: float
) -> None:
    wrong = await machine(ahead)
    ada = wrong.new_user("ada")
    path = await a_channel(ada)
    hour = SystemClock().now() + timedelta(seconds=ahead - 10)
    body = {"post": {"kind": "text", "text": "Later"}, "publish_at": rfc3339(hour)}
    kept = await ada.post(f"{path}/drafts", body)
    assert kept.status == 201
    pause = await wrong.services.channels.drafting.scheduler.publish_due()
    assert pause > 1
    assert (await ada.get(f"{path}/posts")).items == []
    assert (await ada.get(f"{path}/drafts/{kept.body['draft_id']}")).body["failure"] is None


@pytest.mark.parametrize("ahead", APART)
async def test_mutes_and_invitations_end_at_the_same_moment_everywhere(
    machine: OpenMachine, ahead: float
) -> None:
    right, wrong = await machine(), await machine(ahead)
    ada, bob, cat = (right.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob)
    muted = await wrong.user_of(ada.id).call(
        "PATCH",
        f"{group_path(path)}/members/{part(bob.id)}",
        {"mute_seconds": 30},
    )
    until_ = datetime.fromisoformat(muted.body["muted_until"])
    assert abs((until_ - right.services.clock.now()).total_seconds() - 30) < NEAR
    invited = await wrong.user_of(ada.id).post(f"{path}/invitations", {"user_id": cat.id})
    assert invited.status == 201
    assert [item["channel_id"] for item in (await cat.get("/v1/invitations")).items]
    assert (await cat.post(f"{path}/invitations/me", {"accept": True})).status == 204


async def until(user: User, *, refused: bool) -> None:
    """Wait until the user is refused, or let in, which another process hears moments later."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ((await user.get("/v1/users/me")).status == 401) is not refused:
            await asyncio.sleep(0.01)


# --- what was stored by a wrong clock ---------------------------------------------------------------------------------


async def empty_bucket(world: World, group_id: GroupId, at: datetime) -> None:
    """Have the group's posting rate be spent at this instant."""
    await world.database.collection("streams").update_one(
        {"_id": stream_of(group_id)}, {"$set": {"tokens": 0.0, "tokens_at": at}}
    )


@pytest.mark.parametrize("seconds", [1.001, 50.0, 3600.0])
async def test_a_rate_spent_in_the_future_refuses_no_request(seconds: float) -> None:
    world = mock_world(posts_per_second=2)
    group_id = await world.group()
    await empty_bucket(world, group_id, world.clock.now() + timedelta(seconds=seconds))
    for _ in range(2):
        await world.post(ADA, group_id)
    # And the next one goes by the instant that is right.
    with pytest.raises(RateLimited):
        await world.post(ADA, group_id)
    world.clock.move(seconds=0.5)
    await world.post(ADA, group_id)


async def test_a_rate_spent_within_the_next_second_refuses_for_that_long() -> None:
    world = mock_world(posts_per_second=2)
    group_id = await world.group()
    await empty_bucket(world, group_id, world.clock.now() + timedelta(seconds=1))
    with pytest.raises(RateLimited):
        await world.post(ADA, group_id)
    world.clock.move(seconds=1.5)
    await world.post(ADA, group_id)
