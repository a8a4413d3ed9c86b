"""The client's socket: complete, in order and without a repetition, however its connection fares."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from channels.client import (
    ApiError,
    Client,
    Position,
    Resynced,
    Socket,
    SocketClosed,
    SocketEvent,
    mint_token,
)
from channels.client.catch_up import CatchUp, Yielded
from channels.client.event_models import (
    ChannelSubscribed,
    ChannelUnsubscribed,
    ConversationRead,
    MessageEdited,
    MessagePosted,
    ReactionsChanged,
)
from channels.client.position import Known
from channels.client.tokens import Tokens
from channels.client.transport import Transport
from channels.server.realtime.close_codes import CloseCode
from tests.api import PATIENCE_SECONDS, SECRET, Api, fresh
from tests.client.clients import QUICK, client_of
from tests.client.view import ChannelView
from tests.faults.network import Break, Wire
from tests.flows.server_process import ServerProcess

OpenApi = Callable[..., Awaitable[Api]]
LIKE = "👍"
E = TypeVar("E")


@asynccontextmanager
async def wired(server: Api) -> AsyncIterator[Wire]:
    async with Wire(int(server.base.rpartition(":")[2])) as wire:
        yield wire


async def next_of(socket: Socket, kind: type[E]) -> E:
    """The next event of this type."""
    return await until(socket, lambda event: isinstance(event, kind))  # type: ignore[return-value]


async def until(socket: Socket, is_it: Callable[[SocketEvent], bool]) -> SocketEvent:
    """The next event for which this is true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_it(event := await anext(socket)):
            pass
    return event


async def a_followed_channel(owner: Client, reader: Client) -> str:
    channel_id = f"@TOA#_{fresh('live')}"
    await owner.channels.create(channel_id=channel_id, name="Live")
    await reader.channels.subscribe(channel_id)
    return channel_id


