"""Forms: written by the owner, and admins who may change the settings; read and answered by users of the channel."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from channels.errors import ChannelNotFound
from channels.limits import ChannelLimits
from channels.self_service.forms import policy
from channels.self_service.forms.errors import FormLimitReached, FormNotFound
from channels.self_service.forms.models import Form, FormContent
from channels.self_service.forms.store import FormStore
from channels.service.guard import ChannelGuard
from conversations.models import ConversationId, Dialogue, DialogueMessage, group_of
from conversations.service.dialogues import DialogueService
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.models import AdminAct, AdminAction, Content, Grant, Group, Kind
from groups.policy import grant_refusal
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.write_locks import group_lock

CLEANUP_STEP: Final = 1_000  # documents a transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class FormService:
    """The forms of channels. The admin log records each change, by the name of the form."""

    database: Database
    forms: FormStore
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]]
    channel: ChannelGuard
    guard: AccessGuard
    dialogues: DialogueService
    admin_log: AdminLog
    limits: ChannelLimits
    clock: Clock

    async def list_forms(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Form], str | None]:
        """A page of the channel's forms, by name, for all who see the channel. Raises: BadCursor."""
        async with self.channel(channel_id):
            await self.guard.access_of(actor, channel_id)
        read = partial(self.forms.list_after, channel_id)
        return await page_by_text("forms", cursor, limit, read, lambda one: one.name)

    async def get(self, actor: Actor, channel_id: GroupId, name: str) -> Form:
        """A form, for all who see the channel. Raises: FormNotFound."""
        async with self.channel(channel_id):
            await self.guard.access_of(actor, channel_id)
        form = await self.forms.find(channel_id, name)
        if form is None:
            raise FormNotFound
        return form

    async def put(self, actor: Actor, channel_id: GroupId, name: str, content: FormContent) -> Form:
        """Store a form under this name, in place of an earlier one; repeating it changes nothing.

        Raises: PermissionRefused; InvalidRequest, for too many fields or options; FormLimitReached, for a new name.
        """
        self._check_bounds(content)

        async def work(tx: Tx) -> Form:
            group = await self._group(actor, channel_id, tx)
            known = await self.forms.find(channel_id, name, tx)
            if known is not None and known.content == content:
                return known
            if known is None:
                await self._check_limit(channel_id, tx)
            form = Form(
                channel_id=channel_id,
                name=name,
                content=content,
                changed_at=self.clock.now(),
                changed_by=actor.user_id,
            )
            await self.forms.put(form, tx)
            before = known.content.title if known is not None else None
            await self._record(actor, group, name, before, content.title, tx)
            return form

        async with self.channel(channel_id):
            return await self.database.run(work, group_lock(channel_id))

    async def delete(self, actor: Actor, channel_id: GroupId, name: str) -> None:
        """Delete a form; its answers stay. Raises: PermissionRefused, FormNotFound."""

        async def work(tx: Tx) -> None:
            group = await self._group(actor, channel_id, tx)
            known = await self.forms.find(channel_id, name, tx)
            if known is None or not await self.forms.delete(channel_id, name, tx):
                raise FormNotFound
            await self._record(actor, group, name, known.content.title, None, tx)

        async with self.channel(channel_id):
            await self.database.run(work, group_lock(channel_id))

    async def answer(
        self,
        actor: Actor,
        channel_id: GroupId,
        name: str,
        given: Mapping[str, policy.AnswerValue],
        *,
        key: str | None = None,
    ) -> tuple[DialogueMessage, Form]:
        """Send the answer as the actor's message to the channel; with a `key`, a repeat returns the first one.

        Publishes: DialoguePosted, which back ends receive as `form.answered` too. Raises: FormNotFound; BadFormAnswer;
        what refuses the actor's messages to the channel.
        """
        form = await self.get(actor, channel_id, name)
        content = Content(kind=Kind.FORM_ANSWER, form_answer=policy.checked_answer(form, given))
        sent = await self.dialogues.post(
            actor, Dialogue(actor.user_id, channel_id), content, key=key
        )
        return sent, form

    async def _group(self, actor: Actor, channel_id: GroupId, tx: Tx) -> Group:
        """The channel's group, if the actor may change its settings."""
        access = await self.guard.access_of(actor, channel_id, tx)
        refusal = grant_refusal(access, Grant.CHANGE_SETTINGS)
        if refusal is not None:
            raise refusal
        return access.group

    def _check_bounds(self, content: FormContent) -> None:
        if len(content.fields) > self.limits.form_fields:
            reason = f"at most {self.limits.form_fields} fields a form"
            raise InvalidRequest(reason, errors=[{"field": "fields", "reason": reason}])
        for place, field in enumerate(content.fields):
            if len(field.options) > self.limits.form_options:
                reason = f"at most {self.limits.form_options} options a field"
                at = f"fields.{place}.options"
                raise InvalidRequest(reason, errors=[{"field": at, "reason": reason}])

    async def _check_limit(self, channel_id: GroupId, tx: Tx) -> None:
        if not await self.touch_channel(channel_id, tx):
            raise ChannelNotFound
        limit = self.limits.forms
        if await self.forms.count(channel_id, limit, tx) >= limit:
            raise FormLimitReached(limit=limit)

    async def _record(
        self,
        actor: Actor,
        group: Group,
        name: str,
        before: str | None,
        after: str | None,
        tx: Tx,
    ) -> None:
        act = AdminAct(actor, AdminAction.SETTINGS_CHANGED, name, {"form": before}, {"form": after})
        await self.admin_log.record(tx, group, act)


@dataclass(frozen=True, slots=True)
class FormCleanup:
    """Deletes the forms of a channel whose stream has ended (a hook of `groups`)."""

    forms: FormStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        return await self.forms.delete_some(channel_id, CLEANUP_STEP, tx)
