"""The reactions to one message, as a batch reads and changes them before it writes the difference."""

from collections.abc import Mapping, Set
from datetime import datetime

from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.models import Tally
from reactions import policy
from reactions.models import Reaction, ReactionRules


class ReactionState:
    """The counts of a message, and the emoji that the users of a batch hold on it."""

    def __init__(
        self, message_id: str, counts: Mapping[str, int] | None, held: Mapping[UserId, Set[str]]
    ) -> None:
        self.message_id = message_id
        self.has_tally = counts is not None
        """Whether a tally is stored, be it empty; without one, there were no reactions so far."""
        self._counts_before = counts or {}
        self._held_before = held
        self._counts = dict(self._counts_before)  # a `Counter` takes several times as long to make
        self._held = {user_id: set(emoji) for user_id, emoji in held.items()}

    def held_by(self, user_id: UserId) -> Set[str]:
        return self._held[user_id]

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

    def removed(self) -> list[tuple[UserId, str]]:
        return [
            (user_id, emoji)
            for user_id, before in self._held_before.items()
            for emoji in before - self._held[user_id]
        ]

    def added(self, now: datetime) -> list[Reaction]:
        return [
            Reaction(message_id=self.message_id, user_id=user_id, emoji=emoji, at=now)
            for user_id, after in self._held.items()
            for emoji in after - self._held_before[user_id]
        ]

    def changed_holders(self) -> dict[tuple[str, ...], list[UserId]]:
        """Return the users whose reactions have changed, by the emoji that they hold now."""
        changed: dict[tuple[str, ...], list[UserId]] = {}
        for user_id, after in self._held.items():
            if after != self._held_before[user_id]:
                changed.setdefault(tuple(sorted(after)), []).append(user_id)
        return changed

    def tally(self) -> Tally:
        """Return the counts, without any user's own emoji."""
        return Tally(counts=dict(self._counts), total=sum(self._counts.values()), mine=())
