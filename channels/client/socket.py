"""The socket: live events of all conversations of a user, complete through lost connections.

    async with client.connect() as socket:
        async for event in socket:
            match event:
                case MessagePosted():
                    ...
                case Resynced():
                    ...

It reconnects for as long as it takes, with pauses that double and are random, gets new tokens from the client's
`token_provider`, watches again what was watched, and yields what was missed (`channels.client.catch_up`). It ends with
`SocketClosed` when the server says not to come back.

A task reads the connection, another one brings its events into order, and a bounded queue holds them for the app. So an
app that is slow slows down its own socket, and is caught up later.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from channels.client.catch_up import CatchUp, Yielded
from channels.client.errors import (
    ApiError,
    BadAnswer,
    ChannelsError,
    NoAnswer,
    RateLimited,
    ServerError,
    SocketClosed,
    Unavailable,
    family_of,
)
from channels.client.events import Resynced, SocketEvent, Watched
from channels.client.position import Position, Step
from channels.client.resources.conversations import Conversations
from channels.client.transport import Transport

log = logging.getLogger("channels.client")

HEARTBEAT_SECONDS: Final = 25.0
ANSWER_SECONDS: Final = 15.0
"""How long the server may take to answer a frame, and to say that the socket is ready."""
SYNC_SECONDS: Final = 6 * 3600.0
"""How often a long session syncs, so that a later reconnect need not look back further."""
EVENTS_WAITING: Final = 1_000
FRAMES_WAITING: Final = 2_000
WATCHED_AT_ONCE: Final = 100

PROTOCOL_ERROR, TOO_BIG = 1002, 1009
TOKEN_EXPIRED, BAD_TOKEN = 4001, 4500
"""Close codes; from `BAD_TOKEN` on a client does not reconnect before something has changed."""

_PASSING: Final = (
    *(aiohttp.ClientError, OSError, TimeoutError, NoAnswer, BadAnswer),
    *(Unavailable, RateLimited, ServerError),
)
"""What a later attempt may not meet."""


class _Lost(Exception):
    """The connection ended."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class Socket:
    """Yields events while it is open. `Client.connect` makes it; use it as a context manager."""

    def __init__(
        self,
        transport: Transport,
        conversations: Conversations,
        *,
        position: Position | None,
        replay: int,
    ) -> None:
        self._transport = transport
        self._catch_up = CatchUp(transport, conversations, position or Position(), replay)
        self._given = position or Position()
        self._events: asyncio.Queue[tuple[SocketEvent | None, Step] | None] = asyncio.Queue(
            EVENTS_WAITING
        )
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._link: _Link | None = None
        self._is_linked = asyncio.Event()
        self._was_ready = False
        self._is_followed = False
        self._watched: dict[str, tuple[int, ...]] = {}
        self.reconnects = 0
        """How often a connection was lost, or could not be made."""

    async def __aenter__(self) -> Self:
        """Note where it begins, and connect. Raises: ApiError; NoAnswer."""
        if not self._catch_up.has_begun:
            await self._catch_up.begin()
        self._given = self._catch_up.position()
        self._task = asyncio.create_task(self._run(), name="channels socket")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def __aiter__(self) -> AsyncIterator[SocketEvent]:
        return self

    async def __anext__(self) -> SocketEvent:
        """The next event. Raises: SocketClosed, ApiError: the socket has ended for good."""
        while True:
            found = await self._events.get()
            if found is None:
                self._events.put_nowait(None)  # for the next call
                assert self._failure is not None
                raise self._failure
            event, step = found
            step.apply(self._given)
            if event is not None:
                return event

    @property
    def position(self) -> Position:
        """The place after the events that were yielded. Store it once you have worked on them."""
        return self._given.model_copy(deep=True)

    async def watch(
        self,
        *conversation_ids: str,
        seqs: Mapping[str, Sequence[int]] | None = None,
    ) -> list[Watched]:
        """Receive the reaction counts of groups and channels; returns them as they are now.

        It holds through reconnects, after which the counts come in a `Resynced`. `seqs`: the posts of a conversation to
        count, instead of its newest 20. At most 100 conversations a socket. Raises: ApiError.
        """
        given = {one: tuple((seqs or {}).get(one, ())) for one in conversation_ids}
        self._watched |= given
        try:
            return await self._ask_to_watch(given)
        except ApiError:
            for one in given:
                self._watched.pop(one, None)
            raise

    async def unwatch(self, *conversation_ids: str) -> None:
        """Receive them no more."""
        for one in conversation_ids:
            self._watched.pop(one, None)
        link = self._link
        if link is not None:  # the next connection does not watch them anyway
            with suppress(_Lost):
                await link.ask("unwatch", conversation_ids=list(conversation_ids))

    async def _ask_to_watch(self, wanted: Mapping[str, tuple[int, ...]]) -> list[Watched]:
        while True:
            link = await self._linked()
            try:
                return await link.watch(wanted)
            except _Lost:
                if self._link is link:
                    self._is_linked.clear()

    async def _linked(self) -> "_Link":
        while True:
            waiting = asyncio.create_task(self._is_linked.wait())
            assert self._task is not None
            await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if self._task.done():
                raise self._failure or ChannelsError("The socket is closed")
            if self._link is not None:
                return self._link

    # --- connections --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        failures, bad_tokens = 0, 0
        try:
            while True:
                token = await self._token()
                self._was_ready = False
                try:
                    if token is not None:
                        await self._session(token)
                except _Lost as lost:
                    code = lost.code
                    if code in {TOKEN_EXPIRED, BAD_TOKEN}:
                        bad_tokens = 1 if self._was_ready else bad_tokens + 1
                        if not self._transport.tokens.can_renew or bad_tokens > 1:
                            raise SocketClosed(code or 0, lost.reason) from None
                        await self._renew(token)
                    elif code is not None and (
                        code > BAD_TOKEN or code in {PROTOCOL_ERROR, TOO_BIG}
                    ):
                        raise SocketClosed(code, lost.reason) from None
                except aiohttp.WSServerHandshakeError as refusal:
                    family = family_of(refusal.status)
                    if not issubclass(family, _PASSING):
                        raise family(refusal.status, "upgrade_refused", refusal.message) from None
                except _PASSING as error:
                    log.debug("The socket lost its connection: %r", error)
                failures = 1 if self._was_ready else failures + 1
                self.reconnects += 1
                await asyncio.sleep(self._transport.retries.pause_seconds(min(failures, 10)))
        except asyncio.CancelledError:
            self._failure = ChannelsError("The socket is closed")
            raise
        except BaseException as error:
            self._failure = error
        await self._events.put(None)

    async def _token(self) -> str | None:
        try:
            return await self._transport.tokens.current()
        except _PASSING:
            return None

    async def _renew(self, token: str | None) -> None:
        with suppress(*_PASSING):
            await self._transport.tokens.renewed(instead_of=token)

    async def _session(self, token: str) -> None:
        """One connection, from its first frame to its end."""
        base = self._transport.base_url
        url = f"{base.replace('http', 'ws', 1)}/v1/socket"
        timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
        async with (
            asyncio.timeout(ANSWER_SECONDS) as opening,
            self._transport.http.ws_connect(
                url, heartbeat=HEARTBEAT_SECONDS, timeout=timeout
            ) as connection,
        ):
            link = _Link(connection)
            user_id = await link.authenticate(token)
            opening.reschedule(None)
            self._was_ready = True
            reading = asyncio.create_task(link.read())
            renewing = asyncio.create_task(self._keep_token(link, token))
            try:
                self._link = link
                self._is_linked.set()
                await self._follow(link, user_id)
            finally:
                self._link = None
                self._is_linked.clear()
                for task in (reading, renewing):
                    task.cancel()
                await asyncio.gather(reading, renewing, return_exceptions=True)

    async def _follow(self, link: "_Link", user_id: str) -> None:
        # Live events wait in the link while what came before them is read.
        if self._watched:
            watched = await link.watch(self._watched)
            await self._events.put((Resynced(reason="watch", watched=watched), Step()))
        await self._yield(
            self._catch_up.missed("connected" if not self._is_followed else "reconnected")
        )
        self._is_followed = True
        next_sync = asyncio.get_running_loop().time() + SYNC_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(next_sync):
                    frame = await link.frame()
            except TimeoutError:
                await self._yield(self._catch_up.missed(None))
                next_sync = asyncio.get_running_loop().time() + SYNC_SECONDS
                continue
            if frame["type"] == "event":
                await self._yield(self._catch_up.live(frame["event"], user_id))
            elif frame["type"] == "behind":
                await self._yield(
                    self._catch_up.behind(frame["conversation_id"], frame["head_seq"])
                )

    async def _yield(self, events: Yielded) -> None:
        async for one in events:
            await self._events.put(one)

    async def _keep_token(self, link: "_Link", token: str) -> None:
        """Send the next token before the present one expires."""
        while True:
            seconds = self._transport.tokens.renews_in_seconds(token)
            if seconds is None:
                return
            await asyncio.sleep(seconds)
            try:
                token = await self._transport.tokens.renewed(instead_of=token)
                await link.ask("auth", token=token)
            except (*_PASSING, ApiError, _Lost) as error:
                log.debug("The socket keeps its token: %r", error)


