"""Drafts and scheduled posts against a simple model: created, changed, cancelled, published, due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, rule

from channels.drafts.models import NewDraft
from groups.kernel.actor import Actor
from groups.models import Role
from tests.builders import ADA, BOB, CAT, text
from tests.properties.machine import BOUNDED, CHANNEL, Deployment

ACTORS = st.sampled_from([ADA, BOB, CAT])
HOURS = st.none() | st.integers(0, 4)
"""Hours from now; 0 is not in the future."""


@dataclass
class Kept:
    """The expected state of a draft."""

    words: str
    author: Actor
    publish_at: datetime | None
    failed: bool = False


class Drafts(Deployment):
    """`kept` are the expected drafts, `out` the author and seq of each published one, `posts` the texts shown."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        drafting = self.services.channels.drafting
        self.drafts = drafting.drafts
        self.kept: dict[str, Kept] = {}
        self.out: dict[str, tuple[Actor, int]] = {}
        self.posts: list[str] = []
        self.is_admin = True
        self.number = 0

    def may_post(self, actor: Actor) -> bool:
        return actor == ADA or (actor == BOB and self.is_admin)

    def hour(self, hours: int | None) -> datetime | None:
        """The time this many hours from now; no two are the same, so that the order is known."""
        if hours is None:
            return None
        self.number += 1
        ahead = timedelta(hours=hours, milliseconds=self.number) if hours else timedelta()
        return self.clock.now() + ahead

    def words(self) -> str:
        self.number += 1
        return f"draft {self.number}"

    @rule(target=made, actor=ACTORS, hours=HOURS)
    def create(self, actor: Actor, hours: int | None) -> str:
        words, publish_at = self.words(), self.hour(hours)
        drafts: list[str] = []

        async def make() -> None:
            new = NewDraft(content=text(words))
            draft = await self.drafts.create(actor, CHANNEL, new, publish_at=publish_at, key=None)
            drafts.append(draft.draft_id)

        code = self.done(make())
        if not self.may_post(actor):
            assert code == "posting_not_allowed"
        elif hours == 0:
            assert code == "bad_publish_at"
        else:
            assert code is None
            self.kept[drafts[0]] = Kept(words, actor, publish_at)
            return drafts[0]
        return "none"

    @rule(draft_id=made, actor=ACTORS, hours=HOURS)
    def schedule(self, draft_id: str, actor: Actor, hours: int | None) -> None:
        publish_at = self.hour(hours)
        code = self.done(
            self.drafts.change(
                actor, CHANNEL, draft_id, publish_at=publish_at, sets_publish_at=True
            )
        )
        if not self.may_post(actor):
            assert code == "posting_not_allowed"
        elif draft_id not in self.kept:
            assert code == "draft_not_found"
        elif hours == 0:
            assert code == "bad_publish_at"
        else:
            assert code is None
            self.kept[draft_id] = Kept(self.kept[draft_id].words, actor, publish_at)

    @rule(draft_id=made, actor=ACTORS)
    def rewrite(self, draft_id: str, actor: Actor) -> None:
        words = self.words()
        new = NewDraft(content=text(words))
        code = self.done(self.drafts.change(actor, CHANNEL, draft_id, new=new))
        if not self.may_post(actor):
            assert code == "posting_not_allowed"
        elif draft_id not in self.kept:
            assert code == "draft_not_found"
        else:
            assert code is None
            self.kept[draft_id].words, self.kept[draft_id].author = words, actor

    @rule(draft_id=made, actor=ACTORS)
    def cancel(self, draft_id: str, actor: Actor) -> None:
        code = self.done(self.drafts.delete(actor, CHANNEL, draft_id))
        if not self.may_post(actor):
            assert code == "posting_not_allowed"
        elif draft_id not in self.kept:
            assert code == "draft_not_found"
        else:
            assert code is None
            del self.kept[draft_id]

    @rule(draft_id=made, actor=ACTORS)
    def publish(self, draft_id: str, actor: Actor) -> None:
        seqs: list[int] = []

        async def post() -> None:
            seqs.append((await self.drafts.publish(actor, CHANNEL, draft_id)).message.seq)

        code = self.done(post())
        if draft_id in self.out and self.out[draft_id][0] == actor and self.may_post(actor):
            assert seqs == [self.out[draft_id][1]]
        elif not self.may_post(actor):
            assert code == "posting_not_allowed"
        elif draft_id not in self.kept:
            assert code == "draft_not_found"
        else:
            self.is_out(draft_id, actor)
            assert seqs == [len(self.posts)]

    @rule(hours=st.integers(0, 3))
    def time_passes(self, hours: int) -> None:
        self.clock.move(hours=hours, seconds=1)
        self.get(self.services.channels.drafting.scheduler.publish_due())
        due = [
            (kept.publish_at, draft_id)
            for draft_id, kept in self.kept.items()
            if kept.publish_at is not None
            and not kept.failed
            and kept.publish_at <= self.clock.now()
        ]
        for _, draft_id in sorted(due):
            author = self.kept[draft_id].author
            if self.may_post(author):
                self.is_out(draft_id, author)
            else:
                self.kept[draft_id].failed = True

    def is_out(self, draft_id: str, actor: Actor) -> None:
        self.posts.append(self.kept.pop(draft_id).words)
        self.out[draft_id] = actor, len(self.posts)

    @rule()
    def bob_is_dismissed_or_appointed(self) -> None:
        self.is_admin = not self.is_admin
        role = Role.ADMIN if self.is_admin else Role.MEMBER
        self.get(self.services.chat.membership.change(ADA, CHANNEL, BOB.user_id, role=role))

    @invariant()
    def drafts_and_posts_match_the_model(self) -> None:
        for is_scheduled in (False, True):
            listed, _ = self.get(
                self.drafts.list_drafts(
                    ADA, CHANNEL, scheduled=is_scheduled, limit=100, cursor=None
                )
            )
            shown = {
                draft.draft_id: (
                    draft.content.text,
                    draft.author_id,
                    draft.publish_at,
                    draft.failure is not None,
                )
                for draft in listed
            }
            assert shown == {
                draft_id: (kept.words, kept.author.user_id, kept.publish_at, kept.failed)
                for draft_id, kept in self.kept.items()
                if (kept.publish_at is not None) == is_scheduled
            }
        history = self.get(self.services.chat.messages.list_messages(CAT, CHANNEL, limit=100))
        texts = [m.content.text for m in reversed(history.messages) if m.content is not None]
        assert texts == self.posts[-100:]


TestDrafts = Drafts.TestCase
TestDrafts.settings = BOUNDED
