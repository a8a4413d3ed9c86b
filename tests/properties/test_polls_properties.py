"""Polls against a simple model: who voted for what, what each reader sees, and when nothing changes any more."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.text.emoji import Emoji
from groups.models import Content, Kind, Poll, PollResults
from groups.routes.responses.polls import PollResponse
from tests.builders import ADA, BOB, CAT, DAN
from tests.properties.machine import BOUNDED, CHANNEL, Deployment

VOTERS = st.sampled_from([ADA, BOB, CAT, DAN])
"""Dan is no subscriber."""
OPTIONS = 4


@dataclass
class Asked:
    """The expected state of a poll."""

    multiple: bool
    results: PollResults
    closes_at: datetime | None
    votes: dict[Actor, frozenset[int]] = field(default_factory=dict)
    reacted: set[Actor] = field(default_factory=set)
    is_recalled: bool = False

    def is_closed(self, now: datetime) -> bool:
        return self.closes_at is not None and self.closes_at <= now

    def counts(self) -> list[int]:
        return [sum(option in vote for vote in self.votes.values()) for option in range(OPTIONS)]


class Polls(Deployment):
    """`asked` are the polls in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []

    def drawn(self, data: st.DataObject) -> tuple[int, Asked]:
        seq = data.draw(st.integers(1, len(self.asked)))
        return seq, self.asked[seq - 1]

    @rule(
        multiple=st.booleans(),
        results=st.sampled_from(PollResults),
        seconds=st.one_of(st.none(), st.integers(1, 60)),
    )
    def ask(self, multiple: bool, results: PollResults, seconds: int | None) -> None:
        closes_at = None if seconds is None else self.clock.now() + timedelta(seconds=seconds)
        poll = Poll(
            question="?",
            options=tuple("abcd"),
            multiple=multiple,
            results=results,
            closes_at=closes_at,
        )
        content = Content(kind=Kind.POLL, poll=poll)
        self.get(self.services.chat.messages.post(ADA, CHANNEL, content))
        self.asked.append(Asked(multiple, results, closes_at))

    @precondition(lambda self: self.asked)
    @rule(
        voter=VOTERS,
        options=st.frozensets(st.integers(0, OPTIONS), max_size=3),
        data=st.data(),
    )
    def vote(self, voter: Actor, options: frozenset[int], data: st.DataObject) -> None:
        seq, poll = self.drawn(data)
        code = self.done(self.services.polls.vote(voter, CHANNEL, seq, options))
        if voter == DAN:
            assert code == "permission_denied"
        elif poll.is_recalled:
            assert code == "message_recalled"
        elif poll.is_closed(self.clock.now()):
            assert code == "poll_closed"
        elif (len(options) > 1 and not poll.multiple) or OPTIONS in options:
            assert code == "invalid_request"
        else:
            assert code is None
            poll.votes[voter] = options

    @precondition(lambda self: self.asked)
    @rule(voter=st.sampled_from([BOB, CAT]), is_adding=st.booleans(), data=st.data())
    def react(self, voter: Actor, is_adding: bool, data: st.DataObject) -> None:
        seq, poll = self.drawn(data)
        reactions = self.services.reactions
        call = reactions.react if is_adding else reactions.unreact
        code = self.done(call(voter, CHANNEL, seq, Emoji("👍")))
        if is_adding and poll.is_recalled:
            assert code == "message_recalled"
        else:
            assert code is None
            (poll.reacted.add if is_adding else poll.reacted.discard)(voter)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        seq, poll = self.drawn(data)
        code = self.done(self.services.polls.close_poll(ADA, CHANNEL, seq))
        if poll.is_recalled:
            assert code == "message_recalled"
        else:
            assert code is None
            if not poll.is_closed(self.clock.now()):
                poll.closes_at = self.clock.now()

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        seq, poll = self.drawn(data)
        self.get(self.services.chat.edits.recall(ADA, CHANNEL, seq))
        poll.is_recalled = True

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @invariant()
    def readers_see_what_they_may_of_what_was_voted(self) -> None:
        now = self.clock.now()
        for reader in (ADA, BOB, CAT):
            page = self.get(self.services.chat.messages.list_messages(reader, CHANNEL, limit=100))
            for message in page.messages:
                asked, tally = self.asked[message.seq - 1], page.tallies.get(message.seq)
                if message.content is None:
                    assert asked.is_recalled
                    continue
                assert tally is None or set(tally.counts) <= {"👍"}
                assert (tally.total if tally else 0) == len(asked.reacted)
                poll = message.content.poll
                assert poll is not None
                if tally is None:
                    assert not any(asked.votes.values())
                    continue
                shown = PollResponse.seen_by(page.access, poll, tally, now)
                own = asked.votes.get(reader, frozenset())
                assert shown.mine == tuple(sorted(own))
                sees = (
                    policy.sees_all_results(page.access)
                    or asked.results is PollResults.ALWAYS
                    or (asked.results is PollResults.AFTER_VOTE and bool(own))
                    or asked.is_closed(now)
                )
                assert shown.closed == asked.is_closed(now)
                assert (shown.voters is not None) == sees
                if sees:
                    assert [option.votes for option in shown.options] == asked.counts()
                    assert shown.voters == sum(map(bool, asked.votes.values()))


TestPolls = Polls.TestCase
TestPolls.settings = BOUNDED
