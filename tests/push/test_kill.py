"""A server that is killed while it sends: every device rings, and only those of one step ring twice, as a repetition.

pytest -m faults tests/push/test_kill.py -n0
"""

import shutil
from collections import Counter

import aiohttp
import pytest

from channels.push.delivery.service.worker import STEP
from tests.api import a_channel, a_post
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory
from tests.push.services import GATEWAY_SECRET, a_push_world, add_phone, eventually

PHONES = 150


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_after_a_kill_every_phone_has_rung_and_those_of_one_step_may_have_rung_twice() -> (
    None
):
    directory = scratch_directory()
    async with a_push_world() as world, aiohttp.ClientSession() as http:
        settings = {
            "CHANNELS_PUSH_GATEWAY_URL": f"{world.base}/gateway",
            "CHANNELS_PUSH_GATEWAY_SECRET": GATEWAY_SECRET,
        }
        server = ServerProcess(directory / "data", http)
        try:
            await server.start(**settings)
            owner = server.user_of("owner")
            path = await a_channel(owner)
            for number in range(PHONES):
                user = server.user_of(f"u{number:03}")
                assert (await user.put(f"{path}/subscription")).status == 200
                await add_phone(user)
            world.gate.clear()
            await a_post(owner, path)
            await eventually(lambda: world.asked == 1)
            world.gate.set()
            await world.until(STEP)
            world.gate.clear()
            await eventually(lambda: world.asked == 2)  # the second step is in flight
            await server.kill()
            before = Counter(world.devices)
            world.gate.set()
            await server.start(**settings)
            await eventually(lambda: len(set(world.devices)) == PHONES, seconds=90)
            # Another post comes after all that is still on its way.
            await a_post(server.user_of("owner"), path)
            await eventually(
                lambda: sum(each.payload["seq"] == 2 for each in world.got) == PHONES, seconds=90
            )
        finally:
            await server.stop()
            shutil.rmtree(directory, ignore_errors=True)
    got = Counter(each.device for each in world.got if each.payload["seq"] == 1)
    twice = {device for device, number in got.items() if number == 2}
    assert max(got.values()) <= 2
    assert len(twice) <= STEP
    repeated = {each.device for each in world.got if each.payload["repeated"]}
    assert twice <= repeated
    assert all(before[device] == 1 for device in set(before))
    assert len({each.payload["id"] for each in world.got}) == 2
