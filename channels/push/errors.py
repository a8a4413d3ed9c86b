"""The errors of push notifications."""

from typing import ClassVar

from groups.kernel.errors import NotFound


class DeviceNotFound(NotFound):
    """The user has no such device: it was never registered, was deleted, or its pushkey is another user's now."""

    code: ClassVar[str] = "device_not_found"
    summary: ClassVar[str] = "No such device"
    remedy: ClassVar[str] = "Register the device again, with `PUT /v1/devices/{device_id}`."
