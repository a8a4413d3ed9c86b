"""The models of reports."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from groups.kernel.ids import GroupId, StreamId, UserId, join_key
from groups.models import Content, Model, SuspensionMode

_DIGEST_BYTES: Final = 15  # 120 bits, 24 letters


class TargetType(StrEnum):
    """The kinds of things that are reported."""

    POST = "post"
    MESSAGE = "message"
    COMMENT = "comment"
    CHANNEL = "channel"
    GROUP = "group"
    USER = "user"


class ReportReason(StrEnum):
    """Why it is reported."""

    SPAM = "spam"
    ABUSE = "abuse"
    VIOLENCE = "violence"
    SEXUAL = "sexual"
    ILLEGAL = "illegal"
    IMPERSONATION = "impersonation"
    OTHER = "other"


class CaseState(StrEnum):
    """Whether a case was resolved."""

    OPEN = "open"
    RESOLVED = "resolved"


class CaseAction(StrEnum):
    """The acts that resolve a case."""

    DISMISS = "dismiss"
    DELETE = "delete"
    SUSPEND_CHANNEL = "suspend_channel"
    RESTRICT_USER = "restrict_user"


class Target(Model):
    """The reported thing: the fields of its type, and nothing that tells who reported it.

    A one-to-one message names neither its conversation nor its seq: the other side of its author is the reporter.
    """

    type: TargetType
    channel_id: GroupId | None = None
    group_id: GroupId | None = None
    seq: int | None = None
    post_seq: int | None = None
    user_id: UserId | None = None


class ReportedProfile(Model):
    """The profile of a reported channel, group or user."""

    name: str = ""
    introduction: str = ""
    face_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTarget:
    """A target that the reporter may read, as it is now.

    `key` tells two targets apart. `author_id`: who wrote it, or owns it; None where a channel wrote it in private.
    """

    key: str
    target: Target
    content: Content | None = None
    profile: ReportedProfile | None = None
    author_id: UserId | None = None


def message_target_key(target_type: TargetType, stream_id: StreamId, seq: int) -> str:
    """The key of a message, post or comment of a stream."""
    return join_key(target_type.value, stream_id, seq)


def thing_target_key(target_type: TargetType, thing_id: str) -> str:
    """The key of a channel, group or user."""
    return join_key(target_type.value, thing_id)


def digest_of(target_key: str) -> str:
    """The name of a target in the ids of its cases and reports: safe in paths, and without the ids of the target."""
    digest = hashlib.blake2b(target_key.encode(), digest_size=_DIGEST_BYTES).digest()
    return base64.b32encode(digest).decode().lower()


def case_id_of(target_key: str, number: int) -> str:
    """The id of the target's case of this number: 1, then 2 once that is resolved."""
    return f"{digest_of(target_key)}-{number}"


def digest_in(case_id: str) -> str:
    """The digest of the target in the id of a case."""
    return case_id.rpartition("-")[0]


class CaseText(Model):
    """The words of a reporter, without their name."""

    reason: ReportReason
    text: str
    at: datetime


class Resolution(Model):
    """How a case was resolved. `user_id`: the user who was restricted."""

    action: CaseAction
    mode: SuspensionMode | None = None
    until: datetime | None = None
    note: str = ""
    user_id: UserId | None = None
    at: datetime
    by: UserId


class Case(Model):
    """All reports of one target, until they are resolved together.

    `content` and `profile` show the target as it was at the first report. `texts` are the newest ones; of an open case
    they are loaded only where one case is read.
    """

    case_id: str
    target_key: str
    number: int
    target: Target
    content: Content | None = None
    profile: ReportedProfile | None = None
    author_id: UserId | None = None
    count: int
    reasons: dict[ReportReason, int]
    texts: tuple[CaseText, ...] = ()
    first_at: datetime
    last_at: datetime
    state: CaseState = CaseState.OPEN
    resolution: Resolution | None = None

    @property
    def reported_channel(self) -> GroupId | None:
        """The channel that the case is about, which may be suspended."""
        return self.target.channel_id


class Report(Model):
    """The report of one user about a target; a later report of theirs replaces it. It exists while its case is open."""

    target_key: str
    user_id: UserId
    case_id: str
    reason: ReportReason
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReportDay:
    """How many things a user has reported on a day (UTC)."""

    day: str
    count: int


NO_COUNTS: Final[Mapping[ReportReason, int]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResolution:
    """How an admin wants to resolve a case. `note` is the reason that the owner or the user is shown."""

    action: CaseAction
    mode: SuspensionMode | None = None
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTarget:
    """The target as the reporter names it: the ids that fit its type."""

    type: TargetType
    channel_id: GroupId | None = None
    group_id: GroupId | None = None
    conversation_id: str | None = None
    seq: int | None = None
    post_seq: int | None = None
    user_id: UserId | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The answer to a report: the case, and whether the reporter had reported the target in it before."""

    case_id: str
    is_new: bool
