"""The socket: `GET /v1/socket`. It authenticates first, then sends events; writes go over REST.

A session exists only after its token was checked. Frames of every kind are counted before they are parsed
(`realtime.frame_guard`), and pings are answered here. A client that sends too many gets an `error` for each, and is
closed only when it goes on.
Client frames: `auth` (again with a newer token of the same user, before the old one expires), `watch`, `unwatch` and
`ping`. Server frames: `ready`, `renewed`, `event`, `behind`, `watching`, `unwatched`, `pong` and `error` (its code,
detail and details as over REST). An answer repeats the `id` of its frame.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, hdrs, web

from channels.server.auth import Authenticator
from channels.server.identity.errors import IdentityProviderUnavailable, KeyMissing
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.rate_limit import UserRates
from channels.server.metrics import Metrics
from channels.server.realtime.client_frames import (
    FRAME_BYTES,
    Auth,
    ClientFrame,
    FrameId,
    Ping,
    Unwatch,
    Watch,
    frame_id_of,
    parsed,
    refused_frame,
)
from channels.server.realtime.close_codes import CLOSE_SECONDS, CloseCode
from channels.server.realtime.frame_guard import FRAMES_PER_SECOND, FrameAllowance
from channels.server.realtime.frames import pong_frame, text_frame
from channels.server.realtime.hub import Hub
from channels.server.realtime.session import SocketSession
from channels.server.realtime.watching import Watching, is_any_missing
from channels.server.tokens import BadToken, Claims
from channels.server.web.cors import CorsPolicy
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.protocol import Connection
from channels.server.web.request import Request
from channels.server.web.responses import SERVER
from channels.server.web.router import Parameters
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import (
    DomainError,
    InvalidRequest,
    RateLimited,
    Unauthenticated,
    Unready,
)
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import is_outage

AUTH_SECONDS: Final = 10.0
HEARTBEAT_SECONDS: Final = 30.0

log = structlog.get_logger("channels.socket")


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
    watching: Watching
    auth_seconds: float = AUTH_SECONDS
    _open: set[Socket] = field(init=False, default_factory=set)

    async def handle(self, request: Request, parameters: Parameters) -> web.StreamResponse:
        """Upgrade, authenticate, serve until either side closes.

        Raises, before the upgrade: BadToken for a bad `Authorization` header; OriginNotAllowed; RateLimited when the
        user opens too many sockets, or the address sent too many bad tokens or has too many unauthenticated sockets;
        IdentityProviderUnavailable.
        """
        self.cors.check_socket(request)
        header = request.headers.get(hdrs.AUTHORIZATION)
        claims: Claims | None = None
        if header is not None:
            try:
                claims = self.authenticator.by_header(request)
            except KeyMissing as missing:
                claims = await self.authenticator.by_new_key(request, missing)
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
                allowance, frame_id = FrameAllowance(), None
                if claims is None:
                    claims, frame_id = await self._auth_phase(socket, transport, request, allowance)
                    place.close()
                if claims is not None:
                    request.user_id = claims.actor.user_id
                    await self._serve(socket, transport, request, claims, allowance, frame_id)
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
        self,
        socket: Socket,
        transport: asyncio.Transport,
        request: web.BaseRequest,
        allowance: FrameAllowance,
    ) -> tuple[Claims | None, FrameId | None]:
        """Wait for the first frame. Returns its claims, None if the socket is closed, and the frame's id."""
        try:
            async with asyncio.timeout(self.auth_seconds):
                message = await socket.receive()
                while message.type in {WSMsgType.PING, WSMsgType.PONG}:
                    if (seconds := allowance.take()) > 0:
                        transport.write(_framed(_problem_frame(_too_many(seconds))))
                    elif message.type is WSMsgType.PING:
                        transport.write(pong_frame(message.data))
                    message = await socket.receive()
        except TimeoutError:
            await _refuse(socket, CloseCode.AUTH_TIMEOUT, BadToken("no auth frame came in time"))
            return None, None
        if isinstance(message.data, CloseCode | WSCloseCode):
            if message.data is CloseCode.FLOOD:
                await _refuse(socket, CloseCode.FLOOD, _too_many())
            else:
                await socket.close(code=message.data)
            return None, None
        if message.type is not WSMsgType.TEXT:
            if not socket.closed:
                await _refuse(socket, CloseCode.BAD_FRAME, BadToken("frames are JSON text"))
            return None, None
        frame_id = frame_id_of(message.data)
        try:
            frame = parsed(message.data)
        except InvalidRequest:
            frame = None
        try:
            if not isinstance(frame, Auth):
                raise BadToken("the first frame must be auth")
            claims = await self._claims_in(frame, request)
            self.rates.take(claims.actor)
            return claims, frame_id
        except Unauthenticated as error:
            await _refuse(socket, CloseCode.BAD_TOKEN, error, frame_id)
        except IdentityProviderUnavailable as error:
            await _refuse(socket, CloseCode.UNAVAILABLE, error, frame_id)
        except RateLimited as error:
            await _refuse(socket, CloseCode.FLOOD, error, frame_id)
        return None, None

    async def _claims_in(self, frame: Auth, request: web.BaseRequest) -> Claims:
        try:
            return self.authenticator.by_token(request, frame.token)
        except KeyMissing as missing:
            return await self.authenticator.by_new_key(request, missing)

    async def _serve(
        self,
        socket: Socket,
        transport: asyncio.Transport,
        request: web.BaseRequest,
        claims: Claims,
        allowance: FrameAllowance,
        frame_id: FrameId | None,
    ) -> None:
        connection = request.protocol
        assert isinstance(connection, Connection), "made by `protocol.Listener`"
        connection.become_socket()
        session = SocketSession(socket, transport, claims, self.metrics)
        self.hub.attach(session)
        session.renew(claims, self._seconds_left(claims))
        try:
            # A revocation between the first check and `attach` did not reach this session, nor did a withdrawn key.
            self.authenticator.check(claims)
            self.authenticator.check_key(claims)
            await self.authenticator.register(claims.actor)
            self.hub.receive_groups(session, await self.group_ids_of(claims.actor.user_id))
            session.begin(frame_id)
            await self._read(socket, session, request, allowance)
        except Unauthenticated:
            session.close_soon(CloseCode.BAD_TOKEN)
        finally:
            self.hub.detach(session)
            await session.end()

    def _seconds_left(self, claims: Claims) -> float:
        return (claims.expires_at - self.clock.now()).total_seconds()

    async def _read(
        self,
        socket: Socket,
        session: SocketSession,
        request: web.BaseRequest,
        allowance: FrameAllowance,
    ) -> None:
        async for message in socket:
            if isinstance(message.data, CloseCode | WSCloseCode):
                if message.data is CloseCode.FLOOD:
                    self._refuse_frame(session, _too_many(), None)
                session.close_soon(message.data)
                return
            text = message.data if message.type is WSMsgType.TEXT else ""
            if (seconds := allowance.take()) > 0:
                self._refuse_frame(session, _too_many(seconds), frame_id_of(text))
                continue
            if message.type is WSMsgType.PING:
                session.push(pong_frame(message.data))
                continue
            if message.type is WSMsgType.PONG:
                continue
            if message.type is not WSMsgType.TEXT:
                session.close_soon(CloseCode.BAD_FRAME)
                return
            try:
                await self._answer(session, parsed(text), request)
            except DomainError as error:
                self._refuse_frame(session, error, frame_id_of(text))

    def _refuse_frame(
        self, session: SocketSession, error: DomainError, frame_id: FrameId | None, **named: Any
    ) -> None:
        self.metrics.refusal(error.code)
        session.push(_framed({**_problem_frame(error, frame_id), **named}))

    async def _answer(
        self, session: SocketSession, frame: ClientFrame, request: web.BaseRequest
    ) -> None:
        match frame:
            case Ping():
                session.answer(frame.id, "pong")
            case Unwatch():
                self.watching.unwatch(session, frame)
                session.answer(frame.id, "unwatched", **_names_in(frame))
            case Watch():
                self.rates.take(session.claims.actor)
                results = await self.not_found_delay.apply(
                    self.watching.watch(session, frame), is_not_found=is_any_missing
                )
                refusal = results.get(frame.conversation_id or "")
                if isinstance(refusal, DomainError) and frame.conversation_id is not None:
                    self._refuse_frame(session, refusal, frame.id, **_names_in(frame))
                    return
                session.answer(
                    frame.id,
                    "watching",
                    **_names_in(frame),
                    conversations=[_watched(name, one) for name, one in results.items()],
                )
            case Auth():
                claims = await self._claims_in(frame, request)
                actor = session.claims.actor
                if claims.actor.user_id != session.user_id:
                    raise refused_frame(("token", "this socket has its user already"))
                if claims.actor.is_business is not actor.is_business:
                    raise refused_frame(("token", "this socket has its kind of account already"))
                session.renew(claims, self._seconds_left(claims))
                session.answer(frame.id, "renewed", expires_at=rfc3339(claims.expires_at))


