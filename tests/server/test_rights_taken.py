"""Rights that are taken while a socket is open or a request is under way, also by another process than serves them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest
from yarl import URL

from channels.server.realtime.close_codes import CloseCode
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database
from groups.models import AccessContext
from tests.api import (
    AS_LINES,
    PATIENCE_SECONDS,
    Api,
    Ears,
    User,
    a_channel,
    a_post,
    conversation_of,
    id_of,
    part,
)
from tests.conftest import OpenApi

LIKE: Final = part("👍")
HELLO: Final = {"kind": "text", "text": "Hello"}
AS_JSON: Final = {"Content-Type": "application/json"}

Servers = tuple[Api, Api]
Taking = Callable[[User, str, User], Awaitable[object]]


@pytest.fixture(params=["by its own process", "by another"])
async def servers(
    request: pytest.FixtureRequest, api: OpenApi, second_database: Database
) -> Servers:
    """The process that serves who loses a right, and the one on which it is taken."""
    here = await api()
    return here, here if "own" in request.param else await api(database=second_database)


async def kick(ada: User, path: str, bob: User) -> None:
    assert (await ada.delete(f"{path}/subscribers/{bob.id}")).status == 204


async def ban(ada: User, path: str, bob: User) -> None:
    assert (await ada.delete(f"{path}/subscribers/{bob.id}?ban=true")).status == 204


async def hide(ada: User, path: str, bob: User) -> None:
    changed = await ada.patch(path, {"settings": {"visibility": "private"}})
    assert changed.status == 200, changed


async def watching(user: User, path: str) -> Ears:
    """A socket that watches the channel."""
    ears = await user.socket()
    await ears.tell(type="watch", conversation_id=conversation_of(path))
    while (await ears.frame())["type"] != "watching":
        pass
    return ears


# --- on an open socket ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("take", "reason"), [(kick, "removed"), (ban, "banned")])
async def test_a_removed_user_receives_the_removal_and_nothing_later(
    servers: Servers, take: Taking, reason: str
) -> None:
    here, there = servers
    ada, bob = there.new_user("ada"), here.new_user("bob")
    path = await a_channel(ada, there.user_of(bob.id))
    ears = await watching(bob, path)
    await take(ada, path, bob)
    await a_post(ada, path)
    await ada.put(f"{path}/posts/1/reactions/{LIKE}")
    (event,) = await ears.until_now()
    assert (event["type"], event["reason"]) == ("channel.unsubscribed", reason)
    assert (await bob.get(f"{path}/posts")).status == (403 if take is ban else 200)


@pytest.mark.parametrize("take", [ban, hide])
async def test_a_watching_stranger_loses_counts_with_the_right(
    servers: Servers, take: Taking
) -> None:
    here, there = servers
    ada, eve, cat = there.new_user("ada"), here.new_user("eve"), here.new_user("cat")
    path = await a_channel(ada, there.user_of(cat.id))
    await a_post(ada, path)
    ears, hers = await watching(eve, path), await watching(cat, path)
    await ada.put(f"{path}/posts/1/reactions/{LIKE}")
    assert (await ears.hear("reactions.changed"))["total"] == 1
    assert (await hers.hear("reactions.changed"))["total"] == 1
    await take(ada, path, eve)
    await ada.delete(f"{path}/posts/1/reactions/{LIKE}")
    # Who still may is told: the counts went out before we look at who may not.
    assert (await hers.hear("reactions.changed"))["total"] == 0
    assert await ears.until_now() == []
    assert (await eve.get(f"{path}/posts")).status == (403 if take is ban else 404)


async def test_a_dismissed_admin_receives_no_more_admin_events(servers: Servers) -> None:
    here, there = servers
    ada, bob, cat, dan = (there.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, cat, dan, admins=(bob,))
    bob = here.user_of(bob.id)
    ears = await bob.socket()
    await ada.put(f"{path}/admins/{cat.id}")
    await ears.hear("member.changed", user_id=cat.id)
    assert (await ada.delete(f"{path}/admins/{bob.id}")).status == 204
    await ada.put(f"{path}/admins/{dan.id}")
    heard = await ears.until_now()
    changed = [event for event in heard if event["type"] == "member.changed"]
    assert [event["user_id"] for event in changed] == [bob.id]
    posting = await bob.post(f"{path}/posts", {"kind": "text", "text": "Still here?"})
    assert posting.refusal == (403, "posting_not_allowed")


async def test_an_admin_without_the_grant_loses_the_inbox(
    servers: Servers,
) -> None:
    here, there = servers
    ada, bob, cat = (there.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, cat, admins=(bob,))
    bob = here.user_of(bob.id)
    ears = await bob.socket()
    asking = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    assert (await cat.post(asking, HELLO)).status == 201
    await ears.hear("message.posted", channel_id=id_of(path))
    given = await ada.put(f"{path}/admins/{bob.id}", {"grants": ["pin_posts"]})
    assert given.status == 200, given
    assert (await cat.post(asking, HELLO)).status == 201
    heard = await ears.until_now()
    assert [event["type"] for event in heard if event["type"] != "inbox.read"] == ["member.changed"]
    assert (await bob.get(f"{path}/inbox")).refusal == (403, "permission_denied")
    assert (await bob.post(f"{path}/posts", HELLO)).refusal == (403, "posting_not_allowed")


async def test_a_revoked_token_closes_sockets_and_is_refused(servers: Servers) -> None:
    here, there = servers
    ada = here.new_user("ada")
    ears = await ada.socket()
    root = there.new_user("root", admin=True)
    assert (await root.delete(f"/v1/users/{part(ada.id)}/tokens")).status == 204
    assert await ears.closed() == CloseCode.BAD_TOKEN
    assert (await ada.get("/v1/users/me")).refusal == (401, "unauthenticated")


@pytest.mark.parametrize("take", [ban, hide])
async def test_a_right_taken_while_it_is_read_for_a_watch_is_not_missed(
    servers: Servers, take: Taking
) -> None:
    here, there = servers
    ada, eve = there.new_user("ada"), here.new_user("eve")
    path = await a_channel(ada)
    ears = await eve.socket()
    watching = here.app._socket.watching
    real, was_read, go_on = watching.read_access, asyncio.Event(), asyncio.Event()

    async def slow(actor: Actor, group_id: GroupId) -> AccessContext:
        access = await real(actor, group_id)
        was_read.set()
        await go_on.wait()
        return access

    watching.read_access = slow
    await ears.tell(type="watch", conversation_id=conversation_of(path))
    await asyncio.wait_for(was_read.wait(), PATIENCE_SECONDS)
    await take(ada, path, eve)
    # A second socket of hers hears what comes behind: so this process has heard of it.
    await (await eve.socket()).close()
    go_on.set()
    while (told := await ears.frame())["type"] == "event":
        pass
    assert (told["type"], told["code"]) == ("error", "banned" if take is ban else "group_not_found")


# --- while a request is under way -------------------------------------------------------------------------------------


class Held:
    """A request whose body ends when a test lets it."""

    def __init__(self, user: User, path: str, first: bytes, rest: bytes, **headers: str) -> None:
        self._begun, self._held = asyncio.Event(), asyncio.Event()
        self._parts = (first, rest)
        self._headers = {"Authorization": f"Bearer {user.token}", **headers}
        self._call = asyncio.create_task(self._send(user, path))

    async def _send(self, user: User, path: str) -> tuple[int, str]:
        url = URL(user.base + path, encoded=True)
        async with user.http.post(url, data=self._body(), headers=self._headers) as answer:
            return answer.status, await answer.text()

    async def _body(self) -> AsyncIterator[bytes]:
        yield self._parts[0]
        self._begun.set()
        await self._held.wait()
        yield self._parts[1]

    async def begun(self, server: Api) -> None:
        """Once the server has taken the request in, and waits for the rest of its body."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._begun.wait()
            while server.app._http._under_way < 1:
                await asyncio.sleep(0.01)

    @property
    def is_over(self) -> bool:
        """Whether it was answered before all was sent."""
        return self._call.done()

    async def answer(self) -> tuple[int, str]:
        """What is answered once all is sent."""
        self._held.set()
        return await asyncio.wait_for(self._call, PATIENCE_SECONDS)


