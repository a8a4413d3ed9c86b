"""Builds delivery reports: what counts first, since hooks and pushes call it; then what reads."""

from dataclasses import dataclass
from typing import Final

from channels.post_reports.service import (
    FigureCleanup,
    PushFigures,
    ReportService,
    SocketCounter,
)
from channels.post_reports.store import PostFigureStore
from channels.service.guard import ChannelGuard
from groups.kernel.mongo import Database, Index
from groups.service.access.guard import AccessGuard

REPORT_INDEXES: Final[tuple[Index, ...]] = PostFigureStore.INDEXES


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportCore:
    """What counts."""

    store: PostFigureStore
    sockets: SocketCounter
    pushes: PushFigures
    cleanup: FigureCleanup


@dataclass(frozen=True, kw_only=True, slots=True)
class Reports:
    """The services of delivery reports on one database."""

    sockets: SocketCounter
    reports: ReportService


def build_core(database: Database) -> ReportCore:
    """Build what counts."""
    store = PostFigureStore(database)
    return ReportCore(
        store=store,
        sockets=SocketCounter(database=database, figures=store),
        pushes=PushFigures(figures=store),
        cleanup=FigureCleanup(figures=store),
    )


def assemble(core: ReportCore, channel: ChannelGuard, guard: AccessGuard) -> Reports:
    """Build what reads."""
    return Reports(
        sockets=core.sockets,
        reports=ReportService(
            figures=core.store, sockets=core.sockets, channel=channel, guard=guard
        ),
    )
