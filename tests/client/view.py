"""What an app would show of the events that it receives."""

from dataclasses import dataclass, field

from channels.client import SocketEvent
from channels.client.event_models import MessageEdited, MessagePosted, MessageRecalled
from channels.client.models import Post


@dataclass(slots=True)
class ChannelView:
    """A channel as an app has it that believes each event, and fails when one comes twice or out of order."""

    texts: dict[int, str | None] = field(default_factory=dict)
    pinned: set[int] = field(default_factory=set)
    version: int = 0

    def take(self, event: SocketEvent) -> None:
        match event:
            case MessagePosted(post=post, seq=seq) if post is not None:
                assert seq == len(self.texts) + 1, f"{seq} after {len(self.texts)}"
                self.texts[seq] = post.text
            case MessageEdited(post=post, seq=seq, version=version) if post is not None:
                self._move(version)
                self.texts[seq] = post.text
                (self.pinned.add if post.pinned else self.pinned.discard)(seq)
            case MessageRecalled(seq=seq, version=version):
                self._move(version)
                self.texts[seq] = None
                self.pinned.discard(seq)

    def _move(self, version: int) -> None:
        assert version > self.version, f"version {version} after {self.version}"
        self.version = version

    def is_of(self, posts: list[Post]) -> bool:
        """Whether the server has the same."""
        return self.texts == {post.seq: post.text for post in posts}
