"""Builds push notifications: devices first, whose registry is behind a hook; then what users and clients call."""

from dataclasses import dataclass
from typing import Final

from channels.push.limits import PushLimits
from channels.push.models import PushInfo
from channels.push.service.devices import (
    Activate,
    DeviceRegistry,
    DeviceService,
    activate_nothing,
)
from channels.push.store.devices import DeviceStore
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.service.revocations import Revocations

NO_DELIVERY: Final = PushInfo()
PUSH_INDEXES: Final[tuple[Index, ...]] = (*DeviceStore.INDEXES,)


@dataclass(frozen=True, kw_only=True, slots=True)
class PushCore:
    """The objects behind the hooks of the packages below, and the store that they write."""

    device_store: DeviceStore
    registry: DeviceRegistry


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """The services of push notifications on one database."""

    devices: DeviceService
    info: PushInfo


def build_core(database: Database, limits: PushLimits, clock: Clock) -> PushCore:
    """Build the objects behind the hooks."""
    store = DeviceStore(database)
    return PushCore(
        device_store=store, registry=DeviceRegistry(devices=store, limits=limits, clock=clock)
    )


def assemble(
    database: Database,
    core: PushCore,
    revocations: Revocations,
    clock: Clock,
    *,
    info: PushInfo = NO_DELIVERY,
    activate: Activate = activate_nothing,
) -> Push:
    """Build the services. `activate` lets the consumer of the event log begin with the first device."""
    return Push(
        devices=DeviceService(
            database=database,
            devices=core.device_store,
            registry=core.registry,
            activate=activate,
            revocations=revocations,
            clock=clock,
        ),
        info=info,
    )
