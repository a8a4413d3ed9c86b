"""The votes in one poll, as a batch reads and changes them before it writes the difference."""

from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from typing import Any

from groups.kernel.ids import UserId
from groups.models import Tally
from reactions.models import vote_text
from reactions.service.state import TallyState


class VoteState(TallyState):
    """The counts of a poll, and the options that the users of a batch chose."""

    def __init__(
        self, message_id: str, tally: Tally | None, held: Mapping[UserId, Set[str]]
    ) -> None:
        super().__init__(message_id, held, has_tally=tally is not None)
        self._before = tally or Tally()
        self._votes = dict(self._before.votes)
        self._voters = self._before.voters

    def put(self, user_id: UserId, options: Collection[int]) -> None:
        """Replace the user's vote; no options take it back."""
        own = self._held[user_id]
        chosen = {vote_text(option): option for option in options}
        for text in own - chosen.keys():
            self._count(int(text.rpartition(":")[2]), -1)
        for text in chosen.keys() - own:
            self._count(chosen[text], 1)
        self._voters += bool(chosen) - bool(own)
        own.clear()
        own.update(chosen)

    def _count(self, option: int, more: int) -> None:
        count = self._votes.get(option, 0) + more
        if count:
            self._votes[option] = count
        else:
            del self._votes[option]

    @property
    def counts_changed(self) -> bool:
        return self._votes != self._before.votes or self._voters != self._before.voters

    def tally(self) -> Tally:
        """Return the tally with the counts of votes, without any user's own vote."""
        before = self._before
        return replace(before, votes=dict(self._votes), voters=self._voters)

    def stored_counts(self) -> dict[str, Any]:
        """Return the fields of the tally that count votes."""
        votes = {str(option): count for option, count in self._votes.items()}
        return {"votes": votes, "voters": self._voters}
