"""Devices: registered, read, deleted, taken over by another user, and deleted when tokens are revoked.

`DeviceRegistry` changes devices inside a transaction of the caller, and keeps the three collections in step.
`DeviceService` is the front door of users.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from channels.push.errors import DeviceNotFound
from channels.push.limits import PushLimits
from channels.push.models import Device, Registration
from channels.push.store.devices import DeviceKey, DeviceStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import UserId, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.service.revocations import Revocations
from groups.service.write_locks import user_lock

CONFIRM_SECONDS: Final = 24 * 3600.0
"""Apps register at each start. A registration that changes nothing writes only once in this time."""

Activate = Callable[[Tx], Awaitable[None]]
"""Lets the consumer of the event log begin, in the transaction of a registration; nothing where it has begun."""


async def activate_nothing(tx: Tx) -> None:
    """For deployments that deliver nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceRegistry:
    """Changes devices in transactions of its callers. One transaction calls one method once for a user."""

    devices: DeviceStore
    limits: PushLimits
    clock: Clock

    async def register_in(
        self, user_id: UserId, device_id: str, registration: Registration, tx: Tx
    ) -> Device:
        """Store the device, new or changed, and take its subscription or pushkey from the device that had it.

        A device beyond the limit takes the place of the one that was confirmed the longest time ago.
        """
        now, key, address = self.clock.now(), (user_id, device_id), registration.address
        holder = await self.devices.find_holder(address, tx)
        of_users = await self.devices.find_devices({user_id, *(holder[:1] if holder else ())}, tx)
        mine = {device.device_id: device for device in of_users.get(user_id, ())}
        before = mine.pop(device_id, None)
        device = Device(
            **dict(registration),
            user_id=user_id,
            device_id=device_id,
            revision=mint_id(),
            created_at=before.created_at if before else now,
            confirmed_at=now,
        )
        if not of_users.get(user_id):
            self.devices.touch_guard(user_id, tx)
        gone: list[Device] = []
        if holder is not None and holder != key:
            held = of_users.get(holder[0], ())
            gone += [each for each in held if each.device_id == holder[1]]
            if holder[0] == user_id:
                mine.pop(holder[1], None)
            else:
                self._write_user(holder[0], has_devices=len(held) > len(gone), tx=tx)
        if before is None:
            gone += self._beyond_limit(mine.values())
        self.devices.delete(map(_key_of, gone), tx)
        left = {each.address for each in (*gone, *([before] if before else ()))} - {address}
        self.devices.delete_addresses(left, tx)
        if holder != key:
            self.devices.put_address(address, key, tx)
        self._write_user(user_id, has_devices=True, tx=tx)
        self.devices.put(device, tx)
        return device

    def _beyond_limit(self, devices: Collection[Device]) -> list[Device]:
        """Those of a user's devices that make room for one more."""
        too_many = len(devices) + 1 - self.limits.devices_per_user
        oldest_first = sorted(devices, key=lambda device: device.confirmed_at)
        return oldest_first[: max(0, too_many)]

    async def remove_in(
        self, keys: Iterable[DeviceKey], tx: Tx, *, keeps_addresses: bool = False
    ) -> int:
        """Delete these devices, where they exist. Returns how many did.

        `keeps_addresses`: their subscriptions and pushkeys are known to belong to other devices.
        """
        wanted = set(keys)
        return await self._remove(
            {user_id for user_id, _ in wanted},
            lambda device: _key_of(device) in wanted,
            tx,
            keeps_addresses=keeps_addresses,
        )

    async def remove_unchanged_in(self, devices: Iterable[Device], tx: Tx) -> int:
        """Delete the devices that are still what the caller knows (`Device.revision`). Returns how many were.

        For devices that a push service or gateway does not know any more: one that was registered anew stays.
        """
        wanted = {(_key_of(device), device.revision) for device in devices}
        return await self._remove(
            {user_id for (user_id, _), _ in wanted},
            lambda device: (_key_of(device), device.revision) in wanted,
            tx,
        )

    async def remove_all_in(self, user_id: UserId, tx: Tx) -> None:
        """Delete all devices of the user (a hook of `groups`: the user's tokens are revoked).

        Where there is none, a registration that is under way conflicts all the same.
        """
        if not await self._remove({user_id}, lambda _: True, tx):
            self.devices.touch_guard(user_id, tx)

    async def _remove(
        self,
        user_ids: Collection[UserId],
        is_wanted: Callable[[Device], bool],
        tx: Tx,
        *,
        keeps_addresses: bool = False,
    ) -> int:
        gone: list[Device] = []
        for user_id, devices in (await self.devices.find_devices(user_ids, tx)).items():
            unwanted = [device for device in devices if is_wanted(device)]
            if unwanted:
                self._write_user(user_id, has_devices=len(devices) > len(unwanted), tx=tx)
                gone += unwanted
        self.devices.delete(map(_key_of, gone), tx)
        if not keeps_addresses:
            self.devices.delete_addresses((device.address for device in gone), tx)
        return len(gone)

    def _write_user(self, user_id: UserId, *, has_devices: bool, tx: Tx) -> None:
        # Always one of the two, since concurrent changes of a user's devices must conflict.
        if has_devices:
            self.devices.touch_user(user_id, tx)
        else:
            self.devices.delete_user(user_id, tx)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceService:
    """The devices of a user, as the user sees them."""

    database: Database
    devices: DeviceStore
    registry: DeviceRegistry
    activate: Activate
    revocations: Revocations
    clock: Clock

    async def register(self, actor: Actor, device_id: str, registration: Registration) -> Device:
        """Register the device, or change its registration. Repeating it changes nothing but `confirmed_at`.

        Raises: Unavailable, where the user's tokens were revoked since the actor's was checked.
        """
        # First of all, since the actor's token was checked right before.
        revoked_at = self.revocations.revoked_at(actor.user_id)
        known = await self.devices.find_device((actor.user_id, device_id))
        if known is not None and _is_same(known, registration):
            return await self._confirm(known)

        async def work(tx: Tx) -> Device:
            await self.revocations.check_unchanged(actor.user_id, revoked_at, tx)
            device = await self.registry.register_in(actor.user_id, device_id, registration, tx)
            await self.activate(tx)
            return device

        return await self.database.run(work, user_lock(actor.user_id))

    async def _confirm(self, device: Device) -> Device:
        now = self.clock.now()
        if now < device.confirmed_at + timedelta(seconds=CONFIRM_SECONDS):
            return device
        await self.devices.confirm(device, now)
        return device.model_copy(update={"confirmed_at": now})

    async def remove(self, actor: Actor, device_id: str) -> None:
        """Delete the device, if there is one."""

        async def work(tx: Tx) -> None:
            await self.registry.remove_in([(actor.user_id, device_id)], tx)

        await self.database.run(work, user_lock(actor.user_id))

    async def get(self, actor: Actor, device_id: str) -> Device:
        """Raises: DeviceNotFound."""
        device = await self.devices.find_device((actor.user_id, device_id))
        if device is None:
            raise DeviceNotFound
        return device

    async def list_devices(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[Device], str | None]:
        """A page of the actor's devices, by id."""
        read = partial(self.devices.list_devices, actor.user_id)
        return await page_by_text("devices", cursor, limit, read, lambda each: each.device_id)


def _key_of(device: Device) -> DeviceKey:
    return device.user_id, device.device_id


def _is_same(device: Device, registration: Registration) -> bool:
    fields = Registration.model_fields
    return all(getattr(device, name) == getattr(registration, name) for name in fields)
