"""A load of 64 clients, and the journal of their acknowledged calls, which is compared with the data afterwards.

A write that was answered with 2xx must be stored. A write without an answer may be stored or not: the journal keeps the
set of possible states until a later answer settles it. Some unanswered writes are repeated until they are answered,
with the same `Idempotency-Key` if they have one; others are left as they are.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from tests.faults.deployment import token

WRITERS: Final = 64
_POSTERS, _REACTORS, _MOVERS = 16, 20, 20  # the rest creates and deletes channels
EMOJI: Final = ("👍", "❤️", "🔥", "😂")
FIRST_POSTS: Final = 5  # the posts that get reactions
_PAUSE_SECONDS: Final = 0.2  # before a client tries again
KINDS: Final = ("read", "post", "reaction", "membership", "channel")
_REPEATED: Final = 0.6  # of the unanswered writes
_REST_SECONDS: Final = 0.4
"""How long a writer rests before each call, on average, if the load `rests`. A load without rests takes all processors
from whatever is starting again, and from other tests."""
_RUSH_SECONDS: Final = 0.3

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(slots=True)
class Post:
    """A post that was sent: `seq` and `at` once it was acknowledged."""

    author: str
    text: str
    seq: int | None = None
    at: str | None = None


@dataclass(slots=True)
class Journal:
    """The possible states that the clients know of."""

    channel_id: str
    posts: dict[str, Post] = field(default_factory=dict)
    """By idempotency key."""
    members: dict[str, set[bool]] = field(default_factory=dict)
    """The possible states of each user's membership; one state after an acknowledgement."""
    reactions: dict[tuple[str, int], set[str | None]] = field(default_factory=dict)
    """By user and seq: the emoji that the user may hold there."""
    channels: dict[str, set[bool]] = field(default_factory=dict)
    """Whether each of the other channels may exist."""
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Answers that no fault excuses."""
    head: int = 0
    """The highest seq that was acknowledged."""
    operations: int = 0
    acknowledged: int = 0
    answered_at: dict[str, list[float]] = field(default_factory=dict)
    """The times at which calls of each kind were answered with 2xx."""

    def longest_gap(self, kind: str) -> float:
        """The longest time without a successful call of this kind, in seconds: the downtime."""
        times = self.answered_at[kind]
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)

    def figures(self) -> str:
        unanswered = {what: n for what, n in self.statuses.items() if not what.startswith("2")}
        gaps = ", ".join(f"{kind} {self.longest_gap(kind):.2f}" for kind in KINDS)
        return (
            f"{self.operations} operations, {self.acknowledged} acknowledged"
            f" ({sum(post.seq is not None for post in self.posts.values())} posts),"
            f" others {unanswered or 'none'}; longest seconds without one: {gaps}"
        )


class Clients:
    """HTTP for many users. Calls go to `urls` in turn, so a repeated call goes to another server."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._tokens: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None
        self._next = itertools.count()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=90),
        )
        # By itself, aiohttp repeats an idempotent call whose connection ended: the load decides what it repeats, and a
        # deletion that was repeated unseen gets a 404 that looks like a lost channel.
        self._session._retry_connection = False
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        user: str,
        body: Json | None = None,
        *,
        key: str | None = None,
        admin: bool = False,
        at: int | None = None,
    ) -> Answer | None:
        """The answer, or None if the connection ended without one."""
        assert self._session is not None
        name = f"{user} {admin}"
        if name not in self._tokens:
            self._tokens[name] = token(user, admin=admin)
        headers = {"Authorization": f"Bearer {self._tokens[name]}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        base = self._urls[(next(self._next) if at is None else at) % len(self._urls)]
        try:
            async with self._session.request(
                method, URL(base + path, encoded=True), headers=headers, json=body
            ) as response:
                is_json = "json" in response.content_type
                return Answer(response.status, await response.json() if is_json else None)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return None

    async def insist(
        self,
        method: str,
        path: str,
        user: str,
        body: Json | None = None,
        *,
        key: str | None = None,
        admin: bool = False,
    ) -> Any:
        """Repeat the call until it succeeds, for half a minute; returns the body of the answer."""
        answer: Answer | None = None
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = await self.ask(method, path, user, body, key=key, admin=admin)
            if answer is not None and answer.is_ok:
                return answer.body
            if answer is not None and answer.status != 503:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"{method} {path}: {answer}")


