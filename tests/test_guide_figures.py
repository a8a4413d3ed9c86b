"""The figures in the pages about the API and the socket are those of the code."""

from pathlib import Path
from typing import Final

import pytest

from channels.limits import Limits
from channels.routes.importing import BATCH_LINES
from channels.server.limits.load_shedding import DELAY_SECONDS
from channels.server.realtime import client_frames, close_codes, frame_guard, session, socket
from channels.server.tokens import AHEAD_SECONDS
from channels.server.web.streams.uploads import PAUSE_SECONDS
from channels.service.sync_tokens import MARKS
from groups.kernel.endpoint import IDEMPOTENCY_KEY_BYTES
from groups.kernel.ids import RESERVED_USER_IDS, USER_ID_BYTES
from groups.kernel.paging import MAX_PAGE, PAGE_BYTES, PageQuery
from groups.limits import IDS_PER_CALL

GUIDES: Final = Path(__file__).parents[1] / "channels/docs"
KIB: Final = 1024
LIMITS: Final = Limits()
DAY: Final = 86_400

FIGURES: Final = {
    "reference/api.md": [
        f"(1 to {MAX_PAGE}; {PageQuery().limit} if you do not say)",
        f"before {PAGE_BYTES // KIB**2} MiB",
        f"`ids=` with up to {IDS_PER_CALL} ids",
        f"1 to {IDEMPOTENCY_KEY_BYTES} printable ASCII",
        f"| {LIMITS.requests_per_second} a second | 429 |",
        f"| {LIMITS.requests_at_work_per_user}, and {LIMITS.waiting_requests_per_user} wait |",
        f"| {LIMITS.requests_at_work_per_back_end}, and {LIMITS.waiting_requests_per_back_end:,} wait |",
        f"| {LIMITS.posts_per_second} a second | 429 |",
        f"| {LIMITS.stream_bytes_per_second // KIB} KiB a second,",
        f"| {LIMITS.address_requests_per_second:,} a second | 429 |",
        f"at most {LIMITS.request_body_bytes // KIB} KiB",
        f"within {PAUSE_SECONDS:.0f} seconds",
        f"pieces may be {PAUSE_SECONDS:.0f} seconds apart",
        "delayed by half a second" if DELAY_SECONDS == 0.5 else "",
    ],
    "reference/sockets.md": [
        f"| time until `auth` | {socket.AUTH_SECONDS:.0f} seconds |",
        f"within {socket.AUTH_SECONDS:.0f} seconds",
        f"| {frame_guard.FRAMES_PER_SECOND} a second, pings",
        f"| {client_frames.FRAME_BYTES // KIB} KiB; a larger one",
        f"and is {frame_guard.REFUSED_FRAMES} frames further ahead",
        f"of the newest {client_frames.NEWEST_POSTS} posts",
        f"| {client_frames.COUNTED_POSTS}, and {client_frames.COUNTED_IN_ONE} in one conversation |",
        f"text of up to {client_frames.FRAME_ID_CHARACTERS} characters",
        f"watched by one socket | {client_frames.WATCHED_STREAMS}, then",
        f"| {LIMITS.sockets_per_user} on one process",
        f"| {LIMITS.address_sockets:,} on one process",
        f"pings every {socket.HEARTBEAT_SECONDS:.0f} seconds",
        f"While {session.SKIP_BYTES // KIB} KiB wait",
        f"within {session.BEHIND_SECONDS:.0f} seconds, or more than {session.UNREAD_BYTES // KIB**2} MiB waits,"
        f" or more than {session.BEHIND_CONVERSATIONS} conversations",
        f"FINAL = {close_codes.CloseCode.BAD_TOKEN} ",
    ],
    "how-to/tokens.md": [
        f"1 to {USER_ID_BYTES} bytes of printable text",
        f"more than {AHEAD_SECONDS} seconds ahead",
        *(f"`{word}`" for word in RESERVED_USER_IDS),
    ],
    "how-to/import-users.md": [
        f"batches of {BATCH_LINES:,} lines",
        f"The channel is full: {LIMITS.community_members:,} subscribers",
        f"The user is in {LIMITS.groups_per_user:,} channels and groups",
    ],
    "how-to/one-to-one.md": [
        f"At most {LIMITS.unanswered_per_user:,} strangers",
        "within two minutes" if LIMITS.recall_seconds == 120 else "",
    ],
    "how-to/catch-up.md": [
        f"for {LIMITS.departure_seconds // DAY} days",
        f"A token is good for {LIMITS.departure_seconds // DAY} days",
        f"more than {MARKS} within two minutes",
        f"It has room for {MARKS} such changes",
        f"limit={MAX_PAGE}",
    ],
}


@pytest.mark.parametrize("page", FIGURES)
def test_a_page_states_the_figures_of_the_code(page: str) -> None:
    text = " ".join((GUIDES / page).read_text(encoding="utf-8").split())
    assert [figure for figure in FIGURES[page] if not figure or figure not in text] == []
