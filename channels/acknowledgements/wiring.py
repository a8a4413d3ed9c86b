"""Builds acknowledgements on the engine of reactions."""

from dataclasses import dataclass

from channels.acknowledgements.audience import AcknowledgementReader
from channels.acknowledgements.overview import AcknowledgementOverview
from channels.acknowledgements.service import AcknowledgementService
from groups.wiring import GroupChat
from reactions.service.engine import ReactionEngine


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledgements:
    """The services of acknowledgements on one database."""

    acknowledgements: AcknowledgementService
    overview: AcknowledgementOverview
    reader: AcknowledgementReader

    async def close(self) -> None:
        await self.acknowledgements.close()


def assemble(chat: GroupChat, engine: ReactionEngine, *, most_names: int) -> Acknowledgements:
    """Build the services. In groups of more than `most_names` members nobody is named as missing."""
    reader = AcknowledgementReader(engine)
    return Acknowledgements(
        acknowledgements=AcknowledgementService(engine=engine, access=chat.bulk_access),
        overview=AcknowledgementOverview(
            engine=engine,
            guard=chat.guard,
            reader=reader,
            memberships=chat.membership_reader,
            accounts=chat.accounts,
            most_names=most_names,
        ),
        reader=reader,
    )
