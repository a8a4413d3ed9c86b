"""One-to-one dialogues against a simple model: blocks, `accept_messages`, `accept`, cursors, reactions, deletion.

Bob and Cat write to each other, and Cat and Ada's channel, for which Ada writes, to Cat alone or as to many.
"""

from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from channels.models import AcceptMessages, ChannelChanges
from conversations.errors import MessagesNotAccepted
from conversations.models import ConversationId, Dialogue
from conversations.service.settings import ConversationChanges
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.kernel.text.emoji import Emoji
from groups.service.messages.pages import WantedPage
from tests.builders import ADA, BOB, CAT, text
from tests.properties.machine import BOUNDED, CHANNEL, Deployment

RECALL_SECONDS: Final = 120
EMOJI: Final = st.sampled_from(["👍", "🍵"])
THREAD: Final = Dialogue(CAT.user_id, CHANNEL)


@dataclass
class Message:
    """The expected state of a message; `given` are the reactions of each side."""

    side: str
    second: int
    is_recalled: bool = False
    given: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class ConversationModel:
    """The expected state of a dialogue: its two sides, its messages, and how far each side has read."""

    sides: tuple[str, str]
    messages: list[Message] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)

    def other(self, side: str) -> str:
        return self.sides[1 - self.sides.index(side)]


