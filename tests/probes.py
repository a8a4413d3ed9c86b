"""Instruments that look at the server from below."""

from collections import Counter

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)


class CommandProbe(CommandListener):
    """Hears every command that a client sends; give it to the client as one of its `event_listeners`."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing: a command counts when it is sent."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing: a command counts when it is sent."""

    def take(self) -> Counter[str]:
        """How often each command was sent since the last look."""
        counted = Counter(self.commands)
        self.commands.clear()
        return counted
