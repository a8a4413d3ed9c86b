"""Who may do what (P9): every call on a channel and on a group, for everybody who might make it, over HTTP.

A cell is the whole truth of one call: `ok` is the call's own success, anything else one refusal (see `MEANING`). Each
cell gets a fresh target of what it takes away, and a row that changes more than its targets a channel of its own.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import pytest_asyncio

from channels.docs_site.generated.permission_table import (
    ACCOUNT_ACTORS,
    ACCOUNTS,
    ACTORS,
    BY_GRANT,
    CHANNEL,
    CHANNEL_AS_GROUP,
    CHAT_GROUP,
    DIALOGUE,
    MEANING,
    SHUT_OUT,
    Row,
    rows_of,
    shut_out,
)
from channels.server.app import endpoints_for
from channels.server.tokens import mint
from groups.kernel.clock import rfc3339
from groups.kernel.endpoint import Endpoint
from groups.models import Grant
from tests.api import (
    AS_LINES,
    SECRET,
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    fresh,
    group_path,
    id_of,
    part,
    the_app,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODIES: Final[dict[str, Any]] = {
    "introduction": {"introduction": "All of it"},
    "posting": {"posting": "everyone"},
    "text": {"kind": "text", "text": "Hello"},
    "silent": {"kind": "text", "text": "Hello", "silent": True},
    "as-channel": {"kind": "text", "text": "Hello", "as_channel": True},
    "draft": {"post": {"kind": "text", "text": "Hello"}},
    "tags": {"tags": ["order"]},
    "reply": {"text": "We open at nine"},
    "menu": {"entries": [{"text": "Call me", "kind": "event", "data": "call"}]},
    "selected": {"entry": "1"},
    "greeting": {"text": "Welcome"},
    "answer": {"keywords": ["price"], "answer": {"text": "3 euros"}},
    "hours": {"time_zone": "UTC", "weekly": {}, "away": {"text": "Closed"}},
    "card": {"name_card": "B."},
    "mute": {"mute_seconds": 60},
    "unmute": {"mute_seconds": 0},
    "role": {"role": "admin"},
    "approve": {"approve": True},
    "asked": {"user_ids": ["ada", "bob"], "approve": True},
    "link": {"name": "Poster", "max_uses": 100},
    "named": {"name": "Other"},
    "banning": {"ban": True},
    "grants": {"grants": ["post"]},
    "accept": {"accept": True},
    "seen": {"seqs": [1]},
    "vote": {"options": [0]},
    "clicked": {"url": "https://example.org/"},
    "segment": {"segment": {"all": ["vip"]}},
    "many": {"user_ids": ["ada", "bob"], "kind": "text", "text": "Hello"},
    "pinned": {"pinned": True},
    "hook": {"url": "https://hooks.invalid/"},
    "paused": {"enabled": False},
    "suspended": {"mode": "readable", "reason": "Spam"},
    "restricted": {"reason": "Spam"},
    "dismissed": {"action": "dismiss"},
    "report": {"target": {"type": "user", "user_id": "reported"}, "reason": "spam"},
    "form": {"title": "Order", "fields": [{"name": "size", "label": "Size"}]},
    "filled": {"answers": {"size": "Large"}},
    "since": {"since": "2026-01-01T00:00:00Z"},
}

WITH_A_BUTTON: Final = {
    "kind": "text",
    "text": "Tea?",
    "buttons": [[{"text": "Order", "kind": "event", "data": "tea"}]],
}

ENDS_IT: Final = {("DELETE", "/"), ("POST", "/owner"), ("PUT", "/suspension")}
"""After one success nothing is as before: each cell gets a channel of its own."""


KEPT_ON_STAGE: Final = {"/posts/{post}/pin", "/messages/{post}/pin"}
"""What is done to these targets counts for the whole channel."""


def leaves_the_stage(row: Row) -> bool:
    """Whether it changes nothing but its fresh targets, so that the next row may have the same channel."""
    has_target = "{" in row.path and "{owner}" not in row.path
    return row.method == "GET" or (has_target and row.path not in KEPT_ON_STAGE)


Cast = dict[str, User]


async def a_webhook(user: User, path: str) -> str:
    """The path of a new webhook there. The oldest one is deleted, since there may be few."""
    made = await user.post(f"{path}/webhooks", BODIES["hook"])
    if made.refusal[1] == "webhook_limit_reached":
        [oldest, *_] = (await user.get(f"{path}/webhooks")).items
        deleted = await user.delete(f"{path}/webhooks/{oldest['webhook_id']}")
        assert deleted.status == 204, deleted
        made = await user.post(f"{path}/webhooks", BODIES["hook"])
    assert made.status == 201, made
    return f"{path}/webhooks/{made.body['webhook_id']}"


async def a_link(owner: User, path: str, **body: object) -> str:
    """The code of a new invite link there."""
    made = await owner.post(f"{path}/invite-links", body)
    assert made.status == 201, made
    return str(made.body["code"])


async def cast_of(shared_api: Api) -> Cast:
    """Everybody who might make a call."""
    users = {name: shared_api.new_user(name[:9]) for name in ACTORS if name != "app"}
    users["app"] = shared_api.new_user("app", admin=True)
    await a_channel(users["other"])
    return users


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cast(shared_api: Api) -> Cast:
    """The actors, the same for all rows."""
    return await cast_of(shared_api)


@pytest.fixture(scope="module")
def endpoints(shared_api: Api) -> list[Endpoint]:
    """Every call that is served."""
    return endpoints_for(shared_api.services)


@pytest.fixture(scope="module")
def stages() -> "dict[str, Stage]":
    """The stage of each table that is still as it was made."""
    return {}


class Stage:
    """A channel or chat group with everybody in place."""

    def __init__(self, cast: Cast, path: str) -> None:
        self.cast = cast
        self.path = path
        self._webhooks = ""
        self._forms = 0
        self._members = f"/v1/groups/{path.split('/')[3]}/members"

    async def fill(self) -> "Stage":
        """Bring the actors to their places."""
        for name in ("subscriber", "muted", "admin"):
            await self._add(self.cast[name].id)
        await self._change("admin", {"role": "admin"})
        await self._change("muted", {"mute_seconds": 3600})
        await self._ban(self.cast["banned"].id)
        return self

    async def target(self, word: str) -> str:
        """A fresh one of what the path names, as its part."""
        if word == "owner":
            return self.cast["owner"].id
        if word == "post":
            return str((await a_post(self.cast["owner"], self.path))["seq"])
        if word == "poll":
            calls = "posts" if self.path.startswith("/v1/channels/") else "messages"
            poll = {"question": "Tea?", "options": ["Yes", "No"]}
            asked = await self.cast["owner"].post(
                f"{self.path}/{calls}", {"kind": "poll", "poll": poll}
            )
            assert asked.status == 201, asked
            return str(asked.body["seq"])
        if word == "asking":
            calls = "posts" if self.path.startswith("/v1/channels/") else "messages"
            asking = {"kind": "text", "text": "Read this", "acknowledge": True}
            asked = await self.cast["owner"].post(f"{self.path}/{calls}", asking)
            assert asked.status == 201, asked
            return str(asked.body["seq"])
        if word == "buttons":
            asked = await self.cast["owner"].post(f"{self.path}/posts", WITH_A_BUTTON)
            assert asked.status == 201, asked
            return str(asked.body["seq"])
        if word == "form":
            # A few, over and over: a channel may have twenty. The owner may have deleted it.
            self._forms += 1
            name = f"form{self._forms % 5}"
            body = {**BODIES["form"], "title": fresh("title")}
            kept = await self.cast["owner"].put(f"{self.path}/forms/{name}", body)
            assert kept.status == 200, kept
            return name
        if word == "commented":
            seq = str((await a_post(self.cast["owner"], self.path))["seq"])
            # Of somebody who makes no call of the table.
            comment = f"{self.path}/posts/{seq}/comments"
            commented = await the_app(self.cast["owner"]).post(comment, BODIES["text"])
            assert commented.status == 201, commented
            return seq
        if word == "draft":
            kept = await self.cast["owner"].post(f"{self.path}/drafts", BODIES["draft"])
            assert kept.status == 201, kept
            return str(kept.body["draft_id"])
        if word == "webhook":
            self._webhooks = await a_webhook(self.cast["owner"], self.path)
            return self._webhooks.rpartition("/")[2]
        if word == "delivery":
            tried = await self.cast["owner"].post(f"{self._webhooks}/test")
            assert tried.status == 202, tried
            return str(tried.body["delivery_id"])
        if word == "reply":
            name = fresh("reply")
            kept = await self.cast["owner"].put(
                f"{self.path}/canned-replies/{name}", {"text": "We are closed"}
            )
            assert kept.status == 200, kept
            return name
        if word == "answer":
            name = fresh("answer")
            kept = await self.cast["owner"].put(
                f"{self.path}/auto-replies/{name}",
                {"keywords": ["hours"], "answer": {"text": "At nine"}},
            )
            assert kept.status == 200, kept
            return name
        if word == "broadcast":
            soon = rfc3339(datetime.now(UTC) + timedelta(days=2))
            made = await self.cast["owner"].post(
                f"{self.path}/broadcasts", {**BODIES["text"], "start_at": soon}
            )
            assert made.status == 201, made
            return str(made.body["broadcast_id"])
        if word == "link":
            return await a_link(self.cast["owner"], self.path)
        user_id = fresh("target")
        if word == "asker":
            code = await a_link(self.cast["owner"], self.path, approval=True)
            owner, now = self.cast["owner"], datetime.now(UTC)
            token = mint(SECRET, user_id, admin=False, hours=1, now=now)
            asker = User(owner.http, owner.base, user_id, token)
            asked = await asker.post(f"/v1/invite-links/{code}/join")
            assert asked.body["status"] == "requested", asked
            await owner.delete(f"{self.path}/invite-links/{code}")
        if word == "writer":
            await self._add(user_id)
            owner, token = (
                self.cast["owner"],
                mint(SECRET, user_id, admin=False, hours=1, now=datetime.now(UTC)),
            )
            await self.talk(User(owner.http, owner.base, user_id, token))
        if word in {"member", "admin"}:
            await self._add(user_id)
        if word == "admin":
            answer = await self.cast["owner"].patch(f"{self._members}/{user_id}", {"role": "admin"})
            assert answer.status == 200, answer
        if word == "banned":
            await self._ban(user_id)
        return user_id

    async def talk(self, user: User) -> None:
        """Have the user write to the channel, and the channel answer him."""
        asked = await user.post(f"{dialogue_path(self.path)}/messages", BODIES["text"])
        assert asked.status == 201, asked
        answer = f"{self.path}/inbox/{user.id}/messages"
        answered = await self.cast["owner"].post(answer, WITH_A_BUTTON)
        assert answered.status == 201, answered

    async def _add(self, user_id: str) -> None:
        answer = await the_app(self.cast["owner"]).put(f"{self._members}/{user_id}")
        assert answer.status == 200, answer

    async def _change(self, name: str, body: object) -> None:
        answer = await self.cast["owner"].patch(f"{self._members}/{self.cast[name].id}", body)
        assert answer.status == 200, answer

    async def _ban(self, user_id: str) -> None:
        answer = await self.cast["owner"].delete(f"{self._members}/{user_id}?ban=true")
        assert answer.status == 204, answer

    async def call(self, row: Row, actor: str) -> Answer:
        """One cell: the call by the actor on a fresh target."""
        path = row.path
        while "{" in path:
            word = path[path.index("{") + 1 : path.index("}")]
            path = path.replace("{" + word + "}", await self.target(word))
        path = path.replace("👍", part("👍")).removesuffix("/")
        user = self.cast[actor]
        if row.body in {"member", "nobody"}:
            return await user.call(
                row.method, self.path + path, {"user_id": await self.target(row.body)}
            )
        if row.body == "forward":
            source = {"group_id": id_of(self.path), "seq": int(await self.target("post"))}
            return await user.call(row.method, self.path + path, {"forward": source})
        if row.body == "selected":
            put = await self.cast["owner"].put(f"{self.path}/menu", BODIES["menu"])
            assert put.status == 200, put
        if row.body == "lines":
            line = f'{{"user_id": "{await self.target("nobody")}"}}\n'
            return await user.call(row.method, self.path + path, data=line, headers=AS_LINES)
        if row.body == "tag-lines":
            line = f'{{"user_id": "{await self.target("member")}", "add": ["vip"]}}\n'
            return await user.call(row.method, self.path + path, data=line, headers=AS_LINES)
        if row.body:
            return await user.call(row.method, self.path + path, BODIES[row.body])
        return await user.call(row.method, self.path + path)


async def channel(cast: Cast) -> Stage:
    return await (await empty_channel(cast)).fill()


async def empty_channel(cast: Cast) -> Stage:
    """A channel with its owner alone."""
    return Stage(cast, await a_channel(cast["owner"], settings={"comments": "subscribers"}))


async def private_channel(cast: Cast) -> Stage:
    settings = {"visibility": "private", "comments": "subscribers"}
    path = await a_channel(cast["owner"], settings=settings)
    return await Stage(cast, path).fill()


def dialogue_path(channel_path: str) -> str:
    """A user's own dialogue with the channel."""
    return f"/v1/conversations/{part(f'c2c_{id_of(channel_path)}')}"


