"""What a notification says: its id, its topic and its texts.

Apps that show texts of their own get keys and arguments, as the services of Apple and Google have them.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from channels.push.delivery.models import Job
from channels.push.senders.models import Notification
from groups.kernel.ids import join_key
from groups.kernel.text.markup import plain_beginning
from groups.models import Content, Kind

BODY_CHARACTERS: Final = 200
"""Of the text that a notification shows."""
TITLE_CHARACTERS: Final = 150
CHANNEL_POST: Final = "channel_post"
"""The argument is the channel's name."""
GROUP_MESSAGE: Final = "group_message"
"""The arguments are the group's name and the sender's."""
DIRECT_MESSAGE: Final = "direct_message"
"""The argument is the name of the sender, a user or a channel."""
INBOX_MESSAGE: Final = "inbox_message"
"""The arguments are the channel's name and the sender's."""
COMMENT: Final = "comment"
"""The arguments are the channel's name and the sender's."""
_DIGEST_BYTES: Final = 24


def topic_of(conversation_id: str, recipient_id: str | None) -> str:
    """The conversation as 32 characters of base64url, as `Topic` may have (RFC 8030, 5.4); nobody can read it."""
    return _digest(join_key(conversation_id, recipient_id or ""))


def notification_id_of(job: Job) -> str:
    """The same id whenever this message is announced; its reminder has one of its own."""
    return _digest(
        join_key(job.stream_id, str(job.seq), *(["reminder"] if job.is_reminder else []))
    )


def build_notification(
    job: Job,
    content: Content,
    *,
    conversation_id: str,
    names: Sequence[str],
    expires_at: datetime,
    with_content: bool,
) -> Notification:
    """The notification of this message. `names` are the arguments of its title, as its key has them."""
    names = [name[:TITLE_CHARACTERS] for name in names] if with_content else []
    is_comment = job.post_seq is not None
    is_anonymous = job.is_channel or str(job.sender_id) == job.group_id
    return Notification(
        notification_id=notification_id_of(job),
        # Comments do not replace the notification of a post.
        topic=topic_of(job.stream_id if is_comment else conversation_id, job.recipient_id),
        conversation_id=conversation_id,
        # A thread of an inbox is in no conversation of its readers.
        group_id=None if job.is_inbox else job.group_id,
        channel_id=job.group_id if job.is_channel or is_comment or job.is_inbox else None,
        seq=job.seq,
        post_seq=job.post_seq,
        inbox_user_id=job.sender_id if job.is_inbox else None,
        sender_id=None if is_anonymous else job.sender_id,
        kind=content.kind.value,
        sent_at=job.posted_at,
        expires_at=expires_at,
        title=names[0] if names else "",
        body=_body_of(content, names[1:]) if with_content else "",
        title_loc_key=_title_key(job),
        title_loc_args=tuple(names),
        body_loc_key="" if content.kind is Kind.TEXT else f"kind_{content.kind.value}",
    )


def expiry_of(job: Job, ttl_seconds: int) -> datetime:
    """When nobody needs the notification any more."""
    return job.posted_at + timedelta(seconds=ttl_seconds)


def _title_key(job: Job) -> str:
    if job.post_seq is not None:
        return COMMENT
    if job.is_inbox:
        return INBOX_MESSAGE
    if job.group_id is None:
        return DIRECT_MESSAGE
    return CHANNEL_POST if job.is_channel else GROUP_MESSAGE


def _body_of(content: Content, senders: Sequence[str]) -> str:
    parts = [part for part in (content.title, plain_beginning(content.text)) if part]
    text = " ".join(" ".join(parts).split()) or content.preview
    whole = ": ".join((*senders, text))
    return whole if len(whole) <= BODY_CHARACTERS else whole[: BODY_CHARACTERS - 1] + "…"


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]
    return base64.urlsafe_b64encode(digest).decode()