async def filled(view: ChannelView, socket: Socket, owner: Client, channel_id: str) -> None:
    """Read until the view is the server's; fails when it does not become so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if view.is_of(await owner.posts.list(channel_id).to_list()):
                return
            view.take(await anext(socket))


async def test_events_are_typed_and_live(api: OpenApi) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        channel_id = await a_followed_channel(mine, theirs)
        async with theirs.connect() as socket:
            await mine.posts.publish(channel_id, text="Hello")
            posted = await next_of(socket, MessagePosted)
            assert posted.post is not None
            assert (posted.channel_id, posted.seq, posted.post.text) == (channel_id, 1, "Hello")
            await theirs.conversations.mark_read(f"group_{channel_id}")
            read = await next_of(socket, ConversationRead)
            assert read.unread_count == 0
            other = f"@TOA#_{fresh('other')}"
            await mine.channels.create(channel_id=other, name="Other")
            await theirs.channels.subscribe(other)
            await next_of(socket, ChannelSubscribed)
            await mine.posts.publish(other, text="One")
            await mine.posts.edit(other, 1, text="Two")
            await next_of(socket, MessagePosted)
            edited = await next_of(socket, MessageEdited)
            assert edited.version == 1
            await theirs.channels.unsubscribe(other)
            await next_of(socket, ChannelUnsubscribed)
            assert f"group_{other}" not in socket.position.known


async def write(owner: Client, channel_id: str, chance: random.Random) -> None:
    """Write 60 posts, and change or delete many of them."""
    for seq in range(1, 61):
        await owner.posts.publish(channel_id, text=str(seq))
        match chance.randrange(6):
            case 0:
                await owner.posts.pin(channel_id, seq)
                await owner.posts.unpin(channel_id, seq)
            case 1:
                await owner.posts.edit(channel_id, seq, text=f"{seq}!")
            case 2:
                await owner.posts.delete(channel_id, seq)
        await asyncio.sleep(chance.random() * 0.02)


async def harm(wire: Wire, chance: random.Random) -> None:
    """Reset what is open, and then the upgrade, the first frame, the sync or a read of a gap."""
    breaks: list[Break] = ["half", "unanswered"]
    while True:
        await asyncio.sleep(chance.random() * 0.15)
        wire.break_next(*(chance.choice(breaks) for _ in range(chance.randrange(3))))
        wire.cut()


@pytest.mark.parametrize("seed", range(4))
async def test_a_connection_that_is_cut_at_every_stage_loses_and_repeats_nothing(
    api: OpenApi, seed: int
) -> None:
    """Half of these apps restart at any moment, too, and go on from their position."""
    chance, view = random.Random(seed), ChannelView()
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    async with (
        wired(server) as wire,
        client_of(owner) as mine,
        client_of(reader, base=wire.url) as theirs,
    ):
        channel_id = await a_followed_channel(mine, theirs)
        position: Position | None = None
        lost = 0
        async with theirs.connect() as socket:
            position = socket.position
        harming = asyncio.create_task(harm(wire, chance))
        writing = asyncio.create_task(write(mine, channel_id, chance))
        while not writing.done():
            async with theirs.connect(position=position) as socket:
                until_restart = chance.randrange(1, 30) if seed % 2 else 10_000
                while not writing.done() and until_restart:
                    reading = asyncio.ensure_future(anext(socket))
                    await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
                    reading.cancel()
                    await asyncio.wait({reading})
                    if not reading.cancelled():
                        view.take(reading.result())
                        until_restart -= 1
                position = socket.position
                lost += socket.reconnects
        harming.cancel()
        await writing
        async with theirs.connect(position=position) as socket:
            await filled(view, socket, mine, channel_id)
            assert socket.position.known[f"group_{channel_id}"].seq == 60
        assert lost > 3


async def test_what_the_server_left_out_is_read(api: OpenApi) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        channel_id = await a_followed_channel(mine, theirs)
        conversation_id = f"group_{channel_id}"
        tokens = Tokens(reader.token, None)
        transport = Transport(reader.base, tokens, server.http, retries=QUICK, timeout_seconds=20)
        catch_up = CatchUp(transport, theirs.conversations, Position(), replay=100)
        await catch_up.begin()
        for text in ("One", "Two", "Three"):
            await mine.posts.publish(channel_id, text=text)
        await mine.posts.edit(channel_id, 2, text="Changed")

        async def found(events: Yielded) -> list[tuple[str, int | None]]:
            return [
                (event.type, getattr(event, "seq", None))
                async for event, _ in events
                if event is not None
            ]

        # The frame says so, or a number is missing in what comes next.
        assert await found(catch_up.behind(conversation_id, 2)) == [
            *(("message.posted", seq) for seq in (1, 2, 3)),
            ("resynced", None),
        ]
        assert await found(catch_up.behind(conversation_id, None)) == [("resynced", None)]
        for text in ("Four", "Five"):
            await mine.posts.publish(channel_id, text=text)
        for seq in (1, 5):
            await mine.posts.edit(channel_id, seq, text="!")
        live = {"at": "2026-11-28T10:00:00.000Z", "stream_id": conversation_id}
        live |= {"conversation_id": conversation_id, "channel_id": channel_id}
        five = {**live, "type": "message.posted", "seq": 5, "post": {}}
        assert await found(catch_up.live(five, reader.id)) == [
            *(("message.posted", 4), ("message.posted", 5))
        ]
        assert await found(catch_up.live(five, reader.id)) == []
        third = {**live, "type": "message.edited", "seq": 5, "version": 3, "post": {}}
        assert await found(catch_up.live(third, reader.id)) == [
            *(("message.edited", 1), ("message.edited", 5))
        ]
        assert await found(catch_up.live(third, reader.id)) == []
        # Posted and changed while older changes are read: its own events come late, and are left out.
        await mine.posts.edit(channel_id, 1, text="Again")
        await mine.posts.edit(channel_id, 1, text="And again")
        await mine.posts.publish(channel_id, text="Six")
        await mine.posts.edit(channel_id, 6, text="Sixth")
        fifth = {**third, "seq": 1, "version": 5}
        texts = [
            (event.seq, event.post.text)
            async for event, _ in catch_up.live(fifth, reader.id)
            if isinstance(event, MessageEdited | MessagePosted) and event.post is not None
        ]
        assert texts == [(1, "And again"), (6, "Sixth")]
        assert await found(catch_up.live({**five, "seq": 6}, reader.id)) == []
        assert await found(catch_up.live({**third, "seq": 6, "version": 6}, reader.id)) == []
        new = {**five, "seq": 7, "event_id": "e1", "post": {}}
        assert len(await found(catch_up.live(new, reader.id))) == 1
        assert await found(catch_up.live({**new, "seq": 8}, reader.id)) == []


async def test_what_was_missed_comes_before_what_is_live(api: OpenApi) -> None:
    server = await api()
    owner, reader, friend = (server.new_user(name) for name in ("owner", "reader", "friend"))
    async with (
        wired(server) as wire,
        client_of(owner) as mine,
        client_of(friend) as friends,
        client_of(reader, base=wire.url) as theirs,
    ):
        channel_id = await a_followed_channel(mine, theirs)
        gone_id = await a_followed_channel(mine, theirs)
        await mine.posts.publish(channel_id, text="Before")
        async with theirs.connect() as socket:
            assert (await next_of(socket, Resynced)).reason == "connected"
            await mine.posts.publish(channel_id, text="One")
            await next_of(socket, MessagePosted)
            wire.stall()
            wire.cut()
            for text in ("Two", "Three"):
                await mine.posts.publish(channel_id, text=text)
            await mine.posts.edit(channel_id, 1, text="Changed")
            await friends.conversations.send(f"c2c_{reader.id}", text="Ahoy")
            await mine.channels.delete(gone_id)
            wire.flow()
            found: set[tuple[str, int]] = set()
            while not isinstance(event := await anext(socket), Resynced):
                if isinstance(event, MessagePosted | MessageEdited):
                    found.add((event.type, event.seq))
            resynced = event
            assert resynced.reason == "reconnected"
            assert found == {
                *(("message.edited", 1), ("message.posted", 3), ("message.posted", 4)),
                ("message.posted", 1),  # of the friend
            }
            assert resynced.unread is not None
            assert resynced.unread.total == 5
            assert {one.conversation_id for one in resynced.conversations} == {
                *(f"group_{channel_id}", f"c2c_{friend.id}")
            }
            assert [one.conversation_id for one in resynced.ended] == [f"group_{gone_id}"]
            await mine.posts.publish(channel_id, text="Live")
            live = await next_of(socket, MessagePosted)
            assert live.seq == 5


async def test_an_app_that_restarts_goes_on_where_it_was(api: OpenApi) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        channel_id = await a_followed_channel(mine, theirs)
        async with theirs.connect() as socket:
            for text in ("One", "Two", "Three"):
                await mine.posts.publish(channel_id, text=text)
            first = await next_of(socket, MessagePosted)
            stored = socket.position.model_dump_json()
        await mine.posts.publish(channel_id, text="Four")
        position = Position.model_validate_json(stored)
        async with theirs.connect(position=position) as socket:
            seqs = [(await next_of(socket, MessagePosted)).seq for _ in range(3)]
            assert (first.seq, seqs) == (1, [2, 3, 4])


async def test_more_than_an_app_wants_to_read_is_a_gap(api: OpenApi) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        channel_id = await a_followed_channel(mine, theirs)
        position = Position(
            sync_token=(await theirs.conversations.sync()).sync_token,
            known={f"group_{channel_id}": Known(seq=0, version=0, is_channel=True)},
        )
        for number in range(5):
            await mine.posts.publish(channel_id, text=str(number))
        async with theirs.connect(position=position, replay=5) as socket:
            await next_of(socket, MessagePosted)
        async with theirs.connect(position=position, replay=4) as socket:
            gap = await next_of(socket, Resynced)
            assert (gap.reason, gap.conversation_ids) == ("gap", [f"group_{channel_id}"])


async def test_reactions_are_watched_through_reconnects(api: OpenApi) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    async with (
        wired(server) as wire,
        client_of(owner) as mine,
        client_of(reader, base=wire.url) as theirs,
    ):
        channel_id = await a_followed_channel(mine, theirs)
        await mine.posts.publish(channel_id, text="Like it?")
        async with theirs.connect() as socket:
            (watched,) = await socket.watch(f"group_{channel_id}")
            assert watched.reactions == []
            (nowhere,) = await socket.watch("group_@TOA#_nowhere")
            assert nowhere.error is not None
            assert nowhere.error.code == "group_not_found"
            with pytest.raises(ApiError) as refused:
                await socket.watch("group_x", seqs={"group_x": range(1, 52)})
            assert refused.value.code == "invalid_request"
            await mine.posts.react(channel_id, 1, LIKE)
            changed = await next_of(socket, ReactionsChanged)
            assert changed.counts == {LIKE: 1}
            wire.stall()
            wire.cut()
            await mine.posts.unreact(channel_id, 1, LIKE)
            wire.flow()
            again = await next_of(socket, Resynced)
            assert again.reason == "watch"
            assert {one.conversation_id for one in again.watched} >= {f"group_{channel_id}"}
            await socket.unwatch(f"group_{channel_id}", "group_@TOA#_nowhere")


async def test_a_token_that_expires_is_renewed_on_the_socket(api: OpenApi) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    minted: list[str] = []

    def provide() -> str:
        valid_for = timedelta(seconds=2 if not minted else 3600)
        minted.append(mint_token(SECRET, reader.id, valid_for=valid_for))
        return minted[-1]

    async with (
        client_of(owner) as mine,
        Client(server.base, token_provider=provide, retries=QUICK) as theirs,
    ):
        channel_id = await a_followed_channel(mine, theirs)
        async with theirs.connect() as socket:
            await asyncio.sleep(2.1)
            await mine.posts.publish(channel_id, text="Later")
            await next_of(socket, MessagePosted)
            assert len(minted) == 2


async def test_a_socket_whose_tokens_are_revoked_comes_back_with_new_ones(api: OpenApi) -> None:
    server = await api()
    reader = server.new_user("reader")
    minted: list[str] = []

    async def provide() -> str:
        minted.append(mint_token(SECRET, reader.id))
        return minted[-1]

    async with (
        Client(server.base, token_provider=provide, retries=QUICK) as client,
        client.connect() as socket,
    ):
        for reason in ("connected", "reconnected", "reconnected"):
            assert (await next_of(socket, Resynced)).reason == reason
            await client.users.revoke_tokens()
        assert (await next_of(socket, Resynced)).reason == "reconnected"
    assert len(minted) == 4


async def test_a_socket_that_must_not_come_back_ends(api: OpenApi) -> None:
    server = await api()
    reader = server.new_user("reader")
    async with client_of(reader) as client, client.connect() as socket:
        await next_of(socket, Resynced)
        await client.users.revoke_tokens()
        with pytest.raises(SocketClosed) as closed:
            await until(socket, lambda _: False)
        assert closed.value.code == CloseCode.BAD_TOKEN
        with pytest.raises(SocketClosed):
            await anext(socket)
        with pytest.raises(SocketClosed):
            await socket.watch("group_x")


async def test_a_server_that_is_killed_is_found_again(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        server = ServerProcess(tmp_path / "data", http)
        await server.start()
        try:
            port = server.base.rpartition(":")[2]
            async with Wire(int(port)) as wire:
                owner, reader = server.user_of("owner"), server.user_of("reader")
                async with (
                    client_of(owner, base=wire.url) as mine,
                    client_of(reader, base=wire.url) as theirs,
                ):
                    channel_id = await a_followed_channel(mine, theirs)
                    view = ChannelView()
                    async with theirs.connect() as socket:
                        await mine.posts.publish(channel_id, text="One")
                        await filled(view, socket, mine, channel_id)
                        await server.kill()
                        await server.start()
                        wire.target = int(server.base.rpartition(":")[2])
                        await mine.posts.publish(channel_id, text="Two")
                        await mine.posts.edit(channel_id, 1, text="Edited")
                        await filled(view, socket, mine, channel_id)
        finally:
            await server.stop()
