"""The server's memory after all that the run did with it, the largest channel included."""

from channels.bench.models import Row, Target, figures
from channels.bench.stage import Stage


async def memory(stage: Stage) -> list[Row]:
    """Resident memory of the one server process, which holds nothing a subscriber."""
    largest = max(stage.made, default=0)
    what = f"server memory with a channel of {largest:,} subscribers, no sockets"
    if not stage.server.memory_bytes:
        return [
            Row(name="memory", what=what, skipped="a given server's process is not ours to read")
        ]
    return [
        Row(
            name="memory",
            what=what,
            ours=figures("resident memory", "MB", [stage.server.memory_bytes / 2**20]),
            target=Target(bound="at_most", value=150),
        )
    ]
