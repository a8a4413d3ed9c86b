"""Builds group chat on a database: its stores stay inside, its services come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from groups.kernel.clock import Clock
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.limits import GroupLimits
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.access.membership_reader import MembershipReader
from groups.service.admin_log import AdminLog
from groups.service.hooks import Hooks
from groups.service.idempotency import Idempotency
from groups.service.lifecycle.cleanup import CleanupService
from groups.service.lifecycle.create import CreateService
from groups.service.lifecycle.directory import Directory
from groups.service.lifecycle.disband import DisbandService
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import UpdateService
from groups.service.media.avatars import Avatars
from groups.service.media.service import MediaService
from groups.service.media.upload_files import UploadFiles
from groups.service.membership.batch import MembershipBatch
from groups.service.membership.bulk_import import BulkImport
from groups.service.membership.import_service import ImportService
from groups.service.membership.invitations import InvitationService
from groups.service.membership.queue import MembershipQueue
from groups.service.membership.service import MembershipService
from groups.service.membership.sync import ChangeReader
from groups.service.messages.draft_content import DraftContent
from groups.service.messages.edits import EditService
from groups.service.messages.forwarding import ForwardService
from groups.service.messages.page_reader import PageReader
from groups.service.messages.pins import PinService
from groups.service.messages.service import MessageService
from groups.service.messages.stream import StreamService
from groups.service.messages.stream_rates import StreamRates
from groups.service.messages.view_counts import ViewCounts
from groups.service.revocations import Revocations
from groups.service.users import UserService
from groups.store import INDEXES
from groups.store.admin_log import AdminLogStore
from groups.store.bulk_import import BulkImportStore
from groups.store.changes import ChangeStore
from groups.store.groups import GroupStore
from groups.store.idempotency import IdempotencyStore
from groups.store.invitations import InvitationStore
from groups.store.join_requests import JoinRequestStore
from groups.store.media import MediaStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore
from groups.store.users import UserStore

GROUP_INDEXES: Final[tuple[Index, ...]] = INDEXES


@dataclass(frozen=True, slots=True)
class GroupChat:
    """The services of group chat on one database, and the hooks through which higher packages join in."""

    hooks: Hooks
    guard: AccessGuard
    admin_log: AdminLog
    lookup: BulkAccess
    memberships: MembershipReader
    changes: ChangeReader
    groups: GroupReader
    founding: CreateService
    updating: UpdateService
    disbanding: DisbandService
    membership: MembershipService
    invitations: InvitationService
    imports: ImportService
    messages: MessageService
    message_changes: EditService
    forwards: ForwardService
    curation: PinService
    keeping: DraftContent
    repeats: Idempotency
    streams: StreamService
    directory: Directory
    users: UserService
    revocations: Revocations
    media: MediaService
    views: ViewCounts
    clearing: CleanupService

    async def close(self) -> None:
        """Let every submitted write end, and stop the background work, which the next start resumes."""
        await self.membership.close()
        await self.messages.close()
        await self.media.stop()
        await self.revocations.close()
        await self.clearing.stop()


def assemble(
    database: Database,
    limits: GroupLimits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
    disks: Sequence[Path] = (),
) -> GroupChat:
    """Group chat on this database; `on_batch` hears of every group-commit batch.

    `disks` are the places whose disks must not be filled by uploads, besides the temporary files' own.
    """
    groups, members = GroupStore(database), MemberStore(database)
    restrictions, requests = RestrictionStore(database), JoinRequestStore(database)
    stream_store, messages = StreamStore(database), MessageStore(database)
    users = UserStore(database)
    media, invitations = MediaStore(database), InvitationStore(database)
    faces, changes = Avatars(media), ChangeStore(database)
    hooks = Hooks()
    guard = AccessGuard(groups, members, restrictions, messages)
    admin_log = AdminLog(database, AdminLogStore(database), guard, clock)
    lane = MembershipQueue(
        database,
        MembershipBatch(
            database,
            groups,
            members,
            restrictions,
            requests,
            stream_store,
            users,
            invitations,
            admin_log,
            changes,
            hooks,
            limits,
            clock,
        ),
        BulkImport(
            database,
            groups,
            stream_store,
            BulkImportStore(database),
            admin_log,
            hooks,
            limits,
            clock,
        ),
        on_batch=on_batch,
    )
    clearing = CleanupService(
        database,
        groups,
        members,
        restrictions,
        requests,
        messages,
        media,
        invitations,
        admin_log,
        changes,
        hooks,
        limits,
        clock,
    )
    repeats = Idempotency(IdempotencyStore(database), clock)
    rates = StreamRates(streams=stream_store, limits=limits)
    streams = StreamService(
        database=database,
        streams=stream_store,
        messages=messages,
        media=media,
        rates=rates,
        limits=limits,
        clock=clock,
    )
    posting = MessageService(
        database,
        groups,
        members,
        restrictions,
        messages,
        stream_store,
        streams,
        guard,
        PageReader(database, groups, members, messages, hooks),
        hooks,
        limits,
        on_batch=on_batch,
    )
    inviting = InvitationService(invitations, groups, guard, lane, limits, clock)
    hooks.disbanded.append(inviting.on_disbanded)
    return GroupChat(
        hooks=hooks,
        guard=guard,
        admin_log=admin_log,
        lookup=BulkAccess(database, groups, members, restrictions),
        memberships=MembershipReader(members, stream_store, groups),
        changes=ChangeReader(changes),
        groups=GroupReader(groups, members, stream_store, guard),
        founding=CreateService(
            database,
            groups,
            members,
            stream_store,
            users,
            guard,
            faces,
            admin_log,
            repeats,
            limits,
            clock,
        ),
        updating=UpdateService(
            database, groups, stream_store, guard, faces, admin_log, limits, clock
        ),
        disbanding=DisbandService(
            database, groups, stream_store, guard, faces, clearing, hooks, clock
        ),
        membership=MembershipService(members, restrictions, requests, guard, lane),
        invitations=inviting,
        imports=ImportService(guard, lane, admin_log),
        messages=posting,
        message_changes=EditService(
            streams=streams, guard=guard, admin_log=admin_log, limits=limits, clock=clock
        ),
        forwards=ForwardService(messages=posting, media=media, guard=guard, hooks=hooks),
        curation=PinService(
            database=database,
            streams=stream_store,
            rates=rates,
            messages=messages,
            guard=guard,
            admin_log=admin_log,
            limits=limits,
            clock=clock,
        ),
        keeping=DraftContent(media=media, guard=guard, limits=limits, clock=clock),
        repeats=repeats,
        streams=streams,
        directory=Directory(groups, members, stream_store),
        users=UserService(database, users, faces, clock),
        revocations=Revocations(database, users, clock),
        media=MediaService(database, media, UploadFiles(disks), limits, clock, on_batch=on_batch),
        views=ViewCounts(messages=messages),
        clearing=clearing,
    )
