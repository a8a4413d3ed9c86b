"""Endpoints of devices, and of what a client needs to know before it registers one."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError, Url
from pydantic_core import ValidationError as UrlError

from channels.push.errors import DeviceNotFound
from channels.push.limits import (
    APP_ID_LENGTH,
    AUTH_BYTES,
    DEVICE_NAME_LENGTH,
    ENDPOINT_LENGTH,
    LOCALE_LENGTH,
    P256DH_BYTES,
    PUSHKEY_LENGTH,
)
from channels.push.models import Device, Gateway, PushInfo, Registration, Target, WebPush
from channels.push.service.devices import DeviceService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, Response, delete, get, put
from groups.kernel.errors import BadCursor
from groups.kernel.ids import AnyIdText
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.bounded import OneLine, SchemaHint
from groups.routes.responses.fields import Instant

_PRINTABLE: Final = r"^[\x21-\x7e]+$"
_BASE64URL: Final = re.compile(r"^[A-Za-z0-9_-]+\Z")


def _endpoint(text: str) -> str:
    try:
        url = Url(text)
    except (UrlError, ValueError):
        raise PydanticCustomError("bad_url", "must be an https address") from None
    if url.scheme != "https" or not url.host or url.username or url.password or url.fragment:
        raise PydanticCustomError(
            "bad_url", "must be an https address without a user, a password or a fragment"
        )
    return text


def _key_of(size_bytes: int, meaning: str) -> AfterValidator:
    """Checks base64url of so many bytes, with or without padding; returns it without."""

    def check(text: str) -> str:
        bare = text.rstrip("=")
        try:
            key = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
        except (binascii.Error, ValueError):
            key = b""
        if not _BASE64URL.match(bare) or len(key) != size_bytes or not _is_point(key):
            raise PydanticCustomError(
                "bad_key",
                "must be base64url of {meaning}, {size_bytes} bytes",
                {"size_bytes": size_bytes, "meaning": meaning},
            )
        return base64.urlsafe_b64encode(key).decode().rstrip("=")

    return AfterValidator(check)


def _is_point(key: bytes) -> bool:
    """Whether the key, if it has the size of a point, begins as an uncompressed one does."""
    return len(key) != P256DH_BYTES or key[0] == 4


class SubscriptionKeys(Body):
    """The keys of a subscription, base64url, as the browser gives them."""

    p256dh: Annotated[
        str,
        _key_of(P256DH_BYTES, "an uncompressed point of P-256"),
        SchemaHint(r"^B[A-P][A-Za-z0-9_-]{85}=?$"),
    ]
    auth: Annotated[str, _key_of(AUTH_BYTES, "a secret"), SchemaHint(r"^[A-Za-z0-9_-]{22}(==)?$")]


class Subscription(Body):
    """What `PushSubscription.toJSON()` returns in a browser."""

    endpoint: Annotated[
        str,
        Field(max_length=ENDPOINT_LENGTH, pattern=_PRINTABLE),
        AfterValidator(_endpoint),
        Field(examples=["https://push.example.net/send/f3a1"]),
    ]
    expirationTime: Annotated[  # noqa: N815  (the browsers' own name)
        float | None, Field(description="Ignored: the push service says when it ends.")
    ] = None
    keys: SubscriptionKeys


class RegisterDevice(Body):
    """A device. `subscription` goes with the platform `web`, `pushkey` with `gateway`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "platform": "gateway",
                    "pushkey": "7c5a2f0e91",
                    "app_id": "org.example.app",
                    "locale": "pt-BR",
                    "name": "Ada's phone",
                },
                {
                    "platform": "web",
                    "subscription": {
                        "endpoint": "https://push.example.net/send/f3a1",
                        "keys": {
                            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AY"
                            "WXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                        },
                    },
                    "app_id": "org.example.web",
                    "locale": "en",
                },
            ]
        }
    )

    platform: Annotated[
        Literal["web", "gateway"],
        Field(description="`web`: a browser; `gateway`: an app that your push gateway reaches."),
    ]
    subscription: Subscription | None = None
    pushkey: Annotated[
        Annotated[str, Field(min_length=1, max_length=PUSHKEY_LENGTH, pattern=_PRINTABLE)] | None,
        Field(description="What your gateway knows the device by: any text without spaces."),
    ] = None
    app_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=APP_ID_LENGTH,
            pattern=_PRINTABLE,
            description="The app on the device, by a name of your own; your gateway gets it.",
        ),
    ]
    locale: Annotated[
        str,
        Field(
            max_length=LOCALE_LENGTH,
            pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$",
            description="The language of the notifications, a BCP 47 tag.",
        ),
    ]
    name: Annotated[
        OneLine,
        Field(max_length=DEVICE_NAME_LENGTH, description="For a list of the user's devices."),
    ] = ""

    @model_validator(mode="after")
    def _fits_platform(self) -> Self:
        needed = "subscription" if self.platform == "web" else "pushkey"
        for name in ("subscription", "pushkey"):
            if (getattr(self, name) is not None) != (name == needed):
                raise PydanticCustomError(
                    "wrong_platform",
                    "{platform} devices have a {needed}, and nothing else to send to",
                    {"platform": self.platform, "needed": needed},
                )
        return self

    def to_registration(self) -> Registration:
        return Registration(
            target=self._target(), app_id=self.app_id, locale=self.locale, name=self.name
        )

    def _target(self) -> Target:
        if self.subscription is not None:
            keys = self.subscription.keys
            return WebPush(endpoint=self.subscription.endpoint, p256dh=keys.p256dh, auth=keys.auth)
        return Gateway(pushkey=self.pushkey or "")


