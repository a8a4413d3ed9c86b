"""Push services and a gateway on loopback, which check and keep what they get."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Final

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook

from channels.push.models import Registration, WebPush
from channels.push.options import PushOptions
from channels.push.senders.vapid import new_private_key
from channels.server.options import ServiceOptions
from groups.kernel.ids import UserId
from groups.kernel.mongo import Tx
from tests.api import PATIENCE_SECONDS, Api, User, part

GATEWAY_SECRET: Final = "whsec_" + base64.b64encode(b"g" * 32).decode()
VAPID_KEY: Final = new_private_key()
AUTH: Final = b"a" * 16
_KEY: Final = generate_private_key(SECP256R1())
"""Of all browsers of tests: they differ by their endpoints."""
_POINT: Final = _KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Pushed:
    """A notification as a device got it."""

    device: str
    payload: dict[str, Any]
    headers: dict[str, str]


@dataclass(slots=True)
class PushWorld:
    """A push service for browsers, and a gateway."""

    base: str = ""
    got: list[Pushed] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    """What the push service answers for a device; 201 for others."""
    headers: dict[str, str] = field(default_factory=dict)
    gateway_status: int = 200
    rejected: set[str] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, no request is answered, or only none for the `hanging` devices where there are any."""
    hanging: set[str] = field(default_factory=set)
    asked: int = 0
    """Requests that have come, answered or not."""
    on_batch: Callable[[dict[str, Any]], Awaitable[None]] | None = None

    def options(self, **more: Any) -> ServiceOptions:
        """The options of a server that delivers to this world."""
        push = PushOptions(
            vapid_private_key=VAPID_KEY,
            vapid_subject="mailto:ops@example.org",
            gateway_url=f"{self.base}/gateway",
            gateway_secret=GATEWAY_SECRET,
            **more,
        )
        return ServiceOptions(push=push, webhook_allowed_networks=(ip_network("127.0.0.0/8"),))

    @property
    def devices(self) -> list[str]:
        """The devices that got something, in order, each as often as it did."""
        return [each.device for each in self.got]

    def take(self) -> list[Pushed]:
        """What was got since the last call."""
        taken, self.got = self.got, []
        return taken

    async def until(self, number: int) -> None:
        """Wait until so many notifications were got."""
        await eventually(lambda: len(self.got) >= number, lambda: f"{self.devices}")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked += 1
        body = await request.read()
        device = request.path.rpartition("/")[2]
        if not self.hanging or device in self.hanging:
            await self.gate.wait()
        if request.path == "/gateway":
            return await self._take_batch(request, body)
        status = self.statuses.get(device, 201)
        if status == 201:
            self._check_vapid(request)
            self.got.append(Pushed(device, decrypted(body), dict(request.headers)))
        return web.Response(status=status, headers=self.headers)

    async def _take_batch(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        if self.gateway_status != 200:
            return web.Response(status=self.gateway_status)
        batch = Webhook(GATEWAY_SECRET).verify(body, dict(request.headers))
        self.batches.append(batch)
        if self.on_batch is not None:
            await self.on_batch(batch)
        rejected = [d["pushkey"] for d in batch["devices"] if d["pushkey"] in self.rejected]
        for device in batch["devices"]:
            if device["pushkey"] not in self.rejected:
                self.got.append(
                    Pushed(device["pushkey"], batch["notification"] | device, dict(request.headers))
                )
        return web.json_response({"rejected": rejected})

    def _check_vapid(self, request: web.BaseRequest) -> None:
        scheme, _, parameters = request.headers["Authorization"].partition(" ")
        values = dict(each.strip().split("=", 1) for each in parameters.split(","))
        raw = base64.urlsafe_b64decode(values["k"] + "=" * (-len(values["k"]) % 4))
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)
        claims = jwt.decode(values["t"], key, algorithms=["ES256"], audience=self.base)
        assert scheme == "vapid"
        assert claims["sub"] == "mailto:ops@example.org"


def decrypted(body: bytes) -> dict[str, Any]:
    """What a browser reads (RFC 8291)."""
    plain = http_ece.decrypt(body, private_key=_KEY, auth_secret=AUTH, version="aes128gcm")
    payload = json.loads(plain)
    assert isinstance(payload, dict)
    return payload


@asynccontextmanager
async def a_push_world() -> AsyncIterator[PushWorld]:
    world = PushWorld()
    world.gate.set()
    runner = web.ServerRunner(web.Server(world.handle), shutdown_timeout=0.1)
    await runner.setup()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield world
        world.gate.set()


async def eventually(
    condition: Callable[[], bool],
    shown: Callable[[], str] = str,
    *,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Return when the condition holds; fail after a while."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"it did not happen; {shown()}") from None


def a_subscription(world: PushWorld, device: str) -> Registration:
    """A browser at the push service of this world."""
    target = WebPush(
        endpoint=f"{world.base}/send/{device}", p256dh=base64url(_POINT), auth=base64url(AUTH)
    )
    return Registration(target=target, app_id="web", locale="en")


async def add_browser(api: Api, world: PushWorld, user: User, device: str | None = None) -> str:
    """Register a browser of the user. The API takes `https` addresses alone, so this calls what it calls."""
    name, delivery = device or user.id, api.services.push_delivery

    async def work(tx: Tx) -> None:
        registration = a_subscription(world, name)
        await delivery.core.registry.register_in(UserId(user.id), name, registration, tx)
        await delivery.activate(tx)

    await api.services.database.run(work)
    return name


async def add_phone(user: User, pushkey: str | None = None) -> str:
    """Register a phone of the user behind the gateway."""
    name = pushkey or f"{user.id}.phone"
    body = {"platform": "gateway", "pushkey": name, "app_id": "org.example", "locale": "de"}
    answer = await user.put(f"/v1/devices/{part(name)}", body)
    assert answer.status == 200, answer
    return name
