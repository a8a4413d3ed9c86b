"""Builds group chat on a database in two steps, so that everything is complete when it is constructed.

`build_core` builds what calls no hook. Higher packages build their hooks from it. `assemble` takes all hooks at once
and builds the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from groups.kernel.background import PeriodicTask
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.limits import GroupLimits
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.access.membership_reader import MembershipReader
from groups.service.accounts import Accounts
from groups.service.admin_log import AdminLog
from groups.service.hooks import Hooks
from groups.service.idempotency import Idempotency
from groups.service.invite_links.joining import InvitedService
from groups.service.invite_links.managing import InviteLinkService
from groups.service.lifecycle.cleanup import CleanupService, DisbandService
from groups.service.lifecycle.create import CreateService
from groups.service.lifecycle.directory import Directory
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import UpdateService
from groups.service.media.avatars import Avatars
from groups.service.media.service import MediaService
from groups.service.media.upload_files import UploadFiles
from groups.service.membership.agreement import Agreement
from groups.service.membership.batch import MembershipBatch
from groups.service.membership.bulk_import import BulkImport
from groups.service.membership.import_service import ImportService
from groups.service.membership.invitations import InvitationService
from groups.service.membership.join_requests import JoinRequestService
from groups.service.membership.queue import build_queue
from groups.service.membership.search import MemberSearch
from groups.service.membership.service import MembershipService
from groups.service.membership.sync import ChangeReader, DepartureLog
from groups.service.messages.draft_content import DraftContent
from groups.service.messages.edits import EditService
from groups.service.messages.forwarding import ForwardService
from groups.service.messages.many_streams import ManyStreams
from groups.service.messages.page_reader import PageReader
from groups.service.messages.pins import PinService
from groups.service.messages.retention import RetentionService, retention_task
from groups.service.messages.search_indexing import SearchIndexing
from groups.service.messages.service import MessageService
from groups.service.messages.stream import StreamService
from groups.service.messages.stream_changes import StreamChanges
from groups.service.messages.view_counts import ViewCounts
from groups.service.moderation.restrictions import UserRestrictions
from groups.service.moderation.suspensions import Suspensions
from groups.service.revocations import Revocations
from groups.service.stores import GroupStores
from groups.service.users import UserService
from groups.store import INDEXES
from groups.store.admin_log import AdminLogStore
from groups.store.idempotency import IdempotencyStore

GROUP_INDEXES: Final[tuple[Index, ...]] = INDEXES


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupCore:
    """The services of group chat that call no hook. Hooks of higher packages are built from them."""

    database: Database
    limits: GroupLimits
    clock: Clock
    on_batch: OnBatch | None
    stores: GroupStores
    guard: AccessGuard
    admin_log: AdminLog
    bulk_access: BulkAccess
    membership_reader: MembershipReader
    changes: ChangeReader
    departures: DepartureLog
    groups: GroupReader
    creation: CreateService
    updates: UpdateService
    edits: EditService
    pins: PinService
    draft_content: DraftContent
    idempotency: Idempotency
    streams: StreamService
    many_streams: ManyStreams
    indexing: SearchIndexing
    directory: Directory
    users: UserService
    accounts: Accounts
    restrictions: UserRestrictions
    suspensions: Suspensions
    revocations: Revocations
    media: MediaService
    view_counts: ViewCounts


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupChat(GroupCore):
    """The services of group chat on one database."""

    disbanding: DisbandService
    membership: MembershipService
    invitations: InvitationService
    requests: JoinRequestService
    invite_links: InviteLinkService
    invited: InvitedService
    imports: ImportService
    messages: MessageService
    forwards: ForwardService
    cleanup: CleanupService
    retention: RetentionService
    retention_task: PeriodicTask

    async def close(self) -> None:
        """Wait for submitted writes, and stop the background work, which the next start resumes."""
        await self.membership.close()
        await self.messages.close()
        await self.media.stop()
        await self.revocations.close()
        await self.accounts.close()
        await self.cleanup.stop()
        await self.retention_task.stop()


def build_core(
    database: Database,
    limits: GroupLimits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
    disks: Sequence[Path] = (),
) -> GroupCore:
    """Build what needs no hook. `on_batch` is called with every group-commit batch, also of `assemble`.

    `disks` are directories whose disks uploads must not fill, besides the disk of the temporary files.
    """
    stores = GroupStores.of(database)
    groups, members, streams = stores.groups, stores.members, stores.streams
    avatars = Avatars(stores.media)
    guard = AccessGuard(
        database=database,
        groups=groups,
        members=members,
        restrictions=stores.restrictions,
        messages=stores.messages,
        clock=clock,
    )
    admin_log = AdminLog(entries=AdminLogStore(database), guard=guard, clock=clock)
    idempotency = Idempotency(store=IdempotencyStore(database), clock=clock)
    changes = StreamChanges(streams=streams, limits=limits)
    stream_service = StreamService(
        database=database,
        streams=streams,
        messages=stores.messages,
        media=stores.media,
        changes=changes,
        limits=limits,
        clock=clock,
    )
    accounts = Accounts(
        database=database, users=stores.users, members=members, groups=groups, clock=clock
    )
    reader = GroupReader(groups=groups, members=members, streams=streams, guard=guard)
    return GroupCore(
        database=database,
        limits=limits,
        clock=clock,
        on_batch=on_batch,
        stores=stores,
        guard=guard,
        admin_log=admin_log,
        bulk_access=BulkAccess(
            database=database,
            groups=groups,
            members=members,
            restrictions=stores.restrictions,
            clock=clock,
        ),
        membership_reader=MembershipReader(members=members, streams=streams, groups=groups),
        changes=ChangeReader(changes=stores.changes),
        departures=DepartureLog(changes=stores.changes, groups=groups, limits=limits),
        groups=reader,
        creation=CreateService(
            database=database,
            groups=groups,
            members=members,
            streams=streams,
            restrictions=stores.restrictions,
            users=stores.users,
            guard=guard,
            accounts=accounts,
            avatars=avatars,
            admin_log=admin_log,
            idempotency=idempotency,
            limits=limits,
            clock=clock,
        ),
        updates=UpdateService(
            database=database,
            groups=groups,
            streams=streams,
            guard=guard,
            avatars=avatars,
            admin_log=admin_log,
            limits=limits,
            clock=clock,
        ),
        edits=EditService(
            streams=stream_service, guard=guard, admin_log=admin_log, limits=limits, clock=clock
        ),
        pins=PinService(
            database=database,
            streams=streams,
            changes=changes,
            messages=stores.messages,
            guard=guard,
            admin_log=admin_log,
            limits=limits,
            clock=clock,
        ),
        draft_content=DraftContent(media=stores.media, guard=guard, limits=limits, clock=clock),
        idempotency=idempotency,
        streams=stream_service,
        many_streams=ManyStreams(search=stores.message_search, messages=stores.messages),
        indexing=SearchIndexing(database=database, store=stores.message_search),
        directory=Directory(groups=groups, members=members, streams=streams, reader=reader),
        users=UserService(
            database=database,
            users=stores.users,
            avatars=avatars,
            accounts=accounts,
            restrictions=stores.restrictions,
            clock=clock,
        ),
        accounts=accounts,
        restrictions=UserRestrictions(
            database=database,
            store=stores.restrictions,
            users=stores.users,
            admin_log=admin_log,
            clock=clock,
        ),
        suspensions=Suspensions(
            database=database,
            groups=groups,
            streams=streams,
            guard=guard,
            admin_log=admin_log,
            clock=clock,
        ),
        revocations=Revocations(database=database, users=stores.users, clock=clock),
        media=MediaService(
            database, stores.media, UploadFiles(disks), limits, clock, on_batch=on_batch
        ),
        view_counts=ViewCounts(messages=stores.messages),
    )


def assemble(core: GroupCore, hooks: Hooks) -> GroupChat:
    """Build the services that call hooks, and return all services of group chat."""
    stores, database, limits, clock = core.stores, core.database, core.limits, core.clock
    queue = build_queue(
        database,
        MembershipBatch(
            database=database,
            stores=stores,
            admin_log=core.admin_log,
            accounts=core.accounts,
            hooks=hooks,
            limits=limits,
            clock=clock,
        ),
        BulkImport(
            database=database,
            stores=stores,
            admin_log=core.admin_log,
            accounts=core.accounts,
            hooks=hooks,
            limits=limits,
            clock=clock,
        ),
        on_batch=core.on_batch,
    )
    cleanup = CleanupService(
        database=database,
        stores=stores,
        streams=core.streams,
        admin_log=core.admin_log,
        hooks=hooks,
        limits=limits,
    )
    streams = replace(
        core.streams,
        reactions_closed=hooks.reactions_closed,
        recalled=hooks.recalled,
        before_post=hooks.before_post,
    )
    messages = MessageService(
        database=database,
        messages=stores.messages,
        streams=streams,
        guard=core.guard,
        bulk_access=core.bulk_access,
        page_reader=PageReader(
            database=database,
            groups=stores.groups,
            members=stores.members,
            messages=stores.messages,
            streams=stores.streams,
            hooks=hooks,
        ),
        agreement=Agreement(members=stores.members, users=stores.users, limits=limits),
        hooks=hooks,
        limits=limits,
        on_batch=core.on_batch,
    )
    invitations = InvitationService(
        invitations=stores.invitations,
        groups=stores.groups,
        guard=core.guard,
        queue=queue,
        hooks=hooks,
        limits=limits,
        clock=clock,
    )
    hooked = {
        "users": replace(core.users, known_owners=hooks.known_owners),
        "streams": streams,
        "edits": replace(core.edits, streams=streams),
        "revocations": replace(core.revocations, hooks=hooks.tokens_revoked),
        "pins": replace(core.pins, reactions_closed=hooks.reactions_closed),
    }
    retention = RetentionService(
        database=database,
        groups=stores.groups,
        streams=stores.streams,
        messages=stores.messages,
        media=stores.media,
        hooks=hooks,
        limits=limits,
        clock=clock,
    )
    return GroupChat(
        **{each.name: getattr(core, each.name) for each in fields(core)} | hooked,
        disbanding=DisbandService(
            database=database,
            groups=stores.groups,
            streams=stores.streams,
            guard=core.guard,
            avatars=Avatars(stores.media),
            invitations=invitations,
            cleanup=cleanup,
            hooks=hooks,
            clock=clock,
        ),
        membership=MembershipService(
            members=stores.members,
            restrictions=stores.restrictions,
            requests=stores.requests,
            search=MemberSearch(members=stores.members, users=stores.users),
            guard=core.guard,
            queue=queue,
        ),
        invitations=invitations,
        requests=JoinRequestService(
            requests=stores.requests,
            links=stores.invite_links,
            groups=stores.groups,
            guard=core.guard,
            queue=queue,
        ),
        invite_links=InviteLinkService(
            database=database,
            links=stores.invite_links,
            groups=stores.groups,
            guard=core.guard,
            admin_log=core.admin_log,
            idempotency=core.idempotency,
            limits=limits,
            clock=clock,
        ),
        invited=InvitedService(database=database, stores=stores, queue=queue, clock=clock),
        imports=ImportService(guard=core.guard, queue=queue, admin_log=core.admin_log),
        messages=messages,
        forwards=ForwardService(
            messages=messages,
            media=stores.media,
            guard=core.guard,
            hooks=hooks,
            clock=core.clock,
        ),
        cleanup=cleanup,
        retention=retention,
        retention_task=retention_task(retention),
    )
