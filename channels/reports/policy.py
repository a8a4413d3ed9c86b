"""Decides about reports: who reads and resolves cases, what fits a target, how many a day; pure, and only here."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Final

from channels.reports.errors import DailyReportLimitReached, ReportActionNotPossible
from channels.reports.models import (
    Case,
    CaseAction,
    NewResolution,
    Resolution,
    TargetType,
    WantedTarget,
)
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, InvalidRequest, PermissionRefused
from groups.models import AccessContext, Grant
from groups.policy import grant_refusal

_IDS: Final[Mapping[TargetType, tuple[frozenset[str], ...]]] = {
    TargetType.POST: (frozenset({"channel_id", "seq"}),),
    TargetType.MESSAGE: (
        frozenset({"group_id", "seq"}),
        frozenset({"conversation_id", "seq"}),
        frozenset({"channel_id", "user_id", "seq"}),
    ),
    TargetType.COMMENT: (frozenset({"channel_id", "post_seq", "seq"}),),
    TargetType.CHANNEL: (frozenset({"channel_id"}),),
    TargetType.GROUP: (frozenset({"group_id"}),),
    TargetType.USER: (frozenset({"user_id"}),),
}
"""The ids that name a target of each type: exactly those of one of the sets."""


def target_refusal(wanted: WantedTarget) -> DomainError | None:
    """A target whose ids do not fit its type."""
    given = {name for name, value in asdict(wanted).items() if value is not None} - {"type"}
    if given in _IDS[wanted.type]:
        return None
    forms = " or ".join(" and ".join(sorted(ids)) for ids in _IDS[wanted.type])
    reason = f"a target of type {wanted.type.value} has {forms}"
    return InvalidRequest(errors=[{"field": "target", "reason": reason}])


def cases_refusal(actor: Actor) -> DomainError | None:
    """Reading and resolving the cases of the deployment: the application."""
    return None if actor.is_app_admin else PermissionRefused("Only the application reads reports")


def channel_cases_refusal(access: AccessContext) -> DomainError | None:
    """Reading the cases about comments in a channel: its owner, and admins who may delete them."""
    return grant_refusal(access, Grant.DELETE_POSTS)


def resolving_refusal(access: AccessContext, case: Case, action: CaseAction) -> DomainError | None:
    """Resolving a case for the staff of its channel: only one about a comment, and without touching channel or user."""
    is_theirs = case.target.type is TargetType.COMMENT
    if not is_theirs or action not in {CaseAction.DISMISS, CaseAction.DELETE}:
        return PermissionRefused("Only the application does this")
    return channel_cases_refusal(access)


def daily_refusal(reported: int, limit: int, now: datetime) -> DomainError | None:
    """Reporting one more thing today, for a user who has reported so many."""
    if reported < limit:
        return None
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return DailyReportLimitReached(
        limit=limit, retry_after_seconds=(midnight - now).total_seconds()
    )


def fields_refusal(new: NewResolution) -> DomainError | None:
    """Fields of a resolution that do not fit its action."""
    if new.mode is not None and new.action is not CaseAction.SUSPEND_CHANNEL:
        reason = "only with the action suspend_channel"
        return InvalidRequest(errors=[{"field": "mode", "reason": reason}])
    if new.until is not None and new.action is not CaseAction.RESTRICT_USER:
        reason = "only with the action restrict_user"
        return InvalidRequest(errors=[{"field": "until", "reason": reason}])
    return None


def action_refusal(case: Case, action: CaseAction) -> DomainError | None:
    """Resolving the case by this action."""
    target = case.target
    # One-to-one messages are their two sides' own; those of groups and channels have a seq here.
    fits = {
        CaseAction.DISMISS: True,
        CaseAction.DELETE: target.seq is not None,
        CaseAction.SUSPEND_CHANNEL: target.channel_id is not None,
        CaseAction.RESTRICT_USER: case.author_id is not None,
    }
    return None if fits[action] else ReportActionNotPossible()


def is_repeat(case: Case, new: NewResolution, actor: Actor) -> bool:
    """Whether the same admin resolves the case in the same way again."""
    done: Resolution | None = case.resolution
    if done is None or done.by != actor.user_id or done.action is not new.action:
        return False
    wanted = (new.until, new.note)
    return (done.until, done.note) == wanted and new.mode in (None, done.mode)
