"""The socket: `GET /v1/socket`. It authenticates first, then sends events; writes go over REST.

A session exists only after its token was checked. Frames of every kind are counted before they are parsed
(`realtime.frame_guard`), and pings are answered here.
Client frames: `auth` (again with a newer token of the same user, before the old one expires), `watch`, `unwatch` and
`ping`. Server frames: `ready`, `renewed`, `event`, `behind`, `watching`, `unwatched`, `pong` and `error` (its code and
detail as over REST).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final, Literal

import orjson
import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, hdrs, web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from channels.server.auth import Authenticator
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.rate_limit import UserRates
from channels.server.metrics import Metrics
from channels.server.realtime.close_codes import CLOSE_SECONDS, CloseCode
from channels.server.realtime.frames import pong_frame, text_frame
from channels.server.realtime.hub import Hub
from channels.server.realtime.session import SocketSession
from channels.server.tokens import BadToken, Claims
from channels.server.web.cors import CorsPolicy
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.protocol import Connection
from channels.server.web.request import Request
from channels.server.web.responses import SERVER
from channels.server.web.router import Parameters
from conversations.errors import ConversationNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import DomainError, InvalidRequest, RateLimited, Unready
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import is_outage
from groups.models import stream_of

AUTH_SECONDS: Final = 10.0
HEARTBEAT_SECONDS: Final = 30.0
FRAME_BYTES: Final = 8 * 1024  # the largest client frame: a token is at most 4 KiB
WATCHED_STREAMS: Final = 100  # streams one session watches at once

_GROUP_PREFIX: Final = stream_of(GroupId(""))

log = structlog.get_logger("channels.socket")


class _ClientFrame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Auth(_ClientFrame):
    """Authenticates the socket; later, renews its token. The server answers `ready`, later `renewed`."""

    type: Literal["auth"]
    token: str
    """A token; later, a newer one of the same user."""


class Watch(_ClientFrame):
    """Starts (`watch`) or ends (`unwatch`) the reaction counts of a group or channel."""

    type: Literal["watch", "unwatch"]
    conversation_id: Annotated[str, Field(max_length=128)]
    """The conversation, `group_` and the id of the group or channel."""


class Ping(_ClientFrame):
    """Asks whether the connection is alive. The server answers `pong`."""

    type: Literal["ping"]


CLIENT_FRAMES: Final = (Auth, Watch, Ping)
_FRAMES: Final[TypeAdapter[Auth | Watch | Ping]] = TypeAdapter(
    Annotated[Auth | Watch | Ping, Field(discriminator="type")]
)


class Socket(web.WebSocketResponse):
    """The library's socket, whose reading its connection can end."""

    def end_reading(self, code: CloseCode | WSCloseCode) -> None:
        """Queue the close code for the reader, behind the frames that it has not read yet."""
        if self._reader is not None:
            self._reader.feed_data(WSMessage(WSMsgType.ERROR, code, None), 0)


