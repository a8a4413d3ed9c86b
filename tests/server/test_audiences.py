"""Whom an event reaches over the socket, where it tells what not everyone in the group may know."""

from datetime import UTC, datetime
from typing import Final

import orjson
import pytest

from channels.event_views.registry import views_of
from groups.events import JoinRequested
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database
from groups.models import stream_of
from tests.api import id_of, part
from tests.conftest import OpenApi

SECRET_TEXT: Final = "Please let me in, I am the doctor of your member Bob"
GROUP: Final = GroupId("@TGS#_tea")


async def test_a_join_request_reaches_only_owner_and_admins(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(), await api(database=second_database)
    owner, admin, member, watcher, applicant, stranger = (
        here.new_user(name)
        for name in ("owner", "admin", "member", "watcher", "applicant", "stranger")
    )
    made = await owner.post("/v1/groups", {"type": "public", "name": "Tea"})
    path = f"/v1/groups/{part(made.body['group_id'])}"
    for user in (admin, member, watcher):
        assert (await owner.put(f"{path}/members/{part(user.id)}")).status == 200
    appointed = await owner.patch(f"{path}/members/{part(admin.id)}", {"role": "admin"})
    assert appointed.status == 200
    told = [
        await server.user_of(user.id).socket()
        for user in (owner, admin)
        for server in (here, there)
    ]
    others = [
        await server.user_of(user.id).socket()
        for user in (member, watcher, applicant, stranger)
        for server in (here, there)
    ]
    watching = others[2]
    await watching.tell(type="watch", conversation_id=stream_of(GroupId(id_of(path))))
    asked = await applicant.put(f"{path}/members/me", {"text": SECRET_TEXT})
    assert asked.status == 202
    for ears in told:
        events = [e for e in await ears.until_now() if e["type"] == "join.requested"]
        assert [(e["user_id"], e["text"]) for e in events] == [(applicant.id, SECRET_TEXT)]
    for ears in others:
        heard = await ears.until_now()
        assert "join.requested" not in {event["type"] for event in heard}
        assert SECRET_TEXT not in str(heard)
    for user in (member, applicant, stranger):
        assert (await user.get(f"{path}/join-requests")).refusal == (403, "permission_denied")
    for ears in (*told, *others):
        await ears.close()


@pytest.mark.parametrize("is_channel", [False, True])
@pytest.mark.parametrize("audience", [(), ("ada",), ("ada", "cat")])
def test_no_view_of_a_join_request_is_for_a_whole_group(
    audience: tuple[str, ...], *, is_channel: bool
) -> None:
    event = JoinRequested(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        group_id=GROUP,
        is_channel=is_channel,
        user_id=UserId("bob"),
        text=SECRET_TEXT,
        audience=tuple(UserId(user) for user in audience),
    )
    views = list(views_of(event))
    assert [view.users for view in views] == [audience]
    for view in views:
        assert SECRET_TEXT.encode() in view.json()
        assert orjson.loads(orjson.dumps(view.payload))["user_id"] == "bob"
