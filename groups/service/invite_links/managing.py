"""Invite links as those see them who manage members: made, changed, revoked, listed.

Promises:
    Unguessable: a code has 144 random bits, and is nowhere but with the link and in what those who manage it see.
    Exact: the limit of open links holds under any race, since each change of a link writes the group's document.
    Bounded: a group keeps as many ended links as it may have open ones; a further one makes room for itself.

Joins by a link are counted in the group's membership queue (`groups.service.membership`), which writes the group too.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from groups import policy
from groups.errors import InviteLinkEnded, InviteLinkLimitReached, InviteLinkNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.limits import GroupLimits
from groups.models import AdminAct, AdminAction, Group, InviteLink, InviteLinkState
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.idempotency import Idempotency, keyed_call
from groups.service.write_locks import group_lock
from groups.store.groups import GroupStore
from groups.store.invite_links import InviteLinkStore

CODE_BYTES: Final = 18  # random; 24 characters of base64, without padding
SHOWN_CHARACTERS: Final = 8
"""Of a code, in the admin log, which also admins read who may not have the link itself."""

LinkFilter = Literal["open", "ended"]


class NewInviteLink(BaseModel):
    """An invite link to make. Its JSON is stored as a digest with an idempotency key."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    expires_at: datetime | None = None
    max_uses: int | None = None
    approval: bool = False


