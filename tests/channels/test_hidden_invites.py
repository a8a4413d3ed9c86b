"""An invite link of a channel that the application hid shows nothing of it."""

import pytest

from tests.api import Api, a_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_invite_link_of_a_hidden_channel_is_not_there_until_it_is_reinstated(
    shared_api: Api,
) -> None:
    owner, guest = shared_api.new_user("owner"), shared_api.new_user("guest")
    admin, nobody = shared_api.new_user("admin", admin=True), shared_api.bearer(None)
    path = await a_channel(owner, settings={"visibility": "private"})
    made = await owner.post(f"{path}/invite-links", {})
    assert made.status == 201
    link, page = f"/v1/invite-links/{made.body['code']}", f"/i/{made.body['code']}"
    assert [(await nobody.get(one)).status for one in (link, page)] == [200, 200]
    hidden = await admin.put(f"{path}/suspension", {"mode": "hidden", "reason": "Fraud"})
    assert hidden.status == 204
    for refused in (
        await guest.get(link),
        await nobody.get(link),
        await guest.post(f"{link}/join"),
    ):
        assert refused.refusal == (404, "invite_link_not_found")
    assert (await nobody.get(page)).status == 404
    await admin.delete(f"{path}/suspension")
    assert (await guest.post(f"{link}/join")).body["status"] == "joined"