def as_dialogue(make: Callable[[Cast], Awaitable[Stage]]) -> Callable[[Cast], Awaitable[Stage]]:
    """The dialogues with the channel of those who may have one."""

    async def made(cast: Cast) -> Stage:
        stage = await make(cast)
        for name in ("subscriber", "admin", "owner", "app"):
            await stage.talk(cast[name])
        stage.path = dialogue_path(stage.path)
        return stage

    return made


def as_group(make: Callable[[Cast], Awaitable[Stage]]) -> Callable[[Cast], Awaitable[Stage]]:
    """The same channel through the group calls."""

    async def made(cast: Cast) -> Stage:
        stage = await make(cast)
        stage.path = group_path(stage.path)
        return stage

    return made


async def chat_group(cast: Cast) -> Stage:
    return await Stage(cast, await a_chat_group(cast["owner"])).fill()


TABLES: Final[dict[str, tuple[Callable[[Cast], Awaitable[Stage]], list[Row]]]] = {
    "channel": (channel, rows_of(CHANNEL)),
    "channel as group": (as_group(channel), rows_of(CHANNEL_AS_GROUP)),
    "private channel": (private_channel, shut_out(rows_of(CHANNEL), "404c")),
    "private channel as group": (
        as_group(private_channel),
        shut_out(rows_of(CHANNEL_AS_GROUP), "404g"),
    ),
    "chat group": (chat_group, rows_of(CHAT_GROUP)),
    "dialogue": (as_dialogue(channel), rows_of(DIALOGUE)),
    "private dialogue": (as_dialogue(private_channel), shut_out(rows_of(DIALOGUE), "404v")),
}


