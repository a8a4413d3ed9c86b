"""Reads after an election: they show whatever was acknowledged before it.

A majority read shows what its member knows a majority to keep. One that was just elected has all that was
acknowledged, but what it knows of the majority may be as old as its last restart, until the first write of its own is
kept by one: for a moment it would show the past (seconds of it in `tests/faults`). So each read names the
last write before the election; a member that has not come so far makes it wait. Later that is past, and nobody waits.

What stays: a primary that stood still answers from what it knew until it hears of its successor.
"""

from typing import Any

from bson import ObjectId, Timestamp
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from pymongo.read_concern import ReadConcern


class Elections(ServerHeartbeatListener):
    """Hears of every primary before the driver sends anybody there."""

    def __init__(self) -> None:
        self.last: Timestamp | None = None
        """What the present primary had written last when it introduced itself."""
        self._election_id: ObjectId | None = None

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """A member has told what it is (called in a thread of the driver)."""
        hello = event.reply
        if not hello.is_writable or hello.election_id in {None, self._election_id}:
            return
        # Its last write, which all that was acknowledged lies before; not its clock, which may be ahead of every write:
        # the read would wait for the next one.
        written = hello.document.get("lastWrite", {}).get("opTime")
        if written is not None:
            instant = written["ts"]
            # One that takes itself for the primary still tells of an instant that is past.
            if self.last is None or instant > self.last:
                self.last = instant
                self._election_id = hello.election_id

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Nothing is known yet."""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Who does not answer is nobody's primary."""


class SinceElection(ReadConcern):
    """A majority read of at least what there was when the primary was elected."""

    def __init__(self, elections: Elections) -> None:
        super().__init__("majority")
        self._elections = elections

    @property
    def document(self) -> dict[str, Any]:
        """What the driver sends with each read."""
        said = super().document
        if self._elections.last is not None:
            said["afterClusterTime"] = self._elections.last
        return said