async def demote(ada: User, path: str, bob: User) -> None:
    assert (await ada.delete(f"{path}/admins/{bob.id}")).status == 204


async def narrow(ada: User, path: str, bob: User) -> None:
    given = await ada.put(f"{path}/admins/{bob.id}", {"grants": ["pin_posts"]})
    assert given.status == 200, given


async def revoke(ada: User, path: str, bob: User) -> None:
    assert (await bob.delete("/v1/users/me/tokens")).status == 204


async def nothing(ada: User, path: str, bob: User) -> None:
    """Leave him his right."""


@pytest.mark.parametrize(
    ("take", "status"),
    [(nothing, 201), (kick, 403), (ban, 403), (demote, 403), (narrow, 403), (revoke, 401)],
)
async def test_a_post_that_was_begun_is_judged_when_it_is_all_there(
    servers: Servers, take: Taking, status: int
) -> None:
    here, there = servers
    ada, bob = there.new_user("ada"), there.new_user("bob")
    path = await a_channel(ada, admins=(bob,))
    same = User(here.http, here.base, bob.id, bob.token)
    ears = await same.socket()
    held = Held(same, f"{path}/posts", b'{"kind": "text",', b' "text": "x"}', **AS_JSON)
    await held.begun(here)
    await take(ada, path, bob)
    if take is revoke:
        assert await ears.closed() == CloseCode.BAD_TOKEN
    found, text = await held.answer()
    assert found == status, text
    posts = (await ada.get(f"{path}/posts")).items
    assert len(posts) == (1 if take is nothing else 0)


@pytest.mark.parametrize(("take", "code"), [(nothing, None), (revoke, "unauthenticated")])
async def test_an_import_ends_where_its_token_was_revoked(
    servers: Servers, take: Taking, code: str | None
) -> None:
    here, there = servers
    ada, root = there.new_user("ada"), there.new_user("root", admin=True)
    path = await a_channel(ada)
    same = User(here.http, here.base, root.id, root.token)
    ears = await same.socket()
    before = (await ada.get(path)).body["subscriber_count"]
    one, two = b'{"user_id": "one"}\n', b'{"user_id": "two"}\n'
    held = Held(same, f"{path}/subscribers", one, two, **AS_LINES)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await ada.get(path)).body["subscriber_count"] == before:
            assert not held.is_over, await held.answer()
            await asyncio.sleep(0.02)
    await take(ada, path, root)
    if take is revoke:
        assert await ears.closed() == CloseCode.BAD_TOKEN
    status, text = await held.answer()
    last = json.loads(text.splitlines()[-1])
    told = last["error"]["code"] if last.get("error") else None
    assert (status, told) == (200, code), text
    names = {one["user_id"] for one in (await ada.get(f"{path}/subscribers?limit=100")).items}
    assert ("one" in names, "two" in names) == (True, code is None)