def endpoint_of(endpoints: list[Endpoint], row: Row, prefix: str) -> Endpoint:
    """The endpoint that the row calls."""
    wanted = (prefix + row.path.partition("?")[0]).removesuffix("/").split("/")

    def fits(endpoint: Endpoint) -> bool:
        parts = endpoint.spec.path.split("/")
        return (
            endpoint.spec.method == row.method
            and len(parts) == len(wanted)
            and all(
                given.startswith("{") or given == named
                for given, named in zip(parts, wanted, strict=True)
            )
        )

    fitting = [endpoint for endpoint in endpoints if fits(endpoint)]
    assert fitting, row
    return min(fitting, key=lambda endpoint: endpoint.spec.path.count("{"))


def prefix_of(rows: list[Row]) -> str:
    paths = {row.path for row in rows}
    if "/messages/1" in paths:
        return "/v1/conversations/{conversation_id}"
    return "/v1/channels/{channel_id}" if "/posts" in paths else "/v1/groups/{group_id}"


def cell_of(endpoint: Endpoint, answer: Answer) -> str:
    """The answer as a cell."""
    if answer.status in {endpoint.spec.status, *endpoint.spec.also}:
        return "ok"
    by_meaning = {meaning: cell for cell, meaning in MEANING.items()}
    return by_meaning.get((answer.status, str(answer.refusal[1])), f"{answer.refusal}")


