"""People of the demo who post, write and react while somebody looks on.

Promises:
    Nobody acts unless somebody entered by the demo's pages during the last `WATCHED_SECONDS`, and at most `MOST_ACTS`
    times in a process.
    A refusal, by a limit or because a person was removed, skips the act.
"""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.demo.script.people import PEOPLE
from channels.demo.service import GUESTS, Scene, actor_of, attempt
from groups.kernel.background import PeriodicTask
from groups.kernel.ids import GroupId
from groups.kernel.text.emoji import Emoji
from groups.models import Content, Kind

STEP_SECONDS: Final = 4.0
WATCHED_SECONDS: Final = 15 * 60
MOST_ACTS: Final = 2_000

_LIVELY: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("@TOA#_fc-harbour", ("🔥", "👍", "⚽", "🎉")),
    ("@TOA#_brightwater-news", ("👍", "❤️", "😮", "🙏")),
    ("@TOA#_coast-weather", ("☀️", "👍", "🌊")),
)
_POSTS: Final[Sequence[tuple[str, str, str]]] = (
    ("@TOA#_fc-harbour", "liam", "Training is open to everyone today, from 17:30. Bring a scarf."),
    ("@TOA#_brightwater-news", "grace", "The number 6 bus runs every eight minutes again."),
    ("@TOA#_coast-weather", "dee", "Wind turns west in the evening, up to 5. Dry until midnight."),
    ("@TOA#_fc-harbour", "liam", "Petrov is fit again and back in the squad for Saturday."),
    ("@TOA#_brightwater-news", "grace", "Mill Bridge is open again, an hour earlier than planned."),
    ("@TOA#_coast-weather", "dee", "High tide tonight at 21:40, 20 cm above the usual."),
)
_WORDS: Final[Sequence[str]] = (
    "I bring coffee, who brings cake?",
    "The train at 8:12 then.",
    "Rain until ten, sun afterwards, says the weather channel.",
    "Can somebody lend me a pair of sticks?",
    "On my way.",
    "See you at the station!",
)
_CHAT: Final = "sunday-hike"


@dataclass(slots=True, kw_only=True)
class DemoBot:
    """Makes the scene live while it is watched."""

    scene: Scene
    timer: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    acts: int = field(default=0, init=False)
    task: PeriodicTask = field(init=False)
    _seen_at: float | None = field(default=None, init=False)
    _posts: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.task = PeriodicTask(self.act, STEP_SECONDS, name="demo-bot")

    def watch(self) -> None:
        """Somebody looks on from now."""
        self._seen_at = self.timer()

    @property
    def is_watched(self) -> bool:
        return self._seen_at is not None and self.timer() - self._seen_at < WATCHED_SECONDS

    async def act(self) -> None:
        """Let one person do something, if somebody looks on."""
        if not self.is_watched or self.acts >= MOST_ACTS:
            return
        self.acts += 1
        # Mostly reactions, and now and then something to read.
        await attempt(self.chance.choices((self._react, self._write, self._post), (6, 2, 1))[0]())

    async def _react(self) -> None:
        channel_id, emojis = self.chance.choice(_LIVELY)
        group_id = GroupId(channel_id)
        viewer = actor_of(self.chance.choice([one for one in PEOPLE if one not in GUESTS]))
        channel = await self.scene.channels.channels.get(viewer, group_id)
        head = channel.stream.head_seq
        if head:
            seq = self.chance.randint(max(1, head - 3), head)
            await self.scene.analytics.views.report(viewer, group_id, [seq])
            emoji = Emoji(self.chance.choice(emojis))
            await self.scene.reactions.react(viewer, group_id, seq, emoji)

    def _post(self) -> Awaitable[object]:
        channel_id, author, text = _POSTS[self._posts % len(_POSTS)]
        self._posts += 1
        content = Content(kind=Kind.TEXT, text=text)
        return self.scene.chat.messages.post(actor_of(author), GroupId(channel_id), content)

    def _write(self) -> Awaitable[object]:
        author = self.chance.choice(("cid", "dee", "bob"))
        content = Content(kind=Kind.TEXT, text=self.chance.choice(_WORDS))
        return self.scene.chat.messages.post(actor_of(author), GroupId(_CHAT), content)
