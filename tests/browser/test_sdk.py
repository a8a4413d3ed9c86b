"""The JavaScript SDK in a page of another origin: calls, lists, errors, retries, tokens, and events without gaps."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.api import Api, User, a_channel, a_post, id_of
from tests.browser.foreign_site import ForeignSite
from tests.browser.windows import OpenWindow


async def page_of(window: OpenWindow, site: ForeignSite, user: User) -> Page:
    """A page of the site whose scripts have the SDK as `sdk`, and a client for the user as `client`."""
    site.api = user.base
    script = f"""
      window.sdk = await import("{user.base}/sdk/channels.js");
      const options = {{ baseUrl: "{user.base}", token: "{user.token}" }};
      window.client = new sdk.ChannelsClient(options);
      document.title = "ready";
    """
    opened = await window(user, "/sdk/channels.js", signed_in=False)
    opened.expected = ("status of 40", "status of 503", "WebSocket", "ERR_CONN")
    await opened.page.goto(site.add("/sdk", "", script))
    await expect(opened.page).to_have_title("ready")
    return opened.page


async def listen(page: Page) -> Callable[[int], Awaitable[list[Any]]]:
    """Note the events of messages and ends; returns what waits until the page has so many of them."""
    await page.evaluate(
        """() => {
          window.events = [];
          client.socket.addEventListener("ready", () => { document.title = "open"; }, { once: true });
          const noted = new Set(["message.posted", "message.edited", "message.recalled", "conversation.ended"]);
          (async () => {
            for await (const event of client.events()) {
              if (!noted.has(event.type)) continue;
              const text = event.post?.text ?? event.message?.text ?? null;
              events.push([event.type.split(".")[1], event.seq ?? null, text, Boolean(event.caught_up)]);
              document.title = `${events.length} events`;
            }
          })();
        }"""
    )

    async def events(number: int) -> list[Any]:
        await expect(page).to_have_title(f"{number} events")
        found: list[Any] = await page.evaluate("events")
        return found

    await expect(page).to_have_title("open")
    return events


async def test_a_page_creates_posts_and_reads_with_typed_calls(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner = server.new_user("owner")
    page = await page_of(window, site, owner)
    path = await a_channel(owner)
    told: dict[str, Any] = await page.evaluate(
        """async (id) => {
          const body = (text) => ({ kind: "text", text });
          const key = sdk.newIdempotencyKey();
          for (let n = 1; n <= 3; n += 1) await client.posts.create(id, body(`post ${n}`));
          const again = await Promise.all([1, 2].map(() => client.posts.create(id, body("once"), { key })));
          const on = { channelId: id, seq: 1 };
          const tally = await client.reactions.add(on, "👍");
          const found = [];
          for await (const post of client.posts.list(id, { limit: 2 })) found.push(post.text);
          const pages = await client.posts.list(id, { limit: 3 }).page();
          const file = new File(["a,b"], "days.csv", { type: "text/csv" });
          const shares = [];
          const media = await client.media.upload(file, { onProgress: (share) => shares.push(share) });
          const many = await client.channels.getMany([id, "@TOA#_nowhere"]);
          const error = await client.channels.get("@TOA#_nowhere").catch((problem) => problem);
          return {
            found, tally, keys: [...many.keys()], seqs: again.map((post) => post.seq), more: pages.next_cursor !== null,
            name: media.name, sent: shares.at(-1), unread: (await client.unread.get()).total,
            error: [error instanceof sdk.ApiError, error.status, error.code, error.requestId !== null],
          };
        }""",
        id_of(path),
    )
    assert told == {
        "found": ["once", "post 3", "post 2", "post 1"],
        "tally": {"counts": {"👍": 1}, "total": 1, "mine": ["👍"]},
        "keys": [id_of(path)],
        "seqs": [4, 4],
        "more": True,
        "name": "days.csv",
        "sent": 1,
        "unread": 0,
        "error": [True, 404, "channel_not_found", True],
    }


async def test_a_post_is_acknowledged_and_the_others_are_reminded(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, reader, other = (server.new_user(name) for name in ("owner", "reader", "other"))
    path = await a_channel(owner, reader, other)
    body = {"kind": "text", "text": "Read this", "acknowledge": True}
    assert (await owner.post(f"{path}/posts", body)).status == 201
    page = await page_of(window, site, owner)
    told = await page.evaluate(
        """async ([baseUrl, token, id]) => {
          const on = { channelId: id, seq: 1 };
          const given = await new sdk.ChannelsClient({ baseUrl, token }).acknowledgements.give(on);
          const { acknowledgements } = client;
          const { counts, items } = await acknowledgements.missing(on).page();
          const names = (await acknowledgements.given(on).all()).map((one) => one.user_id);
          const { reminded_at } = await acknowledgements.remind(on);
          const again = await acknowledgements.remind(on).catch((error) => error.code);
          const isKept = (await acknowledgements.given(on).page()).reminded_at === reminded_at;
          return { given, counts, missing: items.map((one) => one.user_id), names, again, isKept };
        }""",
        [owner.base, reader.token, id_of(path)],
    )
    assert told == {
        "given": {"count": 1, "mine": True},
        "counts": {"asked": 2, "given": 1, "missing": 1},
        "missing": [other.id],
        "names": [reader.id],
        "again": "already_reminded",
        "isKept": True,
    }


async def test_a_call_is_repeated_when_the_server_is_busy_or_its_answer_is_lost(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner = server.new_user("owner")
    page = await page_of(window, site, owner)
    path = await a_channel(owner)
    keys = []

    async def fail_twice(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        headers = {"Access-Control-Allow-Origin": site.origin, "Retry-After": "1"}
        if len(keys) == 1:
            await route.fulfill(status=503, headers=headers, json={"code": "unavailable"})
        elif len(keys) == 2:
            await route.fetch()  # the server posts, and its answer is lost
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/posts", fail_twice)
    posting = (
        "id => client.posts.create(id, { kind: 'text', text: 'once' }).then((post) => post.seq)"
    )
    assert await page.evaluate(posting, id_of(path)) == 1
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len((await owner.get(f"{path}/posts")).items) == 1
    await page.route("**/posts", lambda route: route.abort("connectionreset"))
    failing = "id => client.posts.create(id, {}).catch((error) => [error.status, error.code])"
    assert await page.evaluate(failing, id_of(path)) == [0, "offline"]


async def test_a_refused_token_is_replaced_once_and_the_socket_gets_the_new_one(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, revoked = server.new_user("owner"), server.new_user("revoked")
    page = await page_of(window, site, owner)
    told = await page.evaluate(
        """async ([baseUrl, old, token]) => {
          const reasons = [];
          const getToken = async (reason) => {
            reasons.push(reason);
            return reasons.length === 1 ? old : token;
          };
          const renewed = new sdk.ChannelsClient({ baseUrl, getToken });
          const users = await Promise.all([1, 2, 3].map(() => renewed.users.get()));
          const live = new Promise((resolve) => renewed.socket.addEventListener("ready", resolve));
          renewed.socket.start();
          await live;
          renewed.socket.stop();
          const failures = [];
          const onUnauthenticated = (error) => failures.push(error.code);
          const bad = new sdk.ChannelsClient({ baseUrl, token: old, onUnauthenticated });
          const error = await bad.users.get().catch((problem) => problem);
          const refused = new Promise((resolve) => bad.socket.addEventListener("state", resolve));
          bad.socket.start();
          await refused;
          while (failures.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
          return [users.map((user) => user.user_id), reasons, error.code, failures];
        }""",
        [owner.base, f"{(revoked.token or '')[:-4]}AAAA", owner.token],
    )
    unauthenticated = "unauthenticated"
    reasons = ["start", "refused"]
    assert told == [[owner.id] * 3, reasons, unauthenticated, [unauthenticated, unauthenticated]]


async def test_events_come_once_and_without_gaps_through_a_lost_connection(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    other = await a_channel(owner, reader)
    await a_post(owner, path, "long before")
    page = await page_of(window, site, reader)
    sockets: list[WebSocketRoute] = []
    is_cut = False

    async def connect(socket: WebSocketRoute) -> None:
        if is_cut:
            await socket.close(code=1012)
            return
        sockets.append(socket)
        upstream = socket.connect_to_server()
        # Every event twice, as after a reconnect to another process.

        def send_twice(frame: str | bytes) -> None:
            for _ in range(2 if json.loads(frame)["type"] == "event" else 1):
                socket.send(frame)

        upstream.on_message(send_twice)

    await page.route_web_socket("**/v1/socket", connect)
    events = await listen(page)
    await a_post(owner, path, "live")
    assert await events(1) == [["posted", 2, "live", False]]

    is_cut = True
    await sockets[-1].close(code=1012)
    for number in range(3, 6):
        await a_post(owner, path, f"missed {number}")
    await owner.patch(f"{path}/posts/1", {"kind": "text", "text": "edited"})
    await owner.delete(f"{path}/posts/2")
    message = {"kind": "text", "text": "private"}
    conversation = f"/v1/conversations/c2c_{reader.id}/messages"
    assert (await owner.post(conversation, message)).status == 201
    await reader.delete(f"{other}/subscription")
    is_cut = False
    missed = (await events(8))[1:]
    assert [event for event in missed if event[0] == "ended"] == [["ended", None, None, True]]
    posts = [event for event in missed if event[0] != "ended" and event[2] != "private"]
    assert posts == [
        ["edited", 1, "edited", True],
        ["recalled", 2, None, True],
        *(["posted", number, f"missed {number}", True] for number in range(3, 6)),
    ]
    assert ["posted", 1, "private", True] in missed
    await a_post(owner, path, "live again")
    await owner.patch(f"{path}/posts/6", {"kind": "text", "text": "live edit"})
    assert (await events(10))[8:] == [
        ["posted", 6, "live again", False],
        ["edited", 6, "live edit", False],
    ]


async def test_a_post_that_is_changed_while_the_gap_is_read_comes_as_it_is_in_the_end(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path, "before")
    page = await page_of(window, site, reader)
    sockets: list[WebSocketRoute] = []
    is_cut = False

    async def connect(socket: WebSocketRoute) -> None:
        if is_cut:
            await socket.close(code=1012)
            return
        sockets.append(socket)
        socket.connect_to_server()

    async def post_meanwhile(route: Route) -> None:
        if (await owner.get(f"{path}/posts/2")).status == 404:
            await a_post(owner, path, "early")
            await owner.patch(f"{path}/posts/2", {"kind": "text", "text": "late"})
        await route.continue_()

    await page.route_web_socket("**/v1/socket", connect)
    events = await listen(page)
    is_cut = True
    await sockets[-1].close(code=1012)
    await owner.patch(f"{path}/posts/1", {"kind": "text", "text": "edited"})
    await page.route("**/posts?changed_since=*", post_meanwhile)
    is_cut = False
    assert await events(2) == [["edited", 1, "edited", True], ["posted", 2, "late", True]]
    await a_post(owner, path, "live")
    assert (await events(3))[2:] == [["posted", 3, "live", False]]