def _names_in(frame: Watch | Unwatch) -> dict[str, Any]:
    """The conversations of a frame, by the field in which it names them."""
    if frame.conversation_id is not None:
        return {"conversation_id": frame.conversation_id}
    return {"conversation_ids": frame.named}


def _watched(name: str, result: Any | DomainError) -> dict[str, Any]:
    if isinstance(result, DomainError):
        error = {"code": result.code, "detail": result.detail, "details": result.details}
        return {"conversation_id": name, "error": error}
    return {"conversation_id": name, **result}


def _too_many(seconds: float = 1.0) -> RateLimited:
    detail = f"At most {FRAMES_PER_SECOND} frames a second; a socket that goes on is closed"
    return RateLimited(detail, retry_after_seconds=seconds)


def _problem_frame(error: DomainError, frame_id: FrameId | None = None) -> dict[str, Any]:
    frame: dict[str, Any] = {"type": "error"}
    if frame_id is not None:
        frame["id"] = frame_id
    frame |= {"code": error.code, "detail": error.detail, "details": error.details}
    if isinstance(error, RateLimited | Unready):
        frame["retry_after_seconds"] = error.retry_after_seconds
    return frame


def _framed(frame: dict[str, Any]) -> bytes:
    return text_frame(orjson.dumps(frame))


async def _refuse(
    socket: web.WebSocketResponse,
    code: CloseCode,
    error: DomainError,
    frame_id: FrameId | None = None,
) -> None:
    try:
        await socket.send_json(_problem_frame(error, frame_id))
        await socket.close(code=code, message=code.name.lower().encode())
    except ConnectionError:
        log.debug("the client disconnected before it received the error")