@pytest.mark.parametrize(
    ("table", "row"),
    [
        pytest.param(table, row, id=f"{table}: {row.name}")
        for table, (_, rows) in TABLES.items()
        for row in rows
    ],
)
async def test_each_actor_is_answered_as_the_table_says(
    endpoints: list[Endpoint], cast: Cast, stages: dict[str, Stage], table: str, row: Row
) -> None:
    make, rows = TABLES[table]
    endpoint = endpoint_of(endpoints, row, prefix_of(rows))
    told = {kind.code for kind in endpoint.spec.errors}
    stage = stages.get(table) or await make(cast)
    if leaves_the_stage(row):
        stages[table] = stage
    else:
        stages.pop(table, None)
    cells: list[str] = []
    for actor in ACTORS:
        if (row.method, row.path) in ENDS_IT and cells:
            stage = await make(cast)
        answer = await stage.call(row, actor)
        cells.append(cell_of(endpoint, answer))
        assert answer.status < 300 or answer.refusal[1] in told, f"undocumented: {answer}"
    shown = dict(zip(ACTORS, cells, strict=True))
    assert shown == dict(zip(ACTORS, row.cells, strict=True))


@pytest.mark.parametrize(
    ("table", "row"),
    [
        pytest.param(table, row, id=f"{table}: {row.name}")
        for table in ("channel", "channel as group")
        for row in TABLES[table][1]
    ],
)
async def test_an_admin_is_answered_so_by_his_grants(
    shared_api: Api, endpoints: list[Endpoint], cast: Cast, table: str, row: Row
) -> None:
    make = empty_channel if table == "channel" else as_group(empty_channel)
    endpoint = endpoint_of(endpoints, row, prefix_of(TABLES[table][1]))
    needed = next((grants for grants, names in BY_GRANT.items() if row.name in names), "").split()
    stage = await make(cast)
    admins = f"/v1/channels/{stage.path.split('/')[3]}/admins"
    answers: dict[str, Answer] = {}
    for name, grants in (("bare", []), ("granted", needed or list(Grant))):
        if (row.method, row.path) in ENDS_IT and answers:
            stage = await make(cast)
            admins = f"/v1/channels/{stage.path.split('/')[3]}/admins"
        user = stage.cast[name] = shared_api.new_user(name)
        assert (await the_app(user).put(f"{admins[:-7]}/subscribers/{user.id}")).status == 200
        appointed = await cast["owner"].put(f"{admins}/{user.id}", {"grants": grants})
        assert appointed.body["grants"] == [held for held in Grant if held in grants]
        answers[name] = await stage.call(row, name)
    wanted = row.cells[ACTORS.index("admin")]
    assert cell_of(endpoint, answers["granted"]) == wanted
    if not needed:
        assert cell_of(endpoint, answers["bare"]) == wanted
    else:
        assert cell_of(endpoint, answers["bare"]) in {"-", "write"}
        assert answers["bare"].body["details"] == {"grant": needed[0]}


