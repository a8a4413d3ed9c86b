"""Notes each message that is to be announced: the consumer of the event log.

It writes in the transaction that stores the consumer's position, so each message is noted once. Messages that were
posted silently are not announced. A user's message to a channel is announced to those who read the channel's inbox. A
comment is announced to the authors of the post and of the quoted comment. A reminder is a job of its own, for those who
have not acknowledged its message.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from channels.acknowledgements.events import AcknowledgementReminded
from channels.comments.events import CommentPosted
from channels.push.delivery.models import Job
from channels.push.delivery.store.jobs import JobStore
from conversations.events import DialoguePosted
from groups.events import MessagePosted
from groups.kernel.clock import Clock
from groups.kernel.event_log.models import LogEntry
from groups.kernel.events import Event
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Tx

NAME: Final = "push"
_WANTED: Final = frozenset(
    kind.model_fields["type"].default
    for kind in (MessagePosted, DialoguePosted, CommentPosted, AcknowledgementReminded)
)


def wants(event_type: str, _: Sequence[str]) -> bool:
    """Whether the consumer needs events of this type."""
    return event_type in _WANTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcer:
    """Turns events into jobs. `on_jobs` is called when jobs are about to be committed."""

    jobs: JobStore
    clock: Clock
    on_jobs: Callable[[], None]

    async def handle(self, entries: Sequence[LogEntry], tx: Tx) -> None:
        """Begin a job for the newest message of each stream; it takes the place of an older message's."""
        newest = {job.job_id: job for entry in entries for job in jobs_of(entry.event)}
        if newest:
            # Comments on one post are announced to different users, so a newer one ends no retry of an older one.
            # A reminder is of an older message.
            streams = {
                job.stream_id
                for job in newest.values()
                if job.post_seq is None and not job.is_reminder
            }
            if streams:
                self.jobs.end_retries(streams, tx)
            self.jobs.put_newest(newest.values(), self.clock.now(), tx)
            self.on_jobs()


def jobs_of(event: Event) -> Iterable[Job]:
    """The jobs of a posted message or comment; none where nobody is to be notified."""
    if isinstance(event, CommentPosted):
        return [_comment_job(event, user_id) for user_id in event.notified]
    if isinstance(event, AcknowledgementReminded):
        return [_reminder_job(event)]
    job = _message_job(event)
    return [] if job is None else [job]


def _comment_job(event: CommentPosted, recipient_id: UserId) -> Job:
    message = event.message
    return Job(
        job_id=join_key(message.stream_id, recipient_id),
        stream_id=message.stream_id,
        seq=message.seq,
        sender_id=message.sender_id,
        posted_at=message.created_at,
        group_id=event.channel_id,
        recipient_id=recipient_id,
        post_seq=event.post_seq,
    )


def _reminder_job(event: AcknowledgementReminded) -> Job:
    return Job(
        job_id=join_key(event.stream_id, "reminder", event.seq),
        stream_id=event.stream_id,
        seq=event.seq,
        sender_id=event.sender_id,
        # It is as fresh as a message of this moment.
        posted_at=event.at,
        group_id=event.group_id,
        is_channel=event.is_channel,
        is_reminder=True,
    )


def _message_job(event: Event) -> Job | None:
    if isinstance(event, MessagePosted) and not event.message.silent:
        message = event.message
        return Job(
            job_id=message.stream_id,
            stream_id=message.stream_id,
            seq=message.seq,
            sender_id=message.sender_id,
            posted_at=message.created_at,
            group_id=event.group_id,
            is_channel=event.is_channel,
        )
    if isinstance(event, DialoguePosted) and not event.message.silent:
        return _dialogue_job(event)
    return None


def _dialogue_job(event: DialoguePosted) -> Job | None:
    message, dialogue = event.message, event.dialogue
    sides = [side for side in dialogue.sides if side.user_id != message.sender_id]
    if not sides and dialogue.channel_id is None:
        return None  # to oneself
    job = Job(
        job_id=message.stream_id,
        stream_id=message.stream_id,
        seq=message.seq,
        sender_id=message.sender_id,
        posted_at=message.created_at,
    )
    if not sides:
        # The event names the readers of its moment: where there is none, it needs no job.
        return replace(job, group_id=dialogue.channel_id, is_inbox=True) if event.staff else None
    (recipient,) = sides
    peer_id: str = dialogue.channel_id or message.sender_id
    return replace(job, sender_id=UserId(peer_id), recipient_id=recipient.user_id, peer_id=peer_id)
