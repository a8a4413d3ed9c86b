"""Pins and grants against a simple model: who may post, pin and delete with the rights of that moment."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from groups.kernel.actor import Actor
from groups.models import Grant, Role
from tests.builders import ADA, BOB, CAT, text
from tests.properties.machine import BOUNDED, CHANNEL, Deployment

ACTORS = st.sampled_from([ADA, BOB, CAT])
GRANTS = st.frozensets(st.sampled_from([Grant.POST, Grant.PIN_POSTS, Grant.DELETE_POSTS]))
PINS = 2


@dataclass
class Post:
    """The expected state of a post."""

    author: Actor
    is_recalled: bool = False


class Pins(Deployment):
    """`posts` in their order, `pins` oldest first, `granted` the rights of Bob, or None while Bob is no admin."""

    def __init__(self) -> None:
        super().__init__(pinned_messages=PINS)
        self.chat = self.services.chat
        self.membership = self.chat.membership
        self.posts: list[Post] = []
        self.pins: list[int] = []
        self.granted: frozenset[Grant] | None = frozenset(Grant)

    def holds(self, actor: Actor, grant: Grant) -> bool:
        return actor == ADA or (actor == BOB and self.granted is not None and grant in self.granted)

    def is_staff(self, actor: Actor) -> bool:
        return actor == ADA or (actor == BOB and self.granted is not None)

    @rule(actor=ACTORS)
    def post(self, actor: Actor) -> None:
        code = self.done(self.chat.messages.post(actor, CHANNEL, text()))
        if self.holds(actor, Grant.POST):
            assert code is None
            self.posts.append(Post(actor))
        else:
            assert code == "posting_not_allowed"

    @precondition(lambda self: self.posts)
    @rule(actor=ACTORS, data=st.data())
    def pin(self, actor: Actor, data: st.DataObject) -> None:
        seq = data.draw(st.integers(1, len(self.posts)))
        code = self.done(self.chat.pins.pin(actor, CHANNEL, seq))
        if not self.holds(actor, Grant.PIN_POSTS):
            assert code == "permission_denied"
        elif self.posts[seq - 1].is_recalled:
            assert code == "message_recalled"
        elif seq not in self.pins and len(self.pins) == PINS:
            assert code == "pin_limit_reached"
        else:
            assert code is None
            self.pins += [] if seq in self.pins else [seq]

    @precondition(lambda self: self.posts)
    @rule(actor=ACTORS, data=st.data())
    def unpin(self, actor: Actor, data: st.DataObject) -> None:
        seq = data.draw(st.integers(1, len(self.posts)))
        code = self.done(self.chat.pins.unpin(actor, CHANNEL, seq))
        if not self.holds(actor, Grant.PIN_POSTS):
            assert code == "permission_denied"
        else:
            assert code is None
            self.pins = [pin for pin in self.pins if pin != seq]

    @precondition(lambda self: self.posts)
    @rule(actor=ACTORS, data=st.data())
    def recall(self, actor: Actor, data: st.DataObject) -> None:
        seq = data.draw(st.integers(1, len(self.posts)))
        post = self.posts[seq - 1]
        code = self.done(self.chat.edits.recall(actor, CHANNEL, seq))
        is_own = self.is_staff(actor) and post.author == actor
        if not is_own and not self.holds(actor, Grant.DELETE_POSTS):
            assert code == "permission_denied"
        else:
            assert code is None
            post.is_recalled = True
            self.pins = [pin for pin in self.pins if pin != seq]

    @rule(grants=GRANTS)
    def grant(self, grants: frozenset[Grant]) -> None:
        self.get(self.membership.change(ADA, CHANNEL, BOB.user_id, role=Role.ADMIN, grants=grants))
        self.granted = grants

    @rule()
    def dismiss(self) -> None:
        self.get(self.membership.change(ADA, CHANNEL, BOB.user_id, role=Role.MEMBER))
        self.granted = None

    @rule(actor=st.sampled_from([BOB, CAT]), grants=GRANTS)
    def only_the_owner_grants(self, actor: Actor, grants: frozenset[Grant]) -> None:
        code = self.done(
            self.membership.change(actor, CHANNEL, actor.user_id, role=Role.ADMIN, grants=grants)
        )
        assert code == "permission_denied"

    @rule()
    def appointing_again_keeps_the_grants(self) -> None:
        self.get(self.membership.change(ADA, CHANNEL, BOB.user_id, role=Role.ADMIN))
        self.granted = frozenset(Grant) if self.granted is None else self.granted

    @invariant()
    def pins_and_posts_match_the_model(self) -> None:
        shown = self.get(self.chat.pins.list_pins(CAT, CHANNEL))
        assert [message.seq for message in shown.messages] == self.pins[::-1]
        history = self.get(self.chat.messages.list_messages(CAT, CHANNEL, limit=100))
        seen = [(m.seq, m.content is None, m.pinned_at is not None) for m in history.messages]
        assert seen[::-1] == [
            (seq, post.is_recalled, seq in self.pins)
            for seq, post in enumerate(self.posts[-100:], start=max(1, len(self.posts) - 99))
        ]


TestPins = Pins.TestCase
TestPins.settings = BOUNDED
