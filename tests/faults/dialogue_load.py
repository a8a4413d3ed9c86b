"""A load of one-to-one messages, and its journal: users write to a channel and to each other, and admins answer.

A write that was answered with 2xx must be stored. A write without an answer is repeated with its key until it is
answered. So at the end every message that was sent is stored once.
"""

import asyncio
import itertools
import random
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from groups.kernel.ids import PAIR_SEPARATOR
from tests.faults.load import Clients

USERS: Final = 16
ADMINS: Final = 4
EMOJI: Final = quote("👍")


@dataclass(slots=True)
class Sent:
    """The stored stream and the seq of an acknowledged message."""

    stream_id: str
    seq: int


@dataclass(slots=True)
class DialogueJournal:
    """The acknowledged calls of the clients."""

    channel_id: str
    sent: dict[str, Sent] = field(default_factory=dict)
    """By text, which is unique."""
    read: dict[str, int] = field(default_factory=dict)
    """By user: the highest acknowledged read cursor of the channel in the user's thread."""
    reactions: dict[str, bool] = field(default_factory=dict)
    """By user: whether the channel has reacted to the first message of the user's thread, as last acknowledged."""
    reads: int = 0


class DialogueLoad:
    """Writers of one-to-one messages, inbox answers, reads and reactions, from `start` to `stop`."""

    def __init__(self, clients: Clients, seed: int, name: str) -> None:
        self._clients = clients
        self._random = random.Random(seed)
        self._name = name
        self._channel = f"/v1/channels/{name}"
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = False
        self.journal = DialogueJournal(f"@TOA#_{name}")

    async def prepare(self) -> None:
        """Create the channel and its admins, and send a first message of each user."""
        new: dict[str, Any] = {"channel_id": self.journal.channel_id, "name": "News"}
        new["settings"] = {"accept_messages": "everyone"}
        await self._clients.insist("POST", "/v1/channels", "owner", new, key=f"make-{self._name}")
        for admin in self._admins():
            await self._clients.insist("PUT", f"{self._channel}/subscription", admin)
            await self._clients.insist("PUT", f"{self._channel}/admins/{admin}", "owner")
        for user in self._users():
            await self._say_to_channel(user, f"first of {user}")

    def start(self) -> None:
        """Start all writers."""
        users, admins = self._users(), self._admins()
        writers = [
            *(self._user(user) for user in users),
            *(self._admin(admin) for admin in admins),
        ]
        self._tasks = [asyncio.create_task(writer) for writer in writers]

    async def goes_on(self, more: int, seconds: float = 90) -> None:
        """Wait until this many more messages, and a quarter as many reads, were acknowledged."""
        messages, reads = len(self.journal.sent) + more, self.journal.reads + more // 4
        async with asyncio.timeout(seconds):
            while len(self.journal.sent) < messages or self.journal.reads < reads:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.02)

    async def stop(self) -> DialogueJournal:
        """Let all writers finish their current call; returns the journal."""
        self._is_over = True
        await asyncio.gather(*self._tasks)
        return self.journal

    def _users(self) -> list[str]:
        return [f"user-{self._name}-{number}" for number in range(USERS)]

    def _admins(self) -> list[str]:
        return [f"admin-{self._name}-{number}" for number in range(ADMINS)]

    # --- writers --------------------------------------------------------------------------------------------------

    async def _user(self, user: str) -> None:
        for number in itertools.count():
            if self._is_over:
                return
            text = f"{number} of {user}"
            if self._random.random() < 0.6:
                await self._say_to_channel(user, text)
            else:
                peer = self._random.choice([u for u in self._users() if u != user])
                one, other = sorted((user, peer))
                stream_id = f"c2c_{one}{PAIR_SEPARATOR}{other}"
                await self._say(user, f"/v1/conversations/c2c_{peer}", stream_id, text)

    async def _say_to_channel(self, user: str, text: str) -> None:
        dialogue = f"/v1/conversations/c2c_{quote(self.journal.channel_id, safe='')}"
        await self._say(user, dialogue, self._thread(user), text)

    async def _admin(self, admin: str) -> None:
        for number in itertools.count():
            if self._is_over:
                return
            user = self._random.choice(self._users())
            inbox, chance = f"{self._channel}/inbox/{user}", self._random.random()
            if chance < 0.4:
                seq = await self._say(admin, inbox, self._thread(user), f"{number} of {admin}")
                self._was_read(user, seq)
            elif chance < 0.8:
                answer = await self._clients.insist("POST", f"{inbox}/read", admin)
                self._was_read(user, answer["read_seq"])
                self.journal.reads += 1
            elif admin == self._admins()[0]:  # one admin alone, so that the last answer holds
                method = self._random.choice(("PUT", "DELETE"))
                path = f"{inbox}/messages/1/reactions/{EMOJI}"
                await self._clients.insist(method, path, admin)
                self.journal.reactions[user] = method == "PUT"

    async def _say(self, user: str, path: str, stream_id: str, text: str) -> int:
        body: dict[str, Any] = {"kind": "text", "text": text}
        said = await self._clients.insist(
            "POST", f"{path}/messages", user, body, key=text.replace(" ", "-")
        )
        seq = int(said["seq"])
        self.journal.sent[text] = Sent(stream_id, seq)
        return seq

    def _was_read(self, user: str, seq: int) -> None:
        self.journal.read[user] = max(seq, self.journal.read.get(user, 0))

    def _thread(self, user: str) -> str:
        return f"inbox_{self.journal.channel_id}{PAIR_SEPARATOR}{user}"
