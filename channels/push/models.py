"""The models of push notifications."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groups.kernel.ids import UserId, join_key
from groups.models import Model


class WebPush(Model):
    """A Web Push subscription of a browser (RFC 8030). The keys are base64url without padding (RFC 8291)."""

    platform: Literal["web"] = "web"
    endpoint: str
    """The https address at the browser's push service. Whoever knows it and the server's key can send to the device."""
    p256dh: str
    """The browser's public key, an uncompressed point of P-256."""
    auth: str
    """The authentication secret, 16 bytes."""


class Gateway(Model):
    """An app that the application's own push gateway reaches."""

    platform: Literal["gateway"] = "gateway"
    pushkey: str
    """What the gateway knows the device by, such as a token of APNs or FCM; any text, for us."""


Target = Annotated[WebPush | Gateway, Field(discriminator="platform")]
"""Where the notifications of a device go."""


class Registration(Model):
    """What a client says of its device."""

    target: Target
    app_id: str
    """The app that runs on the device, as its developers name it. A gateway may serve several."""
    locale: str
    """The language of the notifications, a BCP 47 tag such as `pt-BR`."""
    name: str = ""

    @property
    def address(self) -> str:
        """The target's own key: the same for the same subscription or pushkey, whoever registers it."""
        if isinstance(self.target, WebPush):
            named = join_key("web", self.target.endpoint)
        else:
            named = join_key("gateway", self.app_id, self.target.pushkey)
        return hashlib.sha256(named.encode()).hexdigest()


class Device(Registration):
    """A device of a user.

    `revision` is new with each change of what is sent to it and where. A delivery that was refused names the revision
    that it used, so that it does not remove a device which was registered anew meanwhile.
    """

    user_id: UserId
    device_id: str
    revision: str
    created_at: datetime
    confirmed_at: datetime
    """When it was registered last. Repeating a registration moves it once a day at most (`CONFIRM_SECONDS`)."""


class PushInfo(Model):
    """How this deployment delivers.

    `vapid_public_key`: the application server key with which browsers subscribe, base64url; None without Web Push.
    `gateway`: whether notifications for devices of the platform `gateway` are sent.
    """

    vapid_public_key: str | None = None
    gateway: bool = False