class DeviceResponse(Response):
    """A device of yours: `endpoint` for the platform `web`, `pushkey` for `gateway`; the other one is null."""

    device_id: str
    platform: Literal["web", "gateway"]
    endpoint: str | None
    pushkey: str | None
    app_id: str
    locale: str
    name: str
    created_at: Instant
    confirmed_at: Annotated[
        Instant, Field(description="When it was registered last; moves once a day at most.")
    ]


class PushResponse(Response):
    """How this deployment sends notifications."""

    vapid_public_key: Annotated[
        str | None,
        Field(
            description="The `applicationServerKey` with which browsers subscribe, base64url; null: no Web Push."
        ),
    ]
    gateway: Annotated[
        bool, Field(description="Whether devices of the platform `gateway` are notified.")
    ]


def device_response(device: Device) -> DeviceResponse:
    """Build the response for a device."""
    target = device.target
    return DeviceResponse.model_construct(
        device_id=device.device_id,
        platform=target.platform,
        endpoint=target.endpoint if isinstance(target, WebPush) else None,
        pushkey=target.pushkey if isinstance(target, Gateway) else None,
        app_id=device.app_id,
        locale=device.locale,
        name=device.name,
        created_at=device.created_at,
        confirmed_at=device.confirmed_at,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceRoutes:
    """Devices and push notifications."""

    tag = "Devices"

    devices: DeviceService
    info: PushInfo

    @get("/v1/push")
    async def push(self, actor: Actor) -> PushResponse:
        """How this deployment sends notifications: the key for browsers, and whether a gateway is set up."""
        return PushResponse(**dict(self.info))

    @get("/v1/devices", errors=[BadCursor])
    async def list_devices(self, actor: Actor, query: PageQuery) -> Page[DeviceResponse]:
        """List your devices, by id."""
        devices, next_cursor = await self.devices.list_devices(
            actor, limit=query.limit, cursor=query.cursor
        )
        items = [device_response(device) for device in devices]
        return Page(items=items, next_cursor=next_cursor)

    @get("/v1/devices/{device_id}", errors=[DeviceNotFound])
    async def get_device(self, actor: Actor, device_id: AnyIdText) -> DeviceResponse:
        """Get a device of yours. 404 tells an app that it must register again."""
        return device_response(await self.devices.get(actor, device_id))

    @put("/v1/devices/{device_id}")
    async def register(
        self, actor: Actor, device_id: AnyIdText, body: RegisterDevice
    ) -> DeviceResponse:
        """Register a device for notifications, under an id of the app's choice; register it again at each start.

        A subscription or pushkey belongs to one device at a time: it is taken away from the device, yours or another
        user's, that had it. A device beyond `devices_per_user` takes the place of the one that was confirmed the
        longest time ago. Revoking your tokens deletes all your devices.
        """
        device = await self.devices.register(actor, device_id, body.to_registration())
        return device_response(device)

    @delete("/v1/devices/{device_id}", status=204)
    async def remove(self, actor: Actor, device_id: AnyIdText) -> None:
        """Delete a device of yours, if there is one: when its user signs out, or switches notifications off."""
        await self.devices.remove(actor, device_id)
