"""One-to-one dialogues against a plain model of them: blocks, whom a channel listens to, cursors, reactions, recalls.

Bob and Cat talk to each other, and Cat with Ada's channel, for which Ada answers.
"""

from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from channels.models import AcceptMessages, ChannelChanges
from conversations.models import ConversationId
from groups.kernel.actor import Actor
from tests.builders import ADA, BOB, CAT, text
from tests.properties.machine import BOUNDED, CHANNEL, Deployment

RECALL_SECONDS: Final = 120
EMOJI: Final = st.sampled_from(["👍", "🍵"])


@dataclass
class Message:
    """A message as it ought to be; `given` are the reactions that each side holds."""

    side: str
    second: int
    is_recalled: bool = False
    given: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Talk:
    """Both sides of a dialogue, what was said in it, and how far each side has read."""

    sides: tuple[str, str]
    said: list[Message] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)

    def other(self, side: str) -> str:
        return self.sides[1 - self.sides.index(side)]


class Dialogues(Deployment):
    """`blocks` are who blocks whom; `second` is the time."""

    def __init__(self) -> None:
        super().__init__()
        talks, channels = self.services.conversations, self.services.channels
        self.dialogues, self.changes, self.cursors = (
            talks.dialogues,
            talks.dialogue_edits,
            talks.read_cursors,
        )
        self.inbox, self.reactions = channels.inbox, channels.dialogue_reactions
        self.talks = [Talk(("bob", "cat")), Talk(("cat", CHANNEL))]
        self.blocks: set[tuple[str, str]] = set()
        self.accepts = AcceptMessages.SUBSCRIBERS
        self.is_subscribed = True
        self.second = 0
        self.touched: Talk | None = None
        """Which of them the last step was about."""

    # --- who is who -----------------------------------------------------------------------------------------------

    def actor(self, side: str) -> Actor:
        return {"bob": BOB, "cat": CAT}.get(side, ADA)

    def conversation(self, talk: Talk, side: str) -> ConversationId:
        return ConversationId(f"c2c_{talk.other(side)}")

    def refusal(self, talk: Talk, side: str) -> str | None:
        """Why this side may not write now."""
        other = talk.other(side)
        if side == CHANNEL and not talk.said:
            return "conversation_not_found"
        if other == CHANNEL:
            open_to_all = self.accepts is AcceptMessages.EVERYONE
            if self.accepts is AcceptMessages.NOBODY or not (open_to_all or self.is_subscribed):
                return "messages_not_accepted"
        if (side, other) in self.blocks:
            return "peer_blocked"
        if (other, side) in self.blocks:
            return "messages_not_accepted"
        return None

    # --- what they do ---------------------------------------------------------------------------------------------

    def drawn(self, data: st.DataObject) -> tuple[Talk, str]:
        talk = self.touched = data.draw(st.sampled_from(self.talks))
        return talk, data.draw(st.sampled_from(talk.sides))

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        talk, side = self.drawn(data)
        actor = self.actor(side)
        call: Awaitable[object]
        if side == CHANNEL:
            call = self.inbox.answer(actor, CHANNEL, CAT.user_id, text(), key=None)
        else:
            dialogue = self.dialogues.of(actor, self.conversation(talk, side))
            call = self.dialogues.post(actor, dialogue, text())
        expected = self.refusal(talk, side)
        assert self.done(call) == expected
        if expected is None:
            talk.said.append(Message(side, self.second))
            talk.read[side] = len(talk.said)

    @rule(data=st.data(), seq=st.none() | st.integers(0, 8))
    def read(self, data: st.DataObject, seq: int | None) -> None:
        talk, side = self.drawn(data)
        call: Awaitable[object]
        if side == CHANNEL:
            call = self.inbox.read(ADA, CHANNEL, CAT.user_id, seq=seq)
        else:
            call = self.cursors.mark_read(self.actor(side), self.conversation(talk, side), seq=seq)
        head = len(talk.said)
        assert self.done(call) == (None if head else "conversation_not_found")
        talk.read[side] = max(talk.read[side], head if seq is None else min(seq, head))

    @precondition(lambda self: any(talk.said for talk in self.talks))
    @rule(data=st.data(), emoji=EMOJI, is_adding=st.booleans())
    def react(self, data: st.DataObject, emoji: str, is_adding: bool) -> None:
        talk, side, seq = self.drawn_message(data)
        message = talk.said[seq - 1]
        actor, for_channel = self.actor(side), side == CHANNEL
        # A channel's dialogues are seen from the user's side.
        seen_from = talk.other(side) if for_channel else side
        dialogue = self.dialogues.of(self.actor(seen_from), self.conversation(talk, seen_from))
        call = (self.reactions.react if is_adding else self.reactions.unreact)(
            actor, dialogue, seq, emoji, for_channel=for_channel
        )
        code = self.done(call)
        if not is_adding:
            assert code is None
            message.given.discard((emoji, side))
            return
        reasons = {self.refusal(talk, side), "message_recalled" if message.is_recalled else None}
        assert code in (reasons - {None} or {None})
        if code is None:
            message.given.add((emoji, side))

    @precondition(lambda self: any(talk.said for talk in self.talks))
    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        talk, side, seq = self.drawn_message(data)
        message = talk.said[seq - 1]
        call: Awaitable[object]
        if side == CHANNEL:
            call = self.inbox.recall(ADA, CHANNEL, CAT.user_id, seq)
        else:
            actor = self.actor(side)
            dialogue = self.dialogues.of(actor, self.conversation(talk, side))
            call = self.changes.recall(actor, dialogue, seq)
        code = self.done(call)
        if message.side != side:
            assert code == "permission_denied"
        elif side != CHANNEL and self.second - message.second > RECALL_SECONDS:
            assert code == "recall_too_late"
        else:
            assert code is None
            message.is_recalled = True

    def drawn_message(self, data: st.DataObject) -> tuple[Talk, str, int]:
        talk = self.touched = data.draw(st.sampled_from([talk for talk in self.talks if talk.said]))
        side = data.draw(st.sampled_from(talk.sides))
        return talk, side, data.draw(st.integers(1, len(talk.said)))

    # --- what stands in the way -----------------------------------------------------------------------------------

    @rule(data=st.data(), is_blocking=st.booleans())
    def block(self, data: st.DataObject, is_blocking: bool) -> None:
        talk = data.draw(st.sampled_from(self.talks))
        side = data.draw(st.sampled_from([side for side in talk.sides if side != CHANNEL]))
        blocks, pair = self.services.conversations.blocks, (side, talk.other(side))
        change = blocks.block if is_blocking else blocks.unblock
        self.get(change(self.actor(side), pair[1]))
        self.blocks = self.blocks | {pair} if is_blocking else self.blocks - {pair}

    @rule(accepts=st.sampled_from(AcceptMessages))
    def listen_to(self, accepts: AcceptMessages) -> None:
        changes = ChannelChanges(accept_messages=accepts)
        self.get(self.services.channels.channels.update(ADA, CHANNEL, changes))
        self.accepts = accepts

    @rule(is_joining=st.booleans())
    def cat_comes_or_goes(self, is_joining: bool) -> None:
        membership = self.services.chat.membership
        self.get((membership.join if is_joining else membership.leave)(CAT, CHANNEL))
        self.is_subscribed = is_joining

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)
        self.second += seconds

    # --- what each side sees --------------------------------------------------------------------------------------

    @invariant()
    def both_sides_see_what_was_said(self) -> None:
        talk, self.touched = self.touched, None
        if talk is None:
            return
        for side in talk.sides:
            if side != CHANNEL and talk.said:
                self.check_side(talk, side)
        if CHANNEL in talk.sides:
            self.check_inbox(talk)

    def check_inbox(self, talk: Talk) -> None:
        threads, _ = self.get(self.inbox.list_threads(ADA, CHANNEL, limit=10, cursor=None))
        unread = len(talk.said) - talk.read[CHANNEL]
        assert [thread.unread_count for thread in threads] == ([unread] if talk.said else [])

    def check_side(self, talk: Talk, side: str) -> None:
        actor, conversation_id = self.actor(side), self.conversation(talk, side)
        dialogue = self.dialogues.of(actor, conversation_id)
        page, _ = self.get(self.dialogues.page(actor, dialogue, limit=100))
        messages = [said.message for said in reversed(page)]
        tallies = self.get(self.reactions.tallies(dialogue, [m.seq for m in messages]))
        seen = [(m.seq, m.sender_id, m.content is None) for m in messages]
        assert seen == [(seq, m.side, m.is_recalled) for seq, m in enumerate(talk.said, start=1)]
        for seq, message in enumerate(talk.said, start=1):
            counts = Counter(emoji for emoji, _ in message.given)
            mine = {emoji for emoji, holder in message.given if holder == side}
            tally = tallies.get(seq)
            assert (tally.counts if tally else {}) == counts
            assert set(tally.mine if tally else ()) == mine
        shown = self.get(
            self.services.conversations.conversation_list.get_conversation(actor, conversation_id)
        )
        assert shown.conversation.unread_count == len(talk.said) - talk.read[side]


TestDialogues = Dialogues.TestCase
TestDialogues.settings = BOUNDED
