"""`channels export` and `channels import`, without the parsing of flags and the connection to the database."""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.limits import Limits
from channels.moving.archive import ArchiveReader, ArchiveWriter
from channels.moving.errors import MovingRefused
from channels.moving.foreign.telegram import TelegramExport, is_telegram
from channels.moving.foreign.whatsapp import WhatsAppExport, WhatsAppFolder, is_whatsapp
from channels.moving.foreign.writer import ForeignArchive
from channels.moving.report import Report
from channels.moving.service.checking import Checked, Checker
from channels.moving.service.exporting import ExportService
from channels.moving.service.importing import ImportService
from groups.kernel.ids import GROUP_ID_BYTES, GroupId, UserId, is_id, is_user_id
from groups.models import CHANNEL_PREFIX, expand_channel_id

_WORDS: Final = {
    "member": "subscribers, the owner and admins included",
    "restriction": "users with bans or mutes",
    "post": "posts, deleted ones included",
    "reaction": "reactions to posts",
    "vote": "votes in polls",
    "comment": "comments, deleted ones included",
    "comment_reaction": "reactions to comments",
    "draft": "drafts and scheduled posts",
    "canned_reply": "canned replies",
    "press": "presses of buttons",
    "acknowledgement": "acknowledgements",
    "menu": "menu",
    "form": "forms",
    "automatic_message": "automatic messages: greeting, answers, opening hours",
    "greeted": "users who were greeted",
    "broadcast_opt_out": "users who want no broadcasts",
}
"""The names of lines in the report, by their type; others have the name of their type."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that the person at the terminal gave."""

    source: Path
    channel_id: str | None = None
    owner: str | None = None
    is_dry: bool = False
    time_zone: str | None = None


async def run_export(
    service: ExportService, channel: str, target: Path, *, with_members: bool
) -> list[str]:
    """Export the channel; returns the lines to print. Raises: MovingRefused."""
    channel_id = expand_channel_id(channel)
    if not is_id(channel_id, GROUP_ID_BYTES):
        raise MovingRefused("channel_not_found", f"There is no channel {channel!r}.")
    exported = await service.export(channel_id, target, with_members=with_members)
    report = Report("an export of channels", title="In the file:")
    _count(report, exported.counts)
    report.take("uploads", exported.uploads)
    return [f"Wrote {channel_id} to {target}.", *report.lines()]


async def run_import(service: ImportService, wanted: Wanted, limits: Limits) -> list[str]:
    """Import the file, or with `is_dry` only report; returns the lines to print. Raises: MovingRefused."""
    source = wanted.source
    if not source.exists():
        raise MovingRefused("not_an_export", f"There is no file {source}.")
    if wanted.owner is not None and not is_user_id(wanted.owner):
        raise MovingRefused("no_owner", f"{wanted.owner!r} is no user id.")
    owner = UserId(wanted.owner) if wanted.owner is not None else None
    with ExitStack() as stack:
        report, is_foreign = Report("an export of channels"), False
        converter = _foreign(source, wanted, stack)
        if converter is not None:
            is_foreign = True
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="channels-import-"))
            )
            source = await _convert(service, wanted, limits, converter, folder)
            report = converter.report
        archive = stack.enter_context(ArchiveReader(source))
        checked = Checker(archive, limits).check()
        channel_id = _channel_id(wanted, checked)
        if owner is None and checked.owner_id is None:
            raise MovingRefused("no_owner", "The file names no owner. Name one with --owner.")
        # A dry run of a foreign export needs no id.
        if not (wanted.is_dry and is_foreign and wanted.channel_id is None):
            await _check_free(service, channel_id)
        if wanted.is_dry:
            if not is_foreign:
                _count(report, checked.counts)
                report.take("uploads", len(checked.media))
                return [f"Would import {channel_id}. Nothing was written.", *report.lines()]
            return ["Nothing was written.", *report.lines()]
        imported = await service.run(archive, checked, channel_id, owner, is_foreign=is_foreign)
    if not is_foreign:
        for reason, number in imported.left_out.items():
            report.leave("subscribers", reason, "", number)
            imported.counts["member"] -= number
        _count(report, imported.counts)
        report.take("uploads", imported.uploads)
    return [f"Imported {channel_id}.", *report.lines()]


@dataclass(slots=True)
class _Converter:
    """A foreign export, and the report of its conversion."""

    export: TelegramExport | WhatsAppExport
    report: Report


def _foreign(source: Path, wanted: Wanted, stack: ExitStack) -> _Converter | None:
    """The export of another program; None for one of ours."""
    zone = _zone(wanted.time_zone)
    if is_telegram(source):
        return _Converter(TelegramExport(source, zone), Report("Telegram"))
    if is_whatsapp(source):
        folder = WhatsAppFolder(source, stack)
        return _Converter(WhatsAppExport(folder, zone), Report("WhatsApp"))
    if source.is_dir():
        raise MovingRefused("not_an_export", f"{source} holds no export that is known.")
    return None


async def _convert(
    service: ImportService, wanted: Wanted, limits: Limits, converter: _Converter, folder: Path
) -> Path:
    """Make an archive of the foreign export in the folder."""
    if not wanted.is_dry and (wanted.channel_id is None or wanted.owner is None):
        raise MovingRefused(
            "no_owner", "Name the new channel with --as ID, and its owner with --owner USER."
        )
    target = folder / "channel.zip"
    with ArchiveWriter(target) as archive:
        foreign = ForeignArchive(
            archive=archive,
            folder=folder,
            report=converter.report,
            limits=limits,
            images=service.media.image_workers,
            channel_id=_new_id(wanted.channel_id or "new"),
            owner_id=UserId(wanted.owner or "owner"),
        )
        await converter.export.convert(foreign)
    return target


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise MovingRefused("bad_line", f"There is no time zone {name!r}.") from error


async def _check_free(service: ImportService, channel_id: GroupId) -> None:
    if not await service.is_free(channel_id):
        raise MovingRefused(
            "channel_exists",
            f"{channel_id} exists. Import under another id with --as, or delete the channel before.",
        )


def _count(report: Report, counts: dict[str, int]) -> None:
    for kind, number in counts.items():
        if kind not in {"header", "channel", "end"}:
            report.take(_WORDS.get(kind, f"lines of type {kind}"), number)


def _channel_id(wanted: Wanted, checked: Checked) -> GroupId:
    return checked.channel.channel_id if wanted.channel_id is None else _new_id(wanted.channel_id)


def _new_id(named: str) -> GroupId:
    channel_id = expand_channel_id(named)
    is_channel = channel_id.startswith(CHANNEL_PREFIX) and channel_id != CHANNEL_PREFIX
    if not is_channel or "," in channel_id or not is_id(channel_id, GROUP_ID_BYTES):
        raise MovingRefused("bad_line", f"{named!r} cannot be a channel's id.")
    return channel_id