@dataclass(kw_only=True, slots=True)
class SocketServer:
    """The socket's endpoint."""

    hub: Hub
    authenticator: Authenticator
    addresses: AddressLimits
    rates: UserRates
    clock: Clock
    metrics: Metrics
    cors: CorsPolicy
    not_found_delay: NotFoundDelay
    group_ids_of: Callable[[UserId], Awaitable[list[GroupId]]]
    may_watch: Callable[[Actor, GroupId], Awaitable[object]]
    auth_seconds: float = AUTH_SECONDS
    _open: set[Socket] = field(init=False, default_factory=set)

    async def handle(self, request: Request, parameters: Parameters) -> web.StreamResponse:
        """Upgrade, authenticate, serve until either side closes.

        Raises, before the upgrade: BadToken for a bad `Authorization` header; OriginNotAllowed; RateLimited when the
        user opens too many sockets, or the address sent too many bad tokens or has too many unauthenticated sockets.
        """
        self.cors.check_socket(request)
        header = request.headers.get(hdrs.AUTHORIZATION)
        claims: Claims | None = None
        if header is not None:
            claims = self.authenticator.by_header(request)
            self.rates.take(claims.actor)
        with ExitStack() as place:
            if claims is None:
                place.enter_context(self.addresses.acquire_socket(request))
                await self.addresses.pace(request)
            transport = request.transport
            if transport is None:  # the client is gone
                raise ConnectionResetError
            socket = await self._upgraded(request)
            try:
                if claims is None:
                    claims = await self._auth_phase(socket, transport, request)
                    place.close()
                if claims is not None:
                    request.user_id = claims.actor.user_id
                    await self._serve(socket, transport, request, claims)
            # After the upgrade no HTTP response can be sent, so the close code asks the client to reconnect.
            except Exception as error:
                if not is_outage(error):
                    log.exception("defect", request_id=request.request_id)
                await socket.close(code=CloseCode.RESYNC, message=b"resync")
            finally:
                self._open.discard(socket)
                # A closed connection lives until its client has read everything, which may be never.
                asyncio.get_running_loop().call_later(CLOSE_SECONDS, transport.abort)
        return socket

    async def _upgraded(self, request: web.BaseRequest) -> Socket:
        socket = Socket(
            timeout=CLOSE_SECONDS,
            autoping=False,
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=FRAME_BYTES,
            # Compression would encode an event once for each socket, and needs 32 KiB for each.
            compress=False,
        )
        # HEAD finds this route too, and opens nothing.
        if request.method != hdrs.METH_GET or not socket.can_prepare(request):
            raise InvalidRequest(
                "This is a WebSocket", errors=[{"field": "Upgrade", "reason": "must be websocket"}]
            )
        socket.headers[hdrs.SERVER] = SERVER
        connection = request.protocol
        assert isinstance(connection, Connection), "made by `protocol.Listener`"
        connection.on_frame_refused = socket.end_reading
        await socket.prepare(request)
        self._open.add(socket)
        return socket

    async def close_all(self) -> None:
        """Close every socket with `GOING_AWAY`, and wait up to `CLOSE_SECONDS` for it."""
        self.hub.close_all(CloseCode.GOING_AWAY)
        closings = [
            asyncio.create_task(socket.close(code=CloseCode.GOING_AWAY, message=b"going_away"))
            for socket in self._open
        ]
        if closings:
            await asyncio.wait(closings, timeout=CLOSE_SECONDS)

    async def _auth_phase(
        self, socket: Socket, transport: asyncio.Transport, request: web.BaseRequest
    ) -> Claims | None:
        try:
            async with asyncio.timeout(self.auth_seconds):
                message = await socket.receive()
                while message.type in {WSMsgType.PING, WSMsgType.PONG}:
                    if message.type is WSMsgType.PING:
                        transport.write(pong_frame(message.data))
                    message = await socket.receive()
        except TimeoutError:
            await _refuse(socket, CloseCode.AUTH_TIMEOUT, BadToken("no auth frame came in time"))
            return None
        if isinstance(message.data, CloseCode | WSCloseCode):
            await socket.close(code=message.data)
            return None
        if message.type is not WSMsgType.TEXT:
            if not socket.closed:
                await _refuse(socket, CloseCode.BAD_FRAME, BadToken("frames are JSON text"))
            return None
        try:
            frame = _FRAMES.validate_json(message.data)
        except ValidationError:
            frame = None
        if not isinstance(frame, Auth):
            await _refuse(socket, CloseCode.BAD_TOKEN, BadToken("the first frame must be auth"))
            return None
        try:
            claims = self.authenticator.by_token(request, frame.token)
            self.rates.take(claims.actor)
            return claims
        except BadToken as error:
            await _refuse(socket, CloseCode.BAD_TOKEN, error)
        except RateLimited as error:
            await _refuse(socket, CloseCode.FLOOD, error)
        return None

    async def _serve(
        self,
        socket: Socket,
        transport: asyncio.Transport,
        request: web.BaseRequest,
        claims: Claims,
    ) -> None:
        connection = request.protocol
        assert isinstance(connection, Connection), "made by `protocol.Listener`"
        connection.become_socket()
        session = SocketSession(socket, transport, claims, self.metrics)
        self.hub.attach(session)
        session.renew(claims, self._seconds_left(claims))
        try:
            # A revocation between the first check and `attach` did not reach this session.
            self.authenticator.check(claims)
            self.hub.receive_groups(session, await self.group_ids_of(claims.actor.user_id))
            session.begin()
            await self._read(socket, session, request)
        except BadToken:
            session.close_soon(CloseCode.BAD_TOKEN)
        finally:
            self.hub.detach(session)
            await session.end()

    def _seconds_left(self, claims: Claims) -> float:
        return (claims.expires_at - self.clock.now()).total_seconds()

    async def _read(self, socket: Socket, session: SocketSession, request: web.BaseRequest) -> None:
        async for message in socket:
            if message.type is WSMsgType.PING:
                session.push(pong_frame(message.data))
                continue
            if message.type is WSMsgType.PONG:
                continue
            if isinstance(message.data, CloseCode | WSCloseCode):
                session.close_soon(message.data)
                return
            if message.type is not WSMsgType.TEXT:
                session.close_soon(CloseCode.BAD_FRAME)
                return
            try:
                await self._answer(session, message.data, request)
            except DomainError as error:
                self.metrics.refusal(error.code)
                session.push(text_frame(orjson.dumps(_problem_frame(error))))

    async def _answer(self, session: SocketSession, text: str, request: web.BaseRequest) -> None:
        try:
            frame = _FRAMES.validate_json(text)
        except ValidationError as error:
            reason = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise _bad_frame(reason) from None
        match frame:
            case Ping():
                session.send("pong")
            case Watch(type="unwatch", conversation_id=conversation_id):
                self.hub.unwatch(session, StreamId(conversation_id))
                session.send("unwatched", conversation_id=conversation_id)
            case Watch(conversation_id=conversation_id):
                if not conversation_id.startswith(_GROUP_PREFIX):
                    raise ConversationNotFound
                group_id = GroupId(conversation_id.removeprefix(_GROUP_PREFIX))
                stream_id = StreamId(conversation_id)
                if stream_id not in session.watched and len(session.watched) >= WATCHED_STREAMS:
                    raise _bad_frame(
                        f"at most {WATCHED_STREAMS} conversations can be watched at once; unwatch one first"
                    )
                self.rates.take(session.claims.actor)
                may_watch = partial(self.may_watch, session.claims.actor, group_id)
                await self.not_found_delay.apply(self.hub.watch_if(session, stream_id, may_watch))
                session.send("watching", conversation_id=conversation_id)
            case Auth(token=token):
                claims = self.authenticator.by_token(request, token)
                if claims.actor.user_id != session.user_id:
                    raise _bad_frame("this socket has its user already")
                session.renew(claims, self._seconds_left(claims))
                session.send("renewed", expires_at=rfc3339(claims.expires_at))


def _bad_frame(reason: str) -> InvalidRequest:
    return InvalidRequest(reason, errors=[{"field": "frame", "reason": reason}])


def _problem_frame(error: DomainError) -> dict[str, Any]:
    frame: dict[str, Any] = {"type": "error", "code": error.code, "detail": error.detail}
    if isinstance(error, RateLimited | Unready):
        frame["retry_after_seconds"] = error.retry_after_seconds
    return frame


async def _refuse(socket: web.WebSocketResponse, code: CloseCode, error: DomainError) -> None:
    try:
        await socket.send_json(_problem_frame(error))
        await socket.close(code=code, message=code.name.lower().encode())
    except ConnectionError:
        log.debug("the client disconnected before it received the error")