async def test_each_call_that_needs_a_grant_is_a_row() -> None:
    names = {row.name for _, rows in TABLES.values() for row in rows}
    assert set().union(*BY_GRANT.values()) <= names


@pytest.mark.parametrize("table", TABLES)
async def test_no_call_of_the_application_is_without_a_row(
    endpoints: list[Endpoint], table: str
) -> None:
    rows = TABLES[table][1]
    prefix = prefix_of(rows)
    covered = {endpoint_of(endpoints, row, prefix).spec for row in rows}
    served = {e.spec for e in endpoints if (e.spec.path + "/").startswith(prefix + "/")}
    assert served - covered == set()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(shared_api: Api) -> dict[str, str]:
    """What the table of accounts names, by its word."""
    owner, shop = shared_api.new_user("owner"), shared_api.new_user("shop", business=True)
    channel = await a_channel(owner, settings={"accept_messages": "everyone"})
    await a_post(owner, channel)
    await a_channel(shop)
    return {
        "{channel}": id_of(channel),
        "{group}": id_of(await a_chat_group(owner)),
        "{person}": owner.id,
        "{shop}": shop.id,
        "{link}": await a_link(owner, f"/v1/channels/{part(id_of(channel))}"),
    }


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name) for row in rows_of(ACCOUNTS, ACCOUNT_ACTORS)]
)
async def test_each_kind_of_account_is_answered_as_the_table_says(
    shared_api: Api, endpoints: list[Endpoint], places: dict[str, str], row: Row
) -> None:
    bodies = {
        "channel": {"name": "News"},
        "channel-for-another": {"name": "News", "owner_id": places["{person}"]},
        "group": {"type": "work", "name": "Tea"},
        "group-for-another": {"type": "work", "name": "Tea", "owner_id": places["{person}"]},
        "users": {"users": [{"user_id": places["{person}"], "name": "Ada"}]},
        "text": BODIES["text"],
        "shop": {"user_id": places["{shop}"]},
        **{name: BODIES[name] for name in ("hook", "paused", "since", "vote")},
        **{name: BODIES[name] for name in ("report", "restricted", "dismissed")},
        "device": {"platform": "gateway", "pushkey": "k", "app_id": "app", "locale": "en"},
    }
    if "{webhook}" in row.path:
        app = shared_api.new_user("app", admin=True)
        webhook = await a_webhook(app, "/v1")
        tried = (await app.post(f"{webhook}/test")).body
        ids = {"{webhook}": tried["webhook_id"], "{delivery}": tried["delivery_id"]}
        places = places | ids
    if "{report}" in row.path or "restrict" in row.path:
        app = shared_api.new_user("app", admin=True)
        about = {"target": {"type": "user", "user_id": fresh("user")}, "reason": "spam"}
        made = await shared_api.new_user().post("/v1/reports", about)
        ids = {"{report}": made.body["report_id"], "{nobody}": fresh("user")}
        ids["{restricted}"] = fresh("user")
        await app.put(f"/v1/users/{ids['{restricted}']}/restriction", BODIES["restricted"])
        places = places | ids
    if "{leaver}" in row.path:
        leaver = fresh("leaver")
        places, bodies = places | {"{leaver}": leaver}, bodies | {"leave": {"confirm": leaver}}
        app = shared_api.new_user("app", admin=True)
        if "deletion" in row.path:
            await app.call("DELETE", f"/v1/users/{part(leaver)}", bodies["leave"])
    endpoint = endpoint_of(endpoints, row, "/v1")
    told = {kind.code for kind in endpoint.spec.errors}
    cells: list[str] = []
    for actor in ACCOUNT_ACTORS:
        user = shared_api.new_user(actor, admin=actor == "app", business=actor == "business")
        path, named = f"/v1{row.path}".replace("👍", part("👍")), dict(places)
        if "{own}" in path:
            named["{own}"] = id_of(await a_channel(user))
        for word, name in named.items():
            path = path.replace(word, part(name))
        sent = (bodies[row.body],) if row.body else ()
        answer = await user.call(row.method, path, *sent)
        cells.append(cell_of(endpoint, answer))
        assert answer.status < 300 or answer.refusal[1] in told, f"undocumented: {answer}"
    assert cells == list(row.cells)


async def test_a_private_channel_is_as_absent_as_one_that_never_was(cast: Cast) -> None:
    stage = await private_channel(cast)
    for path in (stage.path, group_path(stage.path)):
        absent = path.replace("c-", "x-")
        for actor in sorted(SHUT_OUT):
            hidden, none = await cast[actor].get(path), await cast[actor].get(absent)
            bodies = [answer.body | {"request_id": ""} for answer in (hidden, none)]
            assert (hidden.status, bodies[0]) == (none.status, bodies[1])
    assert (await cast["subscriber"].get(stage.path)).status == 200
