"""The demo's first pages: sign-ins for visitors of this machine only, and people who act while one watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from channels.demo.bot import MOST_ACTS, WATCHED_SECONDS, DemoBot
from channels.demo.service import GUESTS, fill_if_empty
from channels.server.app import App, Services, create_services
from channels.server.tokens import mint
from channels.server.web.pages.demo import DemoPages, is_loopback
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database
from tests.api import SECRET, Answer, Api, User

on_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def demo(shared_api: Api) -> AsyncIterator[tuple[User, DemoBot]]:
    """A visitor and a bot of their own, on the scene of all tests here: to make it takes seconds."""
    async with a_demo(shared_api, shared_api.services.database) as demo:
        yield demo


@asynccontextmanager
async def a_demo(server: Api, database: Database) -> AsyncIterator[tuple[User, DemoBot]]:
    """A visitor of a server with the scene, and the bot of the scene."""

    def compose(clock: Clock) -> Services:
        return create_services(database, server.services.limits, clock=clock)

    await fill_if_empty(server.services, compose)
    bot = DemoBot(scene=server.services)
    clock = server.services.clock

    def token_of(user_id: str) -> str:
        return mint(SECRET, user_id, admin=False, hours=1, now=clock.now())

    services = create_services(database, server.services.limits)
    runner = App(services, SECRET, demo=DemoPages(bot, token_of))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield User(server.http, f"http://{host}:{port}", "", None), bot
    finally:
        await runner.cleanup()


async def enter(visitor: User, user_id: str) -> str:
    """Enter as a person of the scene; returns where it leads."""
    url = URL(f"{visitor.base}/demo/as/{user_id}")
    async with visitor.http.get(url, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.headers["Location"]


async def token_of(visitor: User, user_id: str, **headers: str) -> Answer:
    origin = {"Origin": visitor.base}
    return await visitor.call("POST", f"/demo/tokens/{user_id}", headers={**origin, **headers})


@on_one_loop
async def test_a_visitor_of_this_machine_looks_around_as_a_person_of_the_scene(
    demo: tuple[User, DemoBot],
) -> None:
    visitor, bot = demo
    start = await visitor.get("/demo")
    assert start.status == 200
    assert [f"/demo/as/{name}" in start.text for name in GUESTS] == [True, True]
    assert 'name="channels-demo"' in (await visitor.get("/")).text
    assert not bot.is_watched
    for user_id, path in GUESTS.items():
        where, _, token = (await enter(visitor, user_id)).partition("#token=")
        assert where == path
        person = User(visitor.http, visitor.base, user_id, token)
        assert (await person.get("/v1/users/me")).body["user_id"] == user_id
        assert (await person.get("/v1/channels?all=true")).refusal[0] == 403, "no admin of the app"
    assert bot.is_watched
    given = await token_of(visitor, "bob")
    assert (given.status, given.headers["Cache-Control"]) == (200, "no-store")
    assert "Access-Control-Allow-Origin" not in given.headers


@on_one_loop
async def test_others_find_nothing(demo: tuple[User, DemoBot]) -> None:
    visitor, bot = demo
    others: list[dict[str, str]] = [
        {"Host": "evil.example"},  # its name leads to this machine
        {"Host": "127.0.0.1.evil.example"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
    ]
    for headers in others:
        for path in ("/demo", "/demo/live", "/demo/as/ada"):
            assert (await visitor.get(path, headers=headers)).status == 404
        origin = {"Origin": f"http://{headers['Host']}"} if "Host" in headers else {}
        assert (await token_of(visitor, "ada", **headers, **origin)).status == 404
    assert not bot.is_watched
    # A page of another site may send the visitor's browser here, and gets no token.
    for elsewhere in ("https://evil.example", "null", ""):
        assert (await token_of(visitor, "ada", Origin=elsewhere)).status == 404
    # Nobody else of the scene can be entered.
    assert (await token_of(visitor, "cid")).status == 404
    assert (await visitor.get("/demo/as/cid")).status == 404


@on_one_loop
async def test_without_the_demo_there_is_none_of_it(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    for path in ("/demo", "/demo/live", "/demo/as/ada"):
        assert (await nobody.get(path)).status == 404
    assert "channels-demo" not in (await nobody.get("/")).text


@on_one_loop
async def test_people_act_while_somebody_looks_on_and_only_then(
    demo: tuple[User, DemoBot],
) -> None:
    visitor, bot = demo
    now = 0.0
    bot.timer = lambda: now
    bot.chance.seed(1)
    for _ in range(20):
        await bot.act()
    assert bot.acts == 0
    ada = User(visitor.http, visitor.base, "ada", (await token_of(visitor, "ada")).body["token"])
    news = "/v1/channels/brightwater-news/posts"
    before = (await ada.get(f"{news}?limit=1")).items
    chats = (await ada.get("/v1/groups/sunday-hike/messages?limit=1")).items
    for _ in range(60):
        await bot.act()
    assert bot.acts == 60
    after = (await ada.get(f"{news}?limit=10")).items
    assert after[0]["seq"] > before[0]["seq"]
    assert (await ada.get("/v1/groups/sunday-hike/messages?limit=1")).items != chats
    now = WATCHED_SECONDS
    await bot.act()
    assert bot.acts == 60
    await enter(visitor, "bob")
    bot.acts = MOST_ACTS - 1
    await bot.act()
    await bot.act()
    assert bot.acts == MOST_ACTS


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("192.168.1.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_an_address_of_this_machine_is_known(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here
