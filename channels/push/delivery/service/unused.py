"""Ends delivery where no device is left, so that the event log is not read for nobody.

The next registration begins it again, in its own transaction (`Consumer.activate`). A first device of a user and the
end of delivery write the same document (`DeviceStore.touch_guard`): whichever is committed first, the other one sees
it. So no device is left without delivery.
"""

from dataclasses import dataclass
from typing import Final

from channels.push.store.devices import DeviceStore
from groups.kernel.background import PeriodicTask
from groups.kernel.event_log.consumer import Consumer
from groups.kernel.mongo import Database, Tx

LOOK_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class UnusedDelivery:
    """Looks whether any device is registered, in every process."""

    database: Database
    devices: DeviceStore
    consumer: Consumer

    async def end(self) -> None:
        """End delivery if there is no device; where there is one, this costs one query. Idempotent."""

        async def work(tx: Tx) -> None:
            if not await self.devices.list_users(after="", limit=1, tx=tx):
                self.devices.touch_guards(tx)
                await self.consumer.deactivate(tx)

        if await self.devices.list_users(after="", limit=1) or not await self.consumer.is_active():
            return
        await self.database.run(work)


def unused_task(unused: UnusedDelivery) -> PeriodicTask:
    """The look, every `LOOK_SECONDS`."""
    return PeriodicTask(unused.end, LOOK_SECONDS, name="push-unused")
