"""The reactions and votes of users on one message, as a batch reads and changes it before it writes the difference."""

from abc import abstractmethod
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any

from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.models import Tally
from reactions import policy
from reactions.models import Reaction, ReactionRules


class TallyState:
    """The holdings of the users of a batch on a message: emoji, or options of a poll, each by its stored text.

    `has_tally`: whether a tally is stored, be it empty; without one, nobody held anything so far.
    """

    def __init__(
        self, message_id: str, held: Mapping[UserId, Set[str]], *, has_tally: bool
    ) -> None:
        self.message_id = message_id
        self.has_tally = has_tally
        self._held_before = held
        self._held = {user_id: set(texts) for user_id, texts in held.items()}

    def held_by(self, user_id: UserId) -> Set[str]:
        return self._held[user_id]

    @property
    @abstractmethod
    def counts_changed(self) -> bool:
        """Whether the counts are other ones than before the batch."""

    @abstractmethod
    def tally(self) -> Tally:
        """Return the counts, without what any user holds."""

    @abstractmethod
    def stored_counts(self) -> dict[str, Any]:
        """Return the fields of the tally that this state counts."""

    def removed(self) -> list[tuple[UserId, str]]:
        return [
            (user_id, text)
            for user_id, before in self._held_before.items()
            for text in before - self._held[user_id]
        ]

    def added(self, now: datetime) -> list[Reaction]:
        return [
            Reaction(message_id=self.message_id, user_id=user_id, emoji=text, at=now)
            for user_id, after in self._held.items()
            for text in after - self._held_before[user_id]
        ]

    def changed_holders(self) -> dict[tuple[str, ...], list[UserId]]:
        """Return the users who hold something else than before, by what they hold now."""
        changed: dict[tuple[str, ...], list[UserId]] = {}
        for user_id, after in self._held.items():
            if after != self._held_before[user_id]:
                changed.setdefault(tuple(sorted(after)), []).append(user_id)
        return changed


class ReactionState(TallyState):
    """The counts of a message's emoji, and the emoji that the users of a batch hold on it."""

    def __init__(
        self, message_id: str, counts: Mapping[str, int] | None, held: Mapping[UserId, Set[str]]
    ) -> None:
        super().__init__(message_id, held, has_tally=counts is not None)
        self._counts_before = counts or {}
        self._counts = dict(self._counts_before)  # a `Counter` takes several times as long to make

    def add(self, rules: ReactionRules, user_id: UserId, emoji: str) -> DomainError | None:
        """Add the emoji in place of those that it replaces. Returns the refusal if the rules forbid it."""
        own = self._held[user_id]
        refusal = policy.adding_refusal(rules, self._counts, own, emoji)
        if refusal is None and emoji not in own:
            for old in policy.freed_by(rules, own):
                self.remove(user_id, old)
            own.add(emoji)
            self._counts[emoji] = self._counts.get(emoji, 0) + 1
        return refusal

    def remove(self, user_id: UserId, emoji: str) -> None:
        """Remove the emoji, if the user holds it."""
        if emoji in self._held[user_id]:
            self._held[user_id].remove(emoji)
            self._counts[emoji] -= 1
            if not self._counts[emoji]:
                del self._counts[emoji]

    @property
    def counts_changed(self) -> bool:
        return self._counts != self._counts_before

    def tally(self) -> Tally:
        """Return the counts, without any user's own emoji."""
        return Tally(counts=dict(self._counts), total=sum(self._counts.values()), mine=())

    def stored_counts(self) -> dict[str, Any]:
        """Return the fields of the tally that count reactions."""
        return {"counts": dict(self._counts), "total": sum(self._counts.values())}
