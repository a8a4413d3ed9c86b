"""Reads and resolves cases.

A resolution and its act are one transaction: either the channel is suspended, the user restricted or the message
deleted and the case resolved, or nothing happened. Two admins who resolve one case write the same document, so one of
them runs again and finds it resolved. A report at the same moment does too, and opens a new case.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from channels.comments.errors import CommentNotFound
from channels.comments.models import PostPlace
from channels.comments.service.comments import CommentService
from channels.errors import ChannelNotFound
from channels.reports import policy
from channels.reports.errors import ReportActionNotPossible, ReportNotFound, ReportResolved
from channels.reports.limits import RESOLVED_DAYS, TEXTS_SHOWN
from channels.reports.models import (
    Case,
    CaseAction,
    CaseState,
    NewResolution,
    Resolution,
    TargetType,
)
from channels.reports.service.clearing import ReportClearing
from channels.reports.store import CaseStore, ReportStore
from channels.service.guard import ChannelGuard
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, instant_of, milliseconds_since_1970, rfc3339
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.models import AdminAct, AdminAction, SuspensionMode, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.messages.edits import EditService
from groups.service.moderation.restrictions import UserRestrictions
from groups.service.moderation.suspensions import Suspensions
from groups.service.write_locks import group_lock, message_change_locks, message_lock, user_lock

_CURSOR: Final = "reports"
_KEPT: Final = timedelta(days=RESOLVED_DAYS)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseService:
    """Cases, for the application's admins, and those about comments for the staff of their channel."""

    database: Database
    cases: CaseStore
    reports: ReportStore
    clearing: ReportClearing
    channel: ChannelGuard
    guard: AccessGuard
    edits: EditService
    comments: CommentService
    suspensions: Suspensions
    restrictions: UserRestrictions
    admin_log: AdminLog
    clock: Clock

    async def list_cases(
        self,
        actor: Actor,
        state: CaseState,
        target_type: TargetType | None,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Case], str | None]:
        """A page of cases, the newest first, without texts (the application). Raises: PermissionRefused; BadCursor."""
        refusal = policy.cases_refusal(actor)
        if refusal is not None:
            raise refusal
        return await self._page(state, target_type, None, limit, cursor)

    async def list_of_channel(
        self, actor: Actor, channel_id: GroupId, state: CaseState, *, limit: int, cursor: str | None
    ) -> tuple[list[Case], str | None]:
        """A page of the cases about comments in a channel, newest first (owner, admins with `delete_posts`).

        Raises: ChannelNotFound; PermissionRefused; BadCursor.
        """
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
        refusal = policy.channel_cases_refusal(access)
        if refusal is not None:
            raise refusal
        return await self._page(state, TargetType.COMMENT, channel_id, limit, cursor)

    async def _page(
        self,
        state: CaseState,
        target_type: TargetType | None,
        channel_id: GroupId | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Case], str | None]:
        key = decode_cursor(_CURSOR, cursor, int, str)
        after = (instant_of(int(key[0])), str(key[1])) if key else None
        found = await self.cases.list_cases(
            state, target_type=target_type, channel_id=channel_id, after=after, limit=limit + 1
        )
        page, has_more = cut_page(found, limit, json_size)
        if not has_more:
            return page, None
        last = page[-1]
        return page, encode_cursor(_CURSOR, milliseconds_since_1970(last.first_at), last.case_id)

    async def get(self, actor: Actor, case_id: str) -> Case:
        """One case, with its newest texts (the application). Raises: PermissionRefused; ReportNotFound."""
        refusal = policy.cases_refusal(actor)
        if refusal is not None:
            raise refusal
        case = await self._find(case_id)
        if case.state is CaseState.RESOLVED:
            return case  # it keeps them
        texts = await self.reports.list_texts(case_id, TEXTS_SHOWN)
        return case.model_copy(update={"texts": tuple(texts)})

    async def _find(self, case_id: str, tx: Tx | None = None) -> Case:
        case = await self.cases.find(case_id, tx)
        if case is None:
            raise ReportNotFound
        return case

    async def resolve(self, actor: Actor, case_id: str, new: NewResolution) -> Case:
        """Resolve the case by this action. The same admin may repeat it, which changes nothing.

        The application always; owner and admins with `delete_posts` dismiss or delete a comment of their channel.
        Publishes: the events of the action. Raises: PermissionRefused; ReportNotFound; ReportResolved;
        ReportActionNotPossible; InvalidRequest.
        """
        case = await self.cases.find(case_id)
        refusal = await self._resolving_refusal(actor, case, new.action) or policy.fields_refusal(
            new
        )
        if refusal is not None:
            raise refusal
        if case is None:
            raise ReportNotFound

        async def work(tx: Tx) -> Case:
            found = await self._find(case_id, tx)
            if found.state is CaseState.RESOLVED:
                if policy.is_repeat(found, new, actor):
                    return found
                raise ReportResolved
            return await self._resolve(actor, found, new, tx)

        resolved = await self.database.run(work, *_locks_of(case, new.action))
        self.clearing.start(case_id)
        return resolved

    async def _resolving_refusal(
        self, actor: Actor, case: Case | None, action: CaseAction
    ) -> DomainError | None:
        """The same for a case that does not exist as for one that the actor may not see."""
        refusal = policy.cases_refusal(actor)
        if refusal is None or case is None or case.target.channel_id is None:
            return refusal
        try:
            access = await self.guard.access_of(actor, case.target.channel_id)
        except GroupNotFound:
            return refusal
        return policy.resolving_refusal(access, case, action)

    async def _resolve(self, actor: Actor, case: Case, new: NewResolution, tx: Tx) -> Case:
        refusal = policy.action_refusal(case, new.action)
        if refusal is not None:
            raise refusal
        now, action = self.clock.now(), new.action
        mode, user_id = None, None
        match action:
            case CaseAction.DISMISS:
                pass
            case CaseAction.DELETE:
                await self._delete(actor, case, tx)
            case CaseAction.SUSPEND_CHANNEL:
                mode = new.mode or SuspensionMode.READABLE
                await self._suspend(actor, case, mode, new.note, tx)
            case CaseAction.RESTRICT_USER:
                user_id = case.author_id
                assert user_id is not None, "the policy has seen it"
                await self.restrictions.restrict_in(
                    actor, user_id, tx, until=new.until, reason=new.note
                )
            case _ as unreachable:
                assert_never(unreachable)
        resolution = Resolution(
            action=action,
            mode=mode,
            until=new.until,
            note=new.note,
            user_id=user_id,
            at=now,
            by=actor.user_id,
        )
        texts = await self.reports.list_texts(case.case_id, TEXTS_SHOWN, tx)
        resolved = case.model_copy(
            update={
                "state": CaseState.RESOLVED,
                "resolution": resolution,
                "texts": tuple(texts),
            }
        )
        await self.cases.resolve(resolved, now + _KEPT, tx)
        target = case.target.model_dump(mode="json", exclude_none=True)
        after: dict[str, object] = {"action": action.value, "note": new.note, "count": case.count}
        if mode is not None:
            after["mode"] = mode.value
        if new.until is not None:
            after["until"] = rfc3339(new.until)
        act = AdminAct(actor, AdminAction.REPORT_RESOLVED, case.case_id, {"target": target}, after)
        await self.admin_log.record_of_app(tx, act)
        return resolved

    async def _suspend(
        self, actor: Actor, case: Case, mode: SuspensionMode, reason: str, tx: Tx
    ) -> None:
        channel_id = case.target.channel_id
        assert channel_id is not None, "the policy has seen it"
        try:
            await self.suspensions.suspend_in(actor, channel_id, tx, mode=mode, reason=reason)
        except (ChannelNotFound, GroupNotFound):
            raise ReportActionNotPossible("The channel was deleted") from None

    async def _delete(self, actor: Actor, case: Case, tx: Tx) -> None:
        """Delete what was reported; what is gone already stays so."""
        target = case.target
        group_id, seq = target.channel_id or target.group_id, target.seq
        assert group_id is not None, "the policy has seen the seq"
        assert seq is not None, "the policy has seen it"
        try:
            if target.post_seq is not None:
                place = PostPlace(group_id, target.post_seq)
                await self.comments.recall_in(actor, place, seq, tx)
            else:
                await self.edits.recall_in(actor, group_id, seq, tx)
        except (GroupNotFound, MessageNotFound, CommentNotFound):
            return


def _locks_of(case: Case, action: CaseAction) -> list[str]:
    """The locks of the documents that the action writes, in the order of `groups.service.write_locks`."""
    target = case.target
    group_id = target.channel_id or target.group_id
    if action is CaseAction.RESTRICT_USER and case.author_id is not None:
        return [user_lock(case.author_id)]
    if action is CaseAction.SUSPEND_CHANNEL and group_id is not None:
        return [group_lock(group_id)]
    if action is CaseAction.DELETE and group_id is not None and target.seq is not None:
        if target.post_seq is None:
            return [*message_change_locks(stream_of(group_id), target.seq)]
        comments = PostPlace(group_id, target.post_seq).stream_id
        post = message_lock(stream_of(group_id), target.post_seq)
        return [*message_change_locks(comments, target.seq), post]
    return []
