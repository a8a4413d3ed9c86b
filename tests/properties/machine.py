"""The base of the state machines: a whole deployment in memory, with an event loop of its own.

Hypothesis calls the rules outside of any event loop.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine

from channels.limits import Limits
from channels.models import NewChannel
from channels.server.app import Services, create_services
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.models import Role
from tests.builders import ADA, BOB, CAT, HandClock, mock_database

T = TypeVar("T")

CHANNEL: Final = GroupId("@TOA#_tea")
IS_LONG: Final = settings.get_current_profile_name() == "long"
BOUNDED: Final = settings(
    max_examples=2_000 if IS_LONG else 15,
    stateful_step_count=50 if IS_LONG else 15,
    # Without `explain`: tracing every line of a deployment takes longer than reading the shortest example.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""Takes seconds, or with `--hypothesis-profile=long` most of an hour."""


class Deployment(RuleBasedStateMachine):
    """A deployment with a channel that Ada owns, Bob as its admin and Cat as a subscriber."""

    def __init__(self, **limits: int) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = HandClock()
        self.services: Services = create_services(
            mock_database(), Limits(posts_per_second=0, **limits), clock=self.clock
        )
        self.get(self._settle())

    async def _settle(self) -> None:
        membership = self.services.chat.membership
        await self.services.channels.channels.create(
            ADA, NewChannel(channel_id=CHANNEL, name="Tea")
        )
        for user in (BOB, CAT):
            await membership.join(user, CHANNEL)
        await membership.change(ADA, CHANNEL, BOB.user_id, role=Role.ADMIN)

    def teardown(self) -> None:
        self.loop.close()

    def get(self, call: Awaitable[T]) -> T:
        """Make the call. Returns its result."""
        return self.loop.run_until_complete(_as_coroutine(call))

    def done(self, call: Awaitable[object]) -> str | None:
        """Make the call. Returns the code of its error, or None."""
        try:
            self.get(call)
        except DomainError as refusal:
            return refusal.code
        return None


async def _as_coroutine(call: Awaitable[T]) -> T:
    return await call