class Load:
    """64 writers on one channel, from `start` to `stop`.

    With `rests` they pause between calls, except around `rush`: call it right before a fault, so that the fault meets
    many calls under way.
    """

    def __init__(
        self, clients: Clients, seed: int, name: str = "news", *, rests: bool = False
    ) -> None:
        self._clients = clients
        self._random = random.Random(seed)
        self._name = name
        self._path = f"/v1/channels/{name}"
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = False
        self._hurry = asyncio.Event()
        if not rests:
            self._hurry.set()
        self._rests = rests
        self._thaws = 0
        self._is_thawing = False
        self.journal = Journal(f"@TOA#_{name}")

    # --- life -----------------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Create the channel, its admins and its subscribers."""
        await self._clients.insist(
            "POST",
            "/v1/channels",
            "owner",
            {"channel_id": self.journal.channel_id, "name": "News"},
            key=f"make-{self._name}",
        )
        staying = [*self._named("poster", _POSTERS), *self._named("reactor", _REACTORS)]
        await asyncio.gather(
            *(self._clients.insist("PUT", f"{self._path}/subscription", user) for user in staying)
        )
        self.journal.members |= {user: {True} for user in [*staying, "owner"]}
        for poster in self._named("poster", _POSTERS):
            await self._clients.insist("PUT", f"{self._path}/admins/{poster}", "owner")
        for number in range(FIRST_POSTS):
            assert await self._post("owner", f"first-{number}")

    def start(self) -> None:
        """Start all writers."""
        churners = WRITERS - _POSTERS - _REACTORS - _MOVERS
        self.journal.answered_at = {kind: [time.monotonic()] for kind in KINDS}
        writers = [
            *(self._poster(user) for user in self._named("poster", _POSTERS)),
            *(self._reactor(user) for user in self._named("reactor", _REACTORS)),
            *(self._mover(user) for user in self._named("mover", _MOVERS)),
            *(self._churner(user) for user in self._named("churner", churners)),
        ]
        self._tasks = [asyncio.create_task(writer) for writer in writers]

    async def goes_on(self, calls: int, seconds: float = 60) -> None:
        """Wait until this many more calls of every kind were acknowledged."""
        answered_at = self.journal.answered_at
        wanted = {kind: len(times) + calls for kind, times in answered_at.items()}
        async with asyncio.timeout(seconds):
            while any(len(answered_at[kind]) < count for kind, count in wanted.items()):
                await asyncio.sleep(0.02)

    async def rush(self, calls: int = 1) -> None:
        """Let all writers call without rests until this many more calls of every kind succeeded, and a bit on."""
        self._hurry.set()
        await self.goes_on(calls)
        if self._rests:
            asyncio.get_running_loop().call_later(_RUSH_SECONDS, self._slow_down)

    def _slow_down(self) -> None:
        if not self._is_over:
            self._hurry.clear()

    async def stop(self) -> Journal:
        """Let all writers finish their current call; returns the journal."""
        self._is_over = True
        self._hurry.set()
        await asyncio.gather(*self._tasks)
        return self.journal

    def _named(self, role: str, count: int) -> list[str]:
        return [f"{role}-{self._name}-{number}" for number in range(count)]

    # --- writers --------------------------------------------------------------------------------------------------

    async def _goes_on(self) -> bool:
        """Rest, unless a fault is about to come. Returns whether another call is wanted."""
        if not self._hurry.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(0, 2 * _REST_SECONDS)):
                    await self._hurry.wait()
        return not self._is_over

    async def _poster(self, user: str) -> None:
        for number in itertools.count():
            if not await self._goes_on():
                return
            if self._random.random() < 0.2:
                await self._read(user)
            else:
                await self._post(user, f"{user}-{number}")

    async def _reactor(self, user: str) -> None:
        while await self._goes_on():
            if self._random.random() < 0.2:
                await self._read(user)
                continue
            seq, emoji = self._random.randint(1, FIRST_POSTS), self._random.choice(EMOJI)
            held = self.journal.reactions.setdefault((user, seq), {None})
            is_removing = self._random.random() < 0.4
            method = "DELETE" if is_removing else "PUT"
            path = f"{self._path}/posts/{seq}/reactions/{URL.build(path=emoji).raw_path}"
            # A user has one emoji: a new one replaces the old one, and removing another one changes nothing.
            after = (
                (held - {emoji} | {None} if emoji in held else set(held))
                if is_removing
                else {emoji}
            )
            held |= after
            if await self._write("reaction", method, path, user):
                held.clear()
                held |= after

    async def _mover(self, user: str) -> None:
        while await self._goes_on():
            possible = self.journal.members.setdefault(user, {False})
            wanted = self._random.random() < 0.5
            possible.add(wanted)
            method = "PUT" if wanted else "DELETE"
            if await self._write("membership", method, f"{self._path}/subscription", user):
                possible.clear()
                possible.add(wanted)

    async def _churner(self, user: str) -> None:
        for number in itertools.count():
            if not await self._goes_on():
                return
            tail = f"{user}-{number}"
            possible = self.journal.channels.setdefault(f"@TOA#_{tail}", {False})
            possible.add(True)
            body = {"channel_id": f"@TOA#_{tail}", "name": tail}
            if not await self._write(
                "channel", "POST", "/v1/channels", user, body, key=f"new-{tail}"
            ):
                continue
            possible.discard(False)
            if self._random.random() < 0.3:
                continue
            possible.add(False)
            # If the answer of the first deletion was lost, the repeated one gets 404.
            if await self._write(
                "channel", "DELETE", f"/v1/channels/{tail}", user, is_gone_ok=True
            ):
                possible.discard(True)

    async def _post(self, user: str, tail: str) -> bool:
        key = f"key-{tail}"
        post = self.journal.posts[key] = Post(user, f"text of {tail}")
        body = {"kind": "text", "text": post.text}
        answer = await self._write("post", "POST", f"{self._path}/posts", user, body, key=key)
        if answer is None:
            return False
        post.seq, post.at = answer.body["seq"], answer.body["created_at"]
        self.journal.head = max(self.journal.head, answer.body["seq"])
        return True

    @asynccontextmanager
    async def reading_from_the_past(self) -> AsyncIterator[None]:
        """While the body runs, a primary is frozen and thaws, and may answer reads with old data.

        Until it learns of its successor, it still believes to be the primary, and a majority read does not ask the
        other members.
        """
        self._thaws += 1
        self._is_thawing = True
        try:
            yield
        finally:
            self._is_thawing = False

    async def _read(self, user: str) -> None:
        head = 0 if self._is_thawing else self.journal.head
        thaws = self._thaws
        answer = await self._ask("GET", f"{self._path}/posts?limit=10", user)
        if answer is None or not answer.is_ok:
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        self._note("read")
        seqs = [item["seq"] for item in answer.body["items"]]
        if not seqs or (seqs[0] < head and thaws == self._thaws):
            self.journal.wrong.append(f"{head} was acknowledged before a read showed {seqs}")
        if seqs != list(range(seqs[0], seqs[0] - len(seqs), -1)):
            self.journal.wrong.append(f"a hole in {seqs}")

    # --- calls ----------------------------------------------------------------------------------------------------

    async def _write(
        self,
        kind: str,
        method: str,
        path: str,
        user: str,
        body: Json | None = None,
        *,
        key: str | None = None,
        is_gone_ok: bool = False,
    ) -> Answer | None:
        """The 2xx answer, perhaps after several attempts; None if the client gave up without an answer."""
        is_repeat = False
        while True:
            answer = await self._ask(method, path, user, body, key=key)
            if answer is not None and answer.is_ok:
                self._note(kind)
                return answer
            if answer is not None and answer.status != 503:
                if is_gone_ok and is_repeat and answer.status == 404:
                    return answer
                self.journal.wrong.append(f"{method} {path}: {answer}")
                return None
            await asyncio.sleep(_PAUSE_SECONDS)
            if self._random.random() > _REPEATED:
                return None
            is_repeat = True

    def _note(self, kind: str) -> None:
        if kind in self.journal.answered_at:
            self.journal.answered_at[kind].append(time.monotonic())

    async def _ask(
        self, method: str, path: str, user: str, body: Json | None = None, *, key: str | None = None
    ) -> Answer | None:
        journal = self.journal
        journal.operations += 1
        answer = await self._clients.ask(method, path, user, body, key=key)
        journal.statuses["closed" if answer is None else str(answer.status)] += 1
        if answer is None:
            return None
        if answer.is_ok:
            journal.acknowledged += 1
        elif (answer.status >= 500 and answer.status != 503) or (
            answer.status == 503 and (answer.body or {}).get("code") != "unavailable"
        ):
            journal.wrong.append(f"{method} {path}: {answer}")
        return answer
