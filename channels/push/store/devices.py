"""Device documents: `_id` is `user<US>device`.

Two collections go with them. `device_users` has a document for each user who has a device: every change of the user's
devices writes it, so two that race for the last free place conflict, and delivery pages through it. `device_addresses`
has one for each subscription and pushkey, by its hash (`Registration.address`), with the device that has it: two users
who register the same one conflict there, and one of them comes after the other. (A unique index on devices would do
the same, but not on a sharded cluster, where it would have to begin with the user.)

`device_guards` has `GUARDS` documents: the first device of a user writes one of them, by the user's id, and the end of
all delivery writes them all. So delivery does not end beside the registration of a device that needs it, and users who
register at the same time seldom meet.

The methods write one collection each; `channels.push.service.devices` keeps the three in step, in one transaction.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from zlib import crc32

from pymongo import DeleteOne, UpdateOne

from channels.push.models import Device
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx

DeviceKey = tuple[UserId, str]
"""A user, and the id of one of their devices."""
GUARDS: Final = 16


class DeviceStore:
    """The collections `devices`, `device_users` and `device_addresses`."""

    INDEXES = (
        Index(
            "devices",
            [("user_id", 1), ("device_id", 1)],
            "the devices of a user, or of many users, by id",
        ),
        Index("device_users", [], "found and paged by _id only"),
        Index("device_addresses", [], "found by _id only"),
        Index("device_guards", [], "written by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._devices = database.collection("devices")
        self._users = database.collection("device_users")
        self._addresses = database.collection("device_addresses")
        self._guards = database.collection("device_guards")

    # --- devices ------------------------------------------------------------------------------------------------------

    async def find_device(self, key: DeviceKey) -> Device | None:
        document = await self._devices.find_one(_match(key))
        return Device.from_stored(document) if document else None

    async def find_devices(
        self, user_ids: Collection[UserId], tx: Tx | None = None
    ) -> dict[UserId, list[Device]]:
        """All devices of these users, by id, with one query. Users without a device are absent."""
        # Uses index: user_id_1_device_id_1
        cursor = self._devices.find(
            {"user_id": {"$in": list(user_ids)}},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        ).sort([("user_id", 1), ("device_id", 1)])
        of_users: dict[UserId, list[Device]] = {}
        for document in await cursor.to_list(None):
            device = Device.from_stored(document)
            of_users.setdefault(device.user_id, []).append(device)
        return of_users

    async def list_devices(self, user_id: UserId, *, after: str, limit: int) -> list[Device]:
        """The user's devices with an id after `after`, by id."""
        # Uses index: user_id_1_device_id_1
        cursor = (
            self._devices.find({"user_id": user_id, "device_id": {"$gt": after}})
            .sort([("device_id", 1)])
            .limit(limit)
        )
        return [Device.from_stored(document) for document in await cursor.to_list(None)]

    def put(self, device: Device, tx: Tx) -> None:
        """Store the device, new or changed. Collected (`Tx.write`)."""
        values: Document = device.model_dump(mode="python")
        values["address"] = device.address  # for the checks of stored data
        # Field by field, so that fields of a newer version stay.
        tx.write(
            self._devices,
            UpdateOne(_match((device.user_id, device.device_id)), {"$set": values}, upsert=True),
        )

    async def confirm(self, device: Device, at: datetime) -> None:
        """Note that the device was registered again as it is, unless it changed meanwhile."""
        await self._devices.update_one(
            {**_match((device.user_id, device.device_id)), "revision": device.revision},
            {"$max": {"confirmed_at": at}},
        )

    def delete(self, devices: Iterable[DeviceKey], tx: Tx) -> None:
        """Collected (`Tx.write`)."""
        tx.write(self._devices, *(DeleteOne(_match(key)) for key in devices))

    # --- users who have devices ---------------------------------------------------------------------------------------

    async def list_users(self, *, after: str, limit: int, tx: Tx | None = None) -> list[UserId]:
        """Users who have devices, by id, from the first one after `after` on."""
        cursor = (
            self._users.find(
                {"_id": {"$gt": after}},
                {"_id": 1},
                batch_size=ONE_REPLY,
                session=tx.session if tx else None,
            )
            .sort([("_id", 1)])
            .limit(limit)
        )
        return [UserId(row["_id"]) for row in await cursor.to_list(None)]

    async def find_users(self, user_ids: Collection[UserId]) -> set[UserId]:
        """Those of the users who have devices."""
        cursor = self._users.find(
            {"_id": {"$in": list(user_ids)}}, {"_id": 1}, batch_size=ONE_REPLY
        )
        return {UserId(row["_id"]) for row in await cursor.to_list(None)}

    async def estimate_users(self) -> int:
        """About how many users have devices, without reading them: after a crash it may be off for a while."""
        return await self._users.estimated_document_count()

    def touch_user(self, user_id: UserId, tx: Tx) -> None:
        """Conflict with other changes of the user's devices; the user has some. Collected (`Tx.write`)."""
        tx.write(self._users, UpdateOne({"_id": user_id}, {"$inc": {"version": 1}}, upsert=True))

    def delete_user(self, user_id: UserId, tx: Tx) -> None:
        """The user has no device any more. Collected (`Tx.write`)."""
        tx.write(self._users, DeleteOne({"_id": user_id}))

    def touch_guard(self, user_id: UserId, tx: Tx) -> None:
        """Conflict with the end of delivery: the user has a first device. Collected (`Tx.write`)."""
        tx.write(self._guards, _touched(crc32(user_id.encode()) % GUARDS))

    def touch_guards(self, tx: Tx) -> None:
        """Conflict with the first device of any user. Collected (`Tx.write`)."""
        tx.write(self._guards, *(_touched(number) for number in range(GUARDS)))

    # --- addresses ----------------------------------------------------------------------------------------------------

    async def find_holder(self, address: str, tx: Tx) -> DeviceKey | None:
        """The device that has the subscription or pushkey with this hash."""
        row = await self._addresses.find_one({"_id": address}, session=tx.session)
        return (row["user_id"], row["device_id"]) if row else None

    def put_address(self, address: str, holder: DeviceKey, tx: Tx) -> None:
        """Give the address to the device. Collected (`Tx.write`)."""
        user_id, device_id = holder
        values = {"user_id": user_id, "device_id": device_id}
        tx.write(self._addresses, UpdateOne({"_id": address}, {"$set": values}, upsert=True))

    def delete_addresses(self, addresses: Iterable[str], tx: Tx) -> None:
        """Collected (`Tx.write`)."""
        tx.write(self._addresses, *(DeleteOne({"_id": address}) for address in addresses))


def _touched(guard: int) -> UpdateOne:
    return UpdateOne({"_id": guard}, {"$inc": {"version": 1}}, upsert=True)


def _match(key: DeviceKey) -> Document:
    user_id, device_id = key
    return {"_id": join_key(user_id, device_id), "user_id": user_id, "device_id": device_id}
