"""An answer that was lost (P6): how each POST is repeated, asked of a second process too.

The table names every POST of the API, so a new one without a row fails. `keyed`: it makes something, and the same
`Idempotency-Key` answers what the first one made; the same key with another body is refused. `itself`: what it is about
is named by path and body, so saying it again changes nothing. `reads`: it stores nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio

from channels.server.app import endpoints_for
from groups.kernel.mongo import Database
from tests.api import (
    AS_LINES,
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    id_of,
    open_api,
    open_database,
    part,
)
from tests.mongod import DRIVER

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOW: Final = {
    "/v1/channels": "keyed",
    "/v1/channels/{channel_id}/broadcasts": "keyed, elsewhere",  # tests/broadcasts/test_broadcasts.py
    "/v1/channels/{channel_id}/broadcasts/audience": "reads",
    "/v1/channels/{channel_id}/broadcasts/{broadcast_id}/stop": "itself",
    "/v1/channels/{channel_id}/broadcasts/{broadcast_id}/resume": "itself",
    "/v1/channels/{channel_id}/drafts": "keyed",
    "/v1/channels/{channel_id}/forms/{name}/answers": "keyed, elsewhere",  # tests/buttons/test_forms.py
    # tests/channels/self_service/test_menus.py
    "/v1/channels/{channel_id}/menu/selections": "keyed, elsewhere",
    "/v1/channels/{channel_id}/drafts/{draft_id}/publish": "itself",
    "/v1/channels/{channel_id}/inbox/messages": "keyed for each",  # tests/channels/test_channel_messages.py
    "/v1/channels/{channel_id}/inbox/{user_id}/messages": "keyed",
    "/v1/channels/{channel_id}/inbox/{user_id}/read": "itself",
    "/v1/channels/{channel_id}/invitations": "itself",
    "/v1/channels/{channel_id}/invitations/me": "itself",
    "/v1/groups/{group_id}/invitations/me": "itself",
    "/v1/channels/{channel_id}/owner": "itself",
    "/v1/channels/{channel_id}/posts": "keyed",
    "/v1/channels/{channel_id}/posts/preview": "reads",
    "/v1/channels/{channel_id}/posts/{seq}/poll/close": "itself",
    "/v1/channels/{channel_id}/posts/{seq}/acknowledgements/reminder": "itself",
    "/v1/reports": "itself",
    "/v1/reports/{report_id}/resolution": "itself",
    "/v1/channels/{channel_id}/posts/views": "itself",
    "/v1/channels/{channel_id}/posts/{seq}/clicks": "itself",
    "/v1/channels/{channel_id}/subscriber-tags": "itself",
    "/v1/channels/{channel_id}/subscribers": "itself",
    "/v1/conversation-groups/{name}/conversations": "itself",
    "/v1/conversations/{conversation_id}/messages": "keyed",
    "/v1/conversations/{conversation_id}/read": "itself",
    "/v1/groups": "keyed",
    "/v1/channels/{channel_id}/invite-links": "keyed, elsewhere",  # tests/channels/test_invite_links.py
    "/v1/channels/{channel_id}/join-requests": "itself",
    "/v1/channels/{channel_id}/join-requests/{user_id}": "itself",
    "/v1/groups/{group_id}/invite-links": "keyed, elsewhere",  # tests/channels/test_invite_links.py
    "/v1/groups/{group_id}/join-requests": "itself",
    "/v1/groups/{group_id}/join-requests/{user_id}": "itself",
    "/v1/invite-links/{code}/join": "itself",
    "/v1/groups/{group_id}/messages": "keyed",
    "/v1/groups/{group_id}/messages/{seq}/poll/close": "itself",
    "/v1/groups/{group_id}/messages/{seq}/acknowledgements/reminder": "itself",
    "/v1/groups/{group_id}/owner": "itself",
    "/v1/link-previews": "anew",
    "/v1/media": "keyed",
    "/v1/read": "itself",
    "/v1/users": "itself",
    "/v1/channels/{channel_id}/posts/{seq}/comments": "keyed, elsewhere",  # tests/channels/test_comments.py
    "/v1/channels/{channel_id}/webhooks": "keyed, elsewhere",  # tests/channels/webhooks/test_endpoints.py
    "/v1/channels/{channel_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": "anew",
    "/v1/channels/{channel_id}/webhooks/{webhook_id}/replay": "anew",
    "/v1/channels/{channel_id}/webhooks/{webhook_id}/rotate-secret": "anew",
    "/v1/channels/{channel_id}/webhooks/{webhook_id}/test": "anew",
    "/v1/webhooks": "keyed, elsewhere",  # tests/channels/webhooks/test_endpoints.py
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": "anew",
    "/v1/webhooks/{webhook_id}/replay": "anew",
    "/v1/webhooks/{webhook_id}/rotate-secret": "anew",
    "/v1/webhooks/{webhook_id}/test": "anew",
}
"""`anew`: each call acts again, as its user asks."""
TEXT: Final = {"kind": "text", "text": "Hello"}
OTHER: Final = {"kind": "text", "text": "Other"}


@dataclass(frozen=True, slots=True)
class Processes:
    """Two servers on one database."""

    first: Api
    second: Api

    def there(self, user: User) -> User:
        """The same user at the other one."""
        return User(self.second.http, self.second.base, user.id, user.token)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(mongod_uri: str) -> AsyncIterator[Processes]:
    async with open_database(mongod_uri) as database:
        other = await Database.connect(
            mongod_uri, database.collection("any").database.name, driver=DRIVER
        )
        try:
            async with open_api(database) as first, open_api(other) as second:
                yield Processes(first, second)
        finally:
            await other.close()


async def test_every_post_says_how_it_is_repeated(both: Processes) -> None:
    posts = [e for e in endpoints_for(both.first.services) if e.spec.method == "POST"]
    assert {endpoint.spec.path for endpoint in posts} == set(HOW)
    keyed = {endpoint.spec.path for endpoint in posts if endpoint.takes_key}
    assert keyed == {path for path, how in HOW.items() if how.startswith("keyed")}


Bodies = tuple[str, Any, list[Any]]
"""A path, a body, and others that differ from it."""


async def a_scene(ada: User, bob: User) -> dict[str, Bodies]:
    """What each keyed call is asked."""
    channel, tea = await a_channel(ada, bob), await a_chat_group(ada, bob)
    talk = f"/v1/conversations/c2c_{part(id_of(channel))}/messages"
    await bob.post(talk, TEXT)
    draft = {"post": TEXT, "publish_at": "2036-01-01T00:00:00Z"}
    news = {"name": "News", "organization": "City"}
    return {
        "/v1/channels": (
            "/v1/channels",
            news,
            [
                news | {"name": "Other"},
                news | {"organization": "Town"},
                news | {"custom_data": "{}"},
                news | {"channel_id": f"@TOA#_{fresh('other')}"},
                news | {"group_id": id_of(tea)},
            ],
        ),
        "/v1/groups": (
            "/v1/groups",
            {"type": "community", "name": "Tea"},
            [
                {"type": "community", "name": "Other"},
                {"type": "public", "name": "Tea"},
                {"type": "community", "name": "Tea", "group_id": f"@TGS#_{fresh('other')}"},
            ],
        ),
        "/v1/channels/{channel_id}/drafts": (
            f"{channel}/drafts",
            {"post": TEXT},
            [{"post": OTHER}, draft, {"post": TEXT | {"silent": True}}],
        ),
        "/v1/channels/{channel_id}/inbox/{user_id}/messages": (
            f"{channel}/inbox/{bob.id}/messages",
            TEXT,
            [OTHER],
        ),
        "/v1/channels/{channel_id}/posts": (
            f"{channel}/posts",
            TEXT,
            [OTHER, TEXT | {"silent": True}],
        ),
        "/v1/conversations/{conversation_id}/messages": (
            f"/v1/conversations/c2c_{bob.id}/messages",
            TEXT,
            [OTHER],
        ),
        "/v1/groups/{group_id}/messages": (f"{tea}/messages", TEXT, [OTHER]),
        "/v1/media": ("/v1/media", b"some bytes", [b"other bytes"]),
    }


async def send(user: User, path: str, body: Any, key: str) -> Answer:
    headers = {"Idempotency-Key": key}
    if isinstance(body, bytes):
        return await user.call("POST", path, data=body, headers=headers)
    return await user.call("POST", path, body, headers=headers)


@pytest.mark.parametrize("call", [path for path, how in HOW.items() if how == "keyed"])
async def test_a_repeated_key_gives_the_first_answer_in_every_process(
    both: Processes, call: str
) -> None:
    ada, bob = both.first.new_user("ada"), both.first.new_user("bob")
    path, body, others = (await a_scene(ada, bob))[call]
    first = await send(ada, path, body, "k")
    assert first.status == 201, first
    for user in (ada, both.there(ada)):
        again = await send(user, path, body, "k")
        assert (again.status, again.body) == (201, first.body)
        for other in others:
            assert (await send(user, path, other, "k")).refusal == (409, "idempotency_conflict")
    assert (await send(ada, path, body, "another key")).body != first.body


@pytest.mark.parametrize("call", ["/v1/channels", "/v1/groups", "/v1/media"])
async def test_a_key_is_its_users_own(both: Processes, call: str) -> None:
    ada, bob = both.first.new_user("ada"), both.first.new_user("bob")
    path, body, _ = (await a_scene(ada, bob))[call]
    hers, his = [await send(user, path, body, "k") for user in (ada, both.there(bob))]
    assert (hers.status, his.status) == (201, 201)
    assert hers.body != his.body


async def test_marking_a_group_keeps_its_key(both: Processes) -> None:
    ada = both.first.new_user("ada")
    tea = await a_chat_group(ada)
    body = {"group_id": id_of(tea), "name": "News"}
    first = await send(ada, "/v1/channels", body, "k")
    assert first.status == 201, first
    again = await send(both.there(ada), "/v1/channels", body, "k")
    assert (again.status, again.body) == (201, first.body)
    other = await send(ada, "/v1/channels", body | {"name": "Other"}, "k")
    assert other.refusal == (409, "idempotency_conflict")


async def test_a_creation_that_is_refused_keeps_no_key(both: Processes) -> None:
    ada = both.first.new_user("ada")
    taken = id_of(await a_channel(ada))
    refused = await send(ada, "/v1/channels", {"channel_id": taken, "name": "News"}, "k")
    assert refused.refusal == (409, "channel_id_taken")
    assert (await send(ada, "/v1/channels", {"name": "News"}, "k")).status == 201


async def test_creations_that_race_under_one_key_make_one(both: Processes) -> None:
    ada = both.first.new_user("ada")
    for path, body in (
        ("/v1/channels", {"name": "News"}),
        ("/v1/groups", {"type": "public", "name": "Tea"}),
    ):
        users = [ada, both.there(ada)] * 5
        answers = await asyncio.gather(*(send(user, path, body, "race") for user in users))
        assert {answer.status for answer in answers} == {201}
        name = "channel_id" if path == "/v1/channels" else "group_id"
        assert len({answer.body[name] for answer in answers}) == 1


async def test_calls_that_name_the_new_resource_need_no_key(both: Processes) -> None:
    ada, bob, cat = (both.first.new_user(name) for name in ("ada", "bob", "cat"))
    root = both.first.new_user("root", admin=True)
    channel = await a_channel(ada, bob, settings={"count_clicks": True})
    club, tea = await a_chat_group(ada, bob, type="public"), await a_chat_group(ada, bob)
    await bob.delete(f"{tea}/members/me")
    await ada.put(f"{tea}/members/{part(bob.id)}")
    await a_post(ada, channel)
    await a_post(ada, channel, "See https://example.org/")
    await bob.post(f"/v1/conversations/c2c_{part(id_of(channel))}/messages", TEXT)
    draft = await ada.post(f"{channel}/drafts", {"post": TEXT})
    publish = f"{channel}/drafts/{draft.body['draft_id']}/publish"
    await bob.put("/v1/conversation-groups/news")
    mine = f"/v1/conversations/{part(conversation_of(channel))}/read"
    said: list[tuple[User, str, dict[str, Any]]] = [
        (ada, publish, {}),
        (ada, f"{channel}/inbox/{bob.id}/read", {}),
        (ada, f"{channel}/invitations", {"user_id": bob.id}),
        (bob, f"{channel}/invitations/me", {"accept": True}),
        (bob, f"{tea}/invitations/me", {"accept": True}),
        (bob, f"{channel}/posts/views", {"seqs": [1]}),
        (bob, f"{channel}/posts/2/clicks", {"url": "https://example.org/"}),
        (bob, "/v1/conversation-groups/news/conversations", {"add": [conversation_of(channel)]}),
        (bob, mine, {"seq": 1}),
        (bob, "/v1/read", {"scope": "all"}),
        (ada, f"{club}/owner", {"user_id": bob.id}),
        (ada, f"{channel}/owner", {"user_id": bob.id}),
    ]
    for user, path, body in said:
        answers = [
            await (one.post(path, body) if body else one.post(path))
            for one in (user, both.there(user))
        ]
        statuses = [answer.status for answer in answers]
        if path.endswith("/owner"):  # his own no more, so he may not give it away again
            assert statuses == [answers[0].status, 403], path
            continue
        assert statuses[0] < 300, answers
        assert statuses[1] == statuses[0], answers
        assert answers[1].text == answers[0].text, path
    line = f'{{"user_id": "{cat.id}"}}\n'
    for one, outcome in ((root, "added"), (both.there(root), "present")):
        answer = await one.call("POST", f"{channel}/subscribers", data=line, headers=AS_LINES)
        assert answer.lines[-1][outcome] == 1
