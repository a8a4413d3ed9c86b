"""Checks of stored devices: each has its subscription or pushkey to itself, and its user is on the list of users."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from channels.push.limits import PushLimits
from channels.push.service.devices import DeviceRegistry
from channels.push.store.devices import DeviceKey, DeviceStore
from groups.audit.joins import joined, look_up, merged, union
from groups.kernel.clock import Clock
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot


def checks(database: Database, limits: PushLimits, clock: Clock) -> list[Check]:
    """Return the checks of devices, in the order in which their repairs build on each other."""
    store = DeviceStore(database)
    audit = _Audit(
        database=database,
        store=store,
        registry=DeviceRegistry(devices=store, limits=limits, clock=clock),
    )
    return [
        Check(
            "P12",
            "a subscription or pushkey belongs to one device",
            "devices",
            lambda snapshot: snapshot.count("devices"),
            audit.find_wrong_addresses,
        ),
        Check(
            "P13",
            "users who have devices are listed for delivery",
            "users",
            lambda snapshot: snapshot.count("device_users"),
            audit.find_wrong_users,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: DeviceStore
    registry: DeviceRegistry

    async def find_wrong_addresses(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Each device is the holder of its address, and each address has the device that it names as its holder."""
        homeless = snapshot.rows(
            "devices",
            [
                look_up("device_addresses", "address", "held"),
                {
                    "$set": {
                        "holder": joined({"$first": "$held.user_id"}, {"$first": "$held.device_id"})
                    }
                },
                {"$match": {"$expr": {"$ne": ["$holder", "$_id"]}}},
                {"$project": {"user_id": 1, "device_id": 1, "address": 1, "holder": 1}},
            ],
        )
        async for row in homeless:
            key = (UserId(row["user_id"]), row["device_id"])
            problem = "does not hold its address"
            if row["holder"] is not None:
                other = " of ".join(reversed(row["holder"].split(SEPARATOR)))
                problem += f", which the device {other} holds"
            repair = self._settle(key, row["address"])
            yield Finding("P12", f"device {key[1]} of {key[0]}", problem, repair)
        empty = snapshot.rows(
            "device_addresses",
            [
                {
                    "$project": {
                        "user_id": 1,
                        "device_id": 1,
                        "key": joined("$user_id", "$device_id"),
                    }
                },
                look_up("devices", "key", "device"),
                {"$match": {"$expr": {"$ne": [{"$first": "$device.address"}, "$_id"]}}},
            ],
        )
        async for row in empty:
            subject = f"address {row['_id']}"
            problem = f"is said to belong to the device {row['device_id']} of {row['user_id']}"
            yield Finding("P12", subject, problem, self._release(row["_id"]))

    def _settle(self, key: DeviceKey, address: str) -> Repair:
        """Give the device its address, unless another device has it: that one was registered later."""

        async def work(tx: Tx) -> str | None:
            if await self._address_of(key, tx) != address:
                return None
            holder = await self.store.find_holder(address, tx)
            if holder == key:
                return None
            if holder is not None and await self._address_of(holder, tx) == address:
                await self.registry.remove_in([key], tx, keeps_addresses=True)
                return "deleted the device"
            self.store.put_address(address, key, tx)
            return "gave the address to the device"

        return lambda: self.database.run(work)

    def _release(self, address: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            holder = await self.store.find_holder(address, tx)
            if holder is None or await self._address_of(holder, tx) == address:
                return None
            self.store.delete_addresses([address], tx)
            return "deleted the entry"

        return lambda: self.database.run(work)

    async def _address_of(self, key: DeviceKey, tx: Tx) -> str | None:
        """The address of the device, if it exists."""
        devices = (await self.store.find_devices([key[0]], tx)).get(key[0], ())
        return next((each.address for each in devices if each.device_id == key[1]), None)

    async def find_wrong_users(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Delivery to all users reads the list only."""
        rows = snapshot.rows(
            "device_users",
            [
                {"$project": {"listed": {"$literal": True}}},
                union(
                    "devices",
                    {"$group": {"_id": "$user_id"}},
                    {"$project": {"has_devices": {"$literal": True}}},
                ),
                merged("listed", "has_devices"),
                {"$match": {"$expr": {"$ne": ["$listed", "$has_devices"]}}},
            ],
        )
        async for row in rows:
            problem = "has devices, and is not listed" if row["has_devices"] else "has no device"
            yield Finding("P13", f"user {row['_id']}", problem, self._list(UserId(row["_id"])))

    def _list(self, user_id: UserId) -> Repair:
        async def work(tx: Tx) -> str | None:
            if await self.store.find_devices([user_id], tx):
                self.store.touch_user(user_id, tx)
                return "listed the user"
            self.store.delete_user(user_id, tx)
            return "took the user off the list"

        return lambda: self.database.run(work)
