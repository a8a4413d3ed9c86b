"""Chooses the people of a batch who were never subscribed to a default channel, and remembers that they were."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from channels.default_channels.models import Progress
from channels.default_channels.store import DefaultChannelStore, DefaultSubscriptionStore
from groups.errors import GroupNotFound, MemberLimitReached
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.service.membership.commands import Outcome

_FULL = MemberLimitReached.code


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision of a transaction about the users of a batch."""

    subscribed: int
    passed_over: int
    is_full: bool
    """Whether the channel had no room for some of them, who are not decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepStep:
    """A step of a sweep: who holds its lease, and how its progress goes on once the step is decided."""

    holder: str
    advance: Callable[[Progress, Decided], Progress]


@dataclass(frozen=True, kw_only=True, slots=True)
class OncePerPerson:
    """A `groups.service.membership.commands.Selection` for one default channel."""

    channels: DefaultChannelStore
    subscriptions: DefaultSubscriptionStore
    channel_id: GroupId
    number: int
    step: SweepStep | None = None
    """None: the users are new ones, outside of the sweep."""

    def look_up(self, user_ids: Collection[UserId]) -> "_Query":
        """As `Selection.look_up`."""
        return _Query(
            self,
            tuple(user_ids),
            self.channels.query_held(self.channel_id, self.step.holder if self.step else None),
            self.subscriptions.query_done(user_ids, self.number),
        )


@dataclass(frozen=True, slots=True)
class _Query:
    selection: OncePerPerson
    user_ids: Sequence[UserId]
    of_progress: BatchedQuery[Progress | None]
    of_done: BatchedQuery[frozenset[UserId]]

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        return self.of_progress, self.of_done

    def refusal(self) -> DomainError | None:
        # No default any more, or another process sweeps: it goes on where this one was.
        return GroupNotFound() if self.of_progress.result is None else None

    def excluded(self) -> Collection[UserId]:
        return self.of_done.result

    def record(self, outcomes: Mapping[UserId, Outcome], tx: Tx) -> None:
        """Remember all but those for whom the channel had no room, and how far the sweep is."""
        done, selection = self.of_done.result, self.selection
        decided = [
            user_id
            for user_id in self.user_ids
            if user_id not in done and outcomes.get(user_id) != _FULL
        ]
        selection.subscriptions.put_done(decided, selection.number, tx)
        step, progress = selection.step, self.of_progress.result
        if step is not None and progress is not None:
            subscribed = sum(outcome == "added" for outcome in outcomes.values())
            present = sum(outcomes.get(user_id) in {"added", "present"} for user_id in decided)
            fact = Decided(subscribed, len(decided) - present, _FULL in outcomes.values())
            advanced = step.advance(progress, fact)
            selection.channels.put_progress(selection.channel_id, step.holder, advanced, tx)