class Dialogues(Deployment):
    """`blocks` are pairs of a user and the side that they block; `second` is the time."""

    def __init__(self) -> None:
        super().__init__()
        conversations, channels = self.services.conversations, self.services.channels
        self.dialogues, self.changes, self.cursors = (
            conversations.dialogues,
            conversations.dialogue_edits,
            conversations.read_cursors,
        )
        self.threads, self.reactions = conversations.threads, channels.dialogue_reactions
        self.conversations = [
            ConversationModel(("bob", "cat")),
            ConversationModel(("cat", CHANNEL)),
        ]
        self.blocks: set[tuple[str, str]] = set()
        self.accepts = AcceptMessages.SUBSCRIBERS
        self.is_subscribed = self.is_accepting = True
        self.second = 0
        self.touched: ConversationModel | None = None
        """The dialogue of the last step."""

    # --- actors -------------------------------------------------------------------------------------------------------

    def actor(self, side: str) -> Actor:
        return {"bob": BOB, "cat": CAT}.get(side, ADA)

    def conversation_id(self, conversation: ConversationModel, side: str) -> ConversationId:
        return ConversationId(f"c2c_{conversation.other(side)}")

    def refusal(self, conversation: ConversationModel, side: str) -> str | None:
        """The code of the error that this side gets when it writes now."""
        other = conversation.other(side)
        if side == CHANNEL:
            # Who wrote to the channel gets answers; others only while they subscribe.
            has_written = any(message.side == other for message in conversation.messages)
            is_open = (has_written or self.is_subscribed) and self.is_accepting
            if not is_open or (other, side) in self.blocks:
                return "messages_not_accepted"
            return None
        if other == CHANNEL:
            open_to_all = self.accepts is AcceptMessages.EVERYONE
            if self.accepts is AcceptMessages.NOBODY or not (open_to_all or self.is_subscribed):
                return "messages_not_accepted"
        if (side, other) in self.blocks:
            return "peer_blocked"
        if (other, side) in self.blocks:
            return "messages_not_accepted"
        return None

    # --- actions ------------------------------------------------------------------------------------------------------

    def drawn(self, data: st.DataObject) -> tuple[ConversationModel, str]:
        conversation = self.touched = data.draw(st.sampled_from(self.conversations))
        return conversation, data.draw(st.sampled_from(conversation.sides))

    async def write_to_many(self) -> None:
        users = [CAT.user_id, UserId("nobody")]
        cats, nobodys = await self.dialogues.post_to_many(ADA, CHANNEL, users, text())
        assert isinstance(nobodys, MessagesNotAccepted)
        if isinstance(cats, DomainError):
            raise cats

    @rule(data=st.data(), is_to_many=st.booleans())
    def write(self, data: st.DataObject, is_to_many: bool) -> None:
        conversation, side = self.drawn(data)
        actor = self.actor(side)
        call: Awaitable[object]
        if side == CHANNEL and is_to_many:
            call = self.write_to_many()
        elif side == CHANNEL:
            call = self.dialogues.post(actor, THREAD, text(), for_channel=True)
        else:
            dialogue = self.dialogues.of(actor, self.conversation_id(conversation, side))
            call = self.dialogues.post(actor, dialogue, text())
        expected = self.refusal(conversation, side)
        assert self.done(call) == expected
        if expected is None:
            conversation.messages.append(Message(side, self.second))
            conversation.read[side] = len(conversation.messages)

    @rule(data=st.data(), seq=st.none() | st.integers(0, 8))
    def read(self, data: st.DataObject, seq: int | None) -> None:
        conversation, side = self.drawn(data)
        call: Awaitable[object]
        if side == CHANNEL:
            call = self.threads.mark_read(THREAD, seq=seq)
        else:
            call = self.cursors.mark_read(
                self.actor(side), self.conversation_id(conversation, side), seq=seq
            )
        head = len(conversation.messages)
        assert self.done(call) == (None if head else "conversation_not_found")
        conversation.read[side] = max(
            conversation.read[side], head if seq is None else min(seq, head)
        )

    @precondition(lambda self: any(conversation.messages for conversation in self.conversations))
    @rule(data=st.data(), emoji=EMOJI, is_adding=st.booleans())
    def react(self, data: st.DataObject, emoji: str, is_adding: bool) -> None:
        conversation, side, seq = self.drawn_message(data)
        message = conversation.messages[seq - 1]
        actor, for_channel = self.actor(side), side == CHANNEL
        # Dialogues of channels are named from the user's side.
        seen_from = conversation.other(side) if for_channel else side
        dialogue = self.dialogues.of(
            self.actor(seen_from), self.conversation_id(conversation, seen_from)
        )
        call = (self.reactions.react if is_adding else self.reactions.unreact)(
            actor, dialogue, seq, Emoji(emoji), for_channel=for_channel
        )
        code = self.done(call)
        if not is_adding:
            assert code is None
            message.given.discard((emoji, side))
            return
        reasons = {
            self.refusal(conversation, side),
            "message_recalled" if message.is_recalled else None,
        }
        assert code in (reasons - {None} or {None})
        if code is None:
            message.given.add((emoji, side))

    @precondition(lambda self: any(conversation.messages for conversation in self.conversations))
    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        conversation, side, seq = self.drawn_message(data)
        message = conversation.messages[seq - 1]
        call: Awaitable[object]
        if side == CHANNEL:
            call = self.changes.recall(ADA, THREAD, seq, for_channel=True)
        else:
            actor = self.actor(side)
            dialogue = self.dialogues.of(actor, self.conversation_id(conversation, side))
            call = self.changes.recall(actor, dialogue, seq)
        code = self.done(call)
        if message.side != side:
            assert code == "permission_denied"
        elif side != CHANNEL and self.second - message.second > RECALL_SECONDS:
            assert code == "recall_too_late"
        else:
            assert code is None
            message.is_recalled = True

    def drawn_message(self, data: st.DataObject) -> tuple[ConversationModel, str, int]:
        conversation = self.touched = data.draw(
            st.sampled_from(
                [conversation for conversation in self.conversations if conversation.messages]
            )
        )
        side = data.draw(st.sampled_from(conversation.sides))
        return conversation, side, data.draw(st.integers(1, len(conversation.messages)))

    # --- conditions ---------------------------------------------------------------------------------------------------

    @rule(data=st.data(), is_blocking=st.booleans())
    def block(self, data: st.DataObject, is_blocking: bool) -> None:
        conversation = data.draw(st.sampled_from(self.conversations))
        side = data.draw(st.sampled_from([side for side in conversation.sides if side != CHANNEL]))
        blocks, pair = self.services.conversations.blocks, (side, conversation.other(side))
        change = blocks.block if is_blocking else blocks.unblock
        self.get(change(self.actor(side), pair[1]))
        self.blocks = self.blocks | {pair} if is_blocking else self.blocks - {pair}

    @rule(accepts=st.sampled_from(AcceptMessages))
    def change_accept_messages(self, accepts: AcceptMessages) -> None:
        changes = ChannelChanges(accept_messages=accepts)
        self.get(self.services.channels.channels.update(ADA, CHANNEL, changes))
        self.accepts = accepts

    @rule(is_accepting=st.booleans())
    def cat_switches_the_channels_messages(self, is_accepting: bool) -> None:
        settings = self.services.conversations.settings
        changes = ConversationChanges(accept=is_accepting)
        code = self.done(settings.update_settings(CAT, THREAD.conversation_id, changes))
        is_known = bool(self.conversations[1].messages) or self.is_subscribed
        if is_known or not self.is_accepting:
            assert code is None
            self.is_accepting = is_accepting
        else:
            assert code == "conversation_not_found"

    @rule(is_joining=st.booleans())
    def cat_joins_or_leaves(self, is_joining: bool) -> None:
        membership = self.services.chat.membership
        self.get((membership.join if is_joining else membership.leave)(CAT, CHANNEL))
        self.is_subscribed = is_joining

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)
        self.second += seconds

    # --- checks -------------------------------------------------------------------------------------------------------

    @invariant()
    def both_sides_see_the_messages(self) -> None:
        conversation, self.touched = self.touched, None
        if conversation is None:
            return
        for side in conversation.sides:
            if side != CHANNEL and conversation.messages:
                self.check_side(conversation, side)
        if CHANNEL in conversation.sides:
            self.check_inbox(conversation)

    def check_inbox(self, conversation: ConversationModel) -> None:
        threads, _ = self.get(self.threads.list_threads(CHANNEL, limit=10, cursor=None))
        unread = len(conversation.messages) - conversation.read[CHANNEL]
        assert [thread.unread_count for thread in threads] == (
            [unread] if conversation.messages else []
        )

    def check_side(self, conversation: ConversationModel, side: str) -> None:
        actor, conversation_id = self.actor(side), self.conversation_id(conversation, side)
        dialogue = self.dialogues.of(actor, conversation_id)
        page = self.get(self.dialogues.page(actor, dialogue, WantedPage(limit=100)))
        messages = page.messages[::-1]
        tallies = self.get(self.reactions.tallies(dialogue, [m.seq for m in messages]))
        seen = [(m.seq, m.sender_id, m.content is None) for m in messages]
        assert seen == [
            (seq, m.side, m.is_recalled) for seq, m in enumerate(conversation.messages, start=1)
        ]
        for seq, message in enumerate(conversation.messages, start=1):
            counts = Counter(emoji for emoji, _ in message.given)
            mine = {emoji for emoji, holder in message.given if holder == side}
            tally = tallies.get(seq)
            assert (tally.counts if tally else {}) == counts
            assert set(tally.mine if tally else ()) == mine
        shown = self.get(
            self.services.conversations.conversation_list.get_conversation(actor, conversation_id)
        )
        assert (
            shown.conversation.unread_count == len(conversation.messages) - conversation.read[side]
        )


TestDialogues = Dialogues.TestCase
TestDialogues.settings = BOUNDED