class _Link:
    """One connection: frames in order, and answers to those who wait for one."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection = connection
        self._frames: asyncio.Queue[dict[str, Any] | _Lost] = asyncio.Queue(FRAMES_WAITING)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)

    async def authenticate(self, token: str) -> str:
        """Returns the id of the user once the socket is ready. Raises: _Lost."""
        await self._connection.send_json({"type": "auth", "token": token})
        while True:
            frame = await self._received()
            if frame["type"] == "ready":
                user_id: str = frame["user_id"]
                return user_id

    async def read(self) -> None:
        """Read until the connection ends."""
        lost = _Lost()
        try:
            while True:
                frame = await self._received()
                waiting = self._waiting.pop(frame.get("id", 0), None)
                if waiting is None:
                    await self._frames.put(frame)
                elif not waiting.done():
                    waiting.set_result(frame)
        except _Lost as end:
            lost = end
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(_Lost())
                    waiting.exception()  # nobody may wait any more
            self._waiting.clear()
        await self._frames.put(lost)

    async def frame(self) -> dict[str, Any]:
        """The next frame that answers nobody. Raises: _Lost."""
        found = await self._frames.get()
        if isinstance(found, _Lost):
            raise found
        return found

    async def ask(self, kind: str, **fields: object) -> dict[str, Any]:
        """Send a frame and wait for its answer. Raises: _Lost; ApiError, if the server refuses the frame."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            if self._connection.closed:
                raise _Lost
            await self._connection.send_json({"type": kind, "id": number, **fields})
            async with asyncio.timeout(ANSWER_SECONDS):
                frame = await answer
        except ConnectionError as error:
            raise _Lost from error
        except TimeoutError as error:
            raise NoAnswer(f"The socket did not answer `{kind}` in time") from error
        finally:
            self._waiting.pop(number, None)
        if frame["type"] == "error":
            is_rate = frame["code"] == "rate_limited"
            family = RateLimited if is_rate else ApiError
            raise family(
                429 if is_rate else 400,
                frame["code"],
                frame["detail"],
                details=frame.get("details"),
                retry_after_seconds=frame.get("retry_after_seconds"),
            )
        return frame

    async def watch(self, wanted: Mapping[str, tuple[int, ...]]) -> list[Watched]:
        found: list[Watched] = []
        for part in _parts(wanted):
            seqs = {one: list(wanted[one]) for one in part if wanted[one]}
            fields: dict[str, object] = {"conversation_ids": part}
            if seqs:
                fields["seqs"] = seqs
            answer = await self.ask("watch", **fields)
            found += [Watched.model_validate(one) for one in answer["conversations"]]
        return found

    async def _received(self) -> dict[str, Any]:
        message = await self._connection.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            frame: dict[str, Any] = message.json()
            return frame
        reason = message.extra if isinstance(message.extra, str) else ""
        raise _Lost(self._connection.close_code, reason)


def _parts(wanted: Iterable[str]) -> Iterable[list[str]]:
    ids = list(wanted)
    return (ids[at : at + WATCHED_AT_ONCE] for at in range(0, len(ids), WATCHED_AT_ONCE))
