"""Builds the services that move channels, on services of a deployment that need not be started."""

from channels.limits import Limits
from channels.moving.service.exporting import ExportService
from channels.moving.service.importing import ImportService
from channels.moving.store.writing import ImportStore
from channels.self_service.automatic_messages.service import AutomaticMessageService
from channels.service.channels import ChannelService
from groups.kernel.mongo import Database, Tx
from groups.wiring import GroupChat


def build_export(database: Database, chat: GroupChat) -> ExportService:
    """Build the export of channels."""
    return ExportService(database=database, media=chat.media)


def build_import(
    database: Database,
    chat: GroupChat,
    channels: ChannelService,
    automatic: AutomaticMessageService,
    limits: Limits,
) -> ImportService:
    """Build the import of channels."""

    async def count_channel(tx: Tx) -> bool:
        return await channels.store.count(1, limits.channels, tx)

    return ImportService(
        database=database,
        stores=chat.cleanup.stores,
        cleanup=chat.cleanup,
        media=chat.media,
        accounts=chat.accounts,
        admin_log=chat.admin_log,
        store=ImportStore(database),
        count_channel=count_channel,
        insert_profile=channels.store.insert,
        follow_automatic_messages=automatic.follow,
        limits=limits,
    )
