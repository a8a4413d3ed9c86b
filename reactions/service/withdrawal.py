"""Takes back all that a user who is deleted holds on a message, whatever they may do in its group now.

Promises:
    Exact counts (P4), as in `reactions.service.engine`: the reactions, the votes and the tally change in one
    transaction, which conflicts with others on the message in the tally.
    Votes in polls that are closed go too: nothing of the user stays.

Presses of buttons are votes here, and acknowledgements are counted as well. The packages that own these publish that
the counts changed (`WithdrawnHook`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group, Message, Tally, poll_of, split_message_key, stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.write_locks import message_lock
from reactions.events import OwnReactions, ReactionsChanged
from reactions.models import ACKNOWLEDGED, VOTE_PREFIX
from reactions.polls.events import OwnVotes
from reactions.polls.service.polls import poll_changed
from reactions.polls.service.state import VoteState
from reactions.service.engine import ReactionEngine
from reactions.service.state import ReactionState

_GROUP_PREFIX: Final = stream_of(GroupId(""))


class Withdrawn(NamedTuple):
    """The reactions and votes of a deleted user on a message, and the counts after it; None where they held none."""

    group: Group
    message: Message
    user_id: UserId
    reactions: Tally | None
    votes: Tally | None
    acknowledged: int | None


WithdrawnHook = Callable[[Withdrawn, datetime, Tx], None]
"""Publishes for a package above what changed, in the transaction that takes it back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawal:
    """All that deleted users held on messages: reactions, votes, presses, acknowledgements."""

    engine: ReactionEngine
    access: BulkAccess
    hooks: Sequence[WithdrawnHook] = ()

    async def withdraw(self, message_id: str, user_id: UserId) -> None:
        """Take back all that the user holds on the message. Repeating it changes nothing.

        Publishes: ReactionsChanged, PollChanged, and what the hooks publish, for messages of groups.
        """
        await self.engine.database.run(
            lambda tx: self._work(message_id, user_id, tx),
            message_lock(*split_message_key(message_id)),
        )

    async def _work(self, message_id: str, user_id: UserId, tx: Tx) -> None:
        engine = self.engine
        found = engine.store.query_batch({message_id: [user_id]})
        of_messages = engine.streams.query_messages([message_id])
        await engine.database.fetch_together(of_messages, *found.queries, tx=tx)
        tally = found.tally_of(message_id)
        emoji = found.held_on(message_id, [user_id], prefix="")
        options = found.held_on(message_id, [user_id], prefix=VOTE_PREFIX)
        acknowledged = found.held_on(message_id, [user_id], prefix=ACKNOWLEDGED)[user_id]
        if tally is None or not (emoji[user_id] or options[user_id] or acknowledged):
            return
        reactions = ReactionState(message_id, tally.counts, emoji)
        votes = VoteState(message_id, tally, options)
        for each in emoji[user_id]:
            reactions.remove(user_id, each)
        votes.put(user_id, ())
        counted = reactions.stored_counts() if emoji[user_id] else {}
        if options[user_id]:
            counted |= votes.stored_counts()
        left = tally.acknowledged - 1 if acknowledged else None
        if left is not None:
            counted |= {"acknowledged": left}
        gone = [(user_id, text) for text in acknowledged]
        engine.store.put_tally(message_id, counted, tx)
        engine.store.delete(message_id, [*reactions.removed(), *votes.removed(), *gone], tx)
        message = of_messages.result.get(message_id)
        if message is not None and message.stream_id.startswith(_GROUP_PREFIX):
            await self._publish(
                message,
                user_id,
                reactions.tally() if emoji[user_id] else None,
                votes.tally() if options[user_id] else None,
                left,
                engine.clock.now(),
                tx,
            )

    async def _publish(
        self,
        message: Message,
        user_id: UserId,
        reactions: Tally | None,
        votes: Tally | None,
        acknowledged: int | None,
        now: datetime,
        tx: Tx,
    ) -> None:
        group_id = GroupId(message.stream_id.removeprefix(_GROUP_PREFIX))
        access = await self.access.find({group_id: [user_id]}, tx)
        group = access.of_groups.result.get(group_id)
        if group is None or message.seq <= group.private_until_seq:
            return
        if reactions is not None:
            tx.publish(
                ReactionsChanged(
                    at=now,
                    stream_id=group.stream_id,
                    group_id=group.group_id,
                    is_channel=group.is_channel,
                    seq=message.seq,
                    counts=reactions.counts,
                    total=reactions.total,
                    own=(OwnReactions((), (user_id,)),),
                )
            )
        poll = poll_of(message)
        if votes is not None and poll is not None:
            own = (OwnVotes((), (user_id,)),)
            tx.publish(poll_changed(group, message.seq, poll, votes, now, own))
        withdrawn = Withdrawn(group, message, user_id, reactions, votes, acknowledged)
        for hook in self.hooks:
            hook(withdrawn, now, tx)