class InviteLinkChanges(NewInviteLink):
    """New values of an invite link; a field that is not set stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InviteLinkService:
    """Manages the invite links of groups."""

    database: Database
    links: InviteLinkStore
    groups: GroupStore
    guard: AccessGuard
    admin_log: AdminLog
    idempotency: Idempotency
    limits: GroupLimits
    clock: Clock

    async def create(
        self, actor: Actor, group_id: GroupId, new: NewInviteLink, *, key: str | None = None
    ) -> InviteLink:
        """Make an invite link; once for each `key`. Raises: InviteLinkLimitReached; InvalidRequest, for the past."""
        call = keyed_call(actor, f"invite link {group_id}", key, new.model_dump_json())

        async def work(tx: Tx) -> InviteLink:
            group = await self._managed(actor, group_id, tx)
            first = await self.idempotency.find_first(call, tx)
            if first is not None:
                return await self._find(group_id, first, tx)
            now = self.clock.now()
            _check_future(new.expires_at, now)
            link = InviteLink(
                code=secrets.token_urlsafe(CODE_BYTES),
                group_id=group_id,
                created_by=actor.user_id,
                created_at=now,
                **new.model_dump(),
            )
            await self._make_room(group_id, now, tx)
            await self.links.put(link, tx)
            await self.idempotency.remember(call, link.code, tx)
            act = _act(actor, AdminAction.INVITE_LINK_CREATED, link, after=_shown(link))
            await self.admin_log.record(tx, group, act)
            return link

        return await self.database.run(work, group_lock(group_id))

    async def change(
        self, actor: Actor, group_id: GroupId, code: str, changes: InviteLinkChanges
    ) -> InviteLink:
        """Change a link, which may open one again that expired or was used up; a revoked one stays revoked.

        Repeating it changes nothing. Raises: InviteLinkNotFound; InviteLinkEnded; InviteLinkLimitReached;
        InvalidRequest, for a new time in the past, or fewer uses than there were.
        """

        async def work(tx: Tx) -> InviteLink:
            group = await self._managed(actor, group_id, tx)
            link = await self._find(group_id, code, tx)
            if link.revoked_at is not None:
                raise InviteLinkEnded(InviteLinkState.REVOKED)
            values = {
                name: value
                for name, value in changes.model_dump(exclude_unset=True).items()
                if getattr(link, name) != value
            }
            if not values:
                return link
            now = self.clock.now()
            _check_future(values.get("expires_at"), now)
            changed = link.model_copy(update=values)
            if changed.max_uses is not None and changed.max_uses < link.uses:
                reason = f"must be at least {link.uses}: so many came in already"
                raise InvalidRequest(errors=[{"field": "max_uses", "reason": reason}])
            was_open = link.state(now) is InviteLinkState.OPEN
            if not was_open and changed.state(now) is InviteLinkState.OPEN:
                self._check_limit(await self.links.list_of_group(group_id, tx), now)
            await self.links.put(changed, tx)
            before = {name: value for name, value in _shown(link).items() if name in values}
            after = {name: value for name, value in _shown(changed).items() if name in values}
            act = _act(actor, AdminAction.INVITE_LINK_CHANGED, link, before=before, after=after)
            await self.admin_log.record(tx, group, act)
            return changed

        return await self.database.run(work, group_lock(group_id))

    async def revoke(self, actor: Actor, group_id: GroupId, code: str) -> None:
        """Revoke a link: nobody joins by it any more. Repeating it changes nothing. Requests that wait stay.

        Raises: InviteLinkNotFound.
        """

        async def work(tx: Tx) -> None:
            group = await self._managed(actor, group_id, tx, is_adding=False)
            link = await self._find(group_id, code, tx)
            if link.revoked_at is not None:
                return
            revoked = link.model_copy(update={"revoked_at": self.clock.now()})
            await self.links.put(revoked, tx)
            act = _act(actor, AdminAction.INVITE_LINK_REVOKED, link, before=_shown(link))
            await self.admin_log.record(tx, group, act)

        await self.database.run(work, group_lock(group_id))

    async def get(self, actor: Actor, group_id: GroupId, code: str) -> InviteLink:
        """One link. Raises: InviteLinkNotFound."""
        policy.check(policy.managing_refusal(await self.guard.access_of(actor, group_id)))
        return _of_group(await self.links.find_link(code), group_id)

    async def list_links(
        self,
        actor: Actor,
        group_id: GroupId,
        *,
        state: LinkFilter | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[InviteLink], str | None]:
        """A page of the group's links, newest first; all, or those in this state.

        Each page reads all links of the group: their number is bounded by a limit.
        """
        policy.check(policy.managing_refusal(await self.guard.access_of(actor, group_id)))
        name = f"invite links {state or ''}"
        key = decode_cursor(name, cursor, int, str)
        now = self.clock.now()
        found = [
            link
            for link in await self.links.list_of_group(group_id)
            if (key is None or _place(link) > key) and _fits(link, state, now)
        ]
        page, has_more = cut_page(found, limit)
        return page, encode_cursor(name, *_place(page[-1])) if has_more else None

    async def _managed(
        self, actor: Actor, group_id: GroupId, tx: Tx, *, is_adding: bool = True
    ) -> Group:
        """The group, if the actor manages its members; its document is written, so that changes have an order."""
        access = await self.guard.access_of(actor, group_id, tx)
        if is_adding:
            policy.check(policy.adding_anything_refusal(access))
        policy.check(policy.managing_refusal(access))
        await self.groups.touch([group_id], tx)
        return access.group

    async def _find(self, group_id: GroupId, code: str, tx: Tx) -> InviteLink:
        return _of_group(await self.links.find_link(code, tx), group_id)

    async def _make_room(self, group_id: GroupId, now: datetime, tx: Tx) -> None:
        """Check the limit for one more open link, and delete the oldest ended links that are too many."""
        links = await self.links.list_of_group(group_id, tx)
        self._check_limit(links, now)
        ended = [link.code for link in links if link.state(now) is not InviteLinkState.OPEN]
        too_many = ended[self.limits.invite_links :]
        if too_many:
            await self.links.delete_links(too_many, tx)

    def _check_limit(self, links: Sequence[InviteLink], now: datetime) -> None:
        limit = self.limits.invite_links
        if sum(link.state(now) is InviteLinkState.OPEN for link in links) >= limit:
            raise InviteLinkLimitReached(limit=limit)


def _of_group(link: InviteLink | None, group_id: GroupId) -> InviteLink:
    if link is None or link.group_id != group_id:
        raise InviteLinkNotFound
    return link


def _check_future(at: datetime | None, now: datetime) -> None:
    if at is not None and at <= now:
        raise InvalidRequest(errors=[{"field": "expires_at", "reason": "must be in the future"}])


def _fits(link: InviteLink, state: LinkFilter | None, now: datetime) -> bool:
    return state is None or (link.state(now) is InviteLinkState.OPEN) == (state == "open")


def _place(link: InviteLink) -> tuple[int, str]:
    """The sort key of the list: newest first, then by code."""
    return -round(link.created_at.timestamp() * 1000), link.code


def _shown(link: InviteLink) -> dict[str, object]:
    """The values of a link in the admin log: never its code."""
    return {
        "name": link.name,
        "expires_at": rfc3339(link.expires_at) if link.expires_at else None,
        "max_uses": link.max_uses,
        "approval": link.approval,
    }


def _act(
    actor: Actor,
    action: AdminAction,
    link: InviteLink,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AdminAct:
    return AdminAct(actor, action, link.code[:SHOWN_CHARACTERS], before or {}, after or {})
