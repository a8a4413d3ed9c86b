"""Probes that record the database commands of a server, and their cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)


class CommandProbe(CommandListener):
    """Records every command that a client sends; pass it in the client's `event_listeners`."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignored: a command counts when it is sent."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignored: a command counts when it is sent."""

    def take(self) -> Counter[str]:
        """How often each command was sent since the last call."""
        counted = Counter(self.commands)
        self.commands.clear()
        return counted


@dataclass(frozen=True, slots=True)
class Work:
    """The cost of an operation: commands by name and collection, and the documents and keys they examined."""

    commands: Mapping[str, int]
    documents: int
    keys: int


class WorkProbe(CommandListener):
    """Records the commands that a client sends, and reads from the database's profiler how much they examined.

    Commands are counted as the client sends them; the profiler has one record for each statement of a bulk. Commands
    of a server's background work are left out (`_is_background`).
    """

    def __init__(self, uri: str, name: str) -> None:
        self._commands: list[str] = []
        self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
        self._database = self._client[name]
        self._seen = 0

    async def start(self) -> None:
        """Let the database record every operation from now on."""
        # Created first, and large: the default collection holds one megabyte and overwrites older records.
        await self._database.create_collection("system.profile", capped=True, size=64 << 20)
        await self._database.command("profile", 2)

    async def stop(self) -> None:
        """Stop recording."""
        await self._database.command("profile", 0)
        self._client.close()

    async def take(self) -> Work:
        """The cost of everything since the last call."""
        commands = Counter(self._commands)
        records = [r for r in await self.records() if not _is_background(r.get("command", {}))]
        self._commands.clear()
        return Work(
            commands=commands,
            documents=sum(record.get("docsExamined", 0) for record in records),
            keys=sum(record.get("keysExamined", 0) for record in records),
        )

    async def records(self) -> list[dict[str, Any]]:
        """The profiler's records since the last call, in order."""
        profile = self._database["system.profile"]
        others = profile.find({"ns": {"$ne": f"{self._database.name}.system.profile"}})
        new = await others.skip(self._seen).to_list(None)
        self._seen += len(new)
        return new

    def started(self, event: CommandStartedEvent) -> None:
        if not _is_background(event.command):
            target = event.command.get(event.command_name)
            collection = f" {target}" if isinstance(target, str) else ""
            self._commands.append(event.command_name + collection)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignored: a command counts when it is sent."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignored: a command counts when it is sent."""


def _is_background(command: Mapping[str, Any]) -> bool:
    """Whether the command belongs to a server's background work.

    That follows the outbox, and looks for remains of groups, expired uploads and scheduled posts and broadcasts, for
    webhooks that are due, notifications that wait, and processes that are there.
    """
    looks = {"webhook_queues", "push_jobs", "online_processes"}
    # `findAndModify` has a document in its `update`.
    named = (command.get(verb) for verb in ("aggregate", "find", "update"))
    if looks & {name for name in named if isinstance(name, str)}:
        return True
    is_tail = command.get("getMore") is not None and command.get("collection") == "events"
    looked_for = {
        "media": {"expires_at"},
        "drafts": {"due_at"},
        "broadcasts": {"leased_until", "ended_at"},
    }.get(command.get("find", ""))
    is_look = looked_for is not None and not looked_for.isdisjoint(command.get("filter", {}))
    return is_tail or is_look or command.get("find") == "disbanded" or "endSessions" in command
