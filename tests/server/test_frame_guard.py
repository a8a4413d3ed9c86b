"""The frame guard by itself: what it lets through to the parser, however the bytes are cut."""

import random
import struct
from typing import Final

import pytest
from aiohttp import WSCloseCode

from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.frame_guard import (
    FRAMES_PER_SECOND,
    REFUSED_FRAMES,
    FrameAllowance,
    FrameGuard,
)

MOST: Final = FRAMES_PER_SECOND + REFUSED_FRAMES
"""Frames that may come at once before the reading ends."""
TEXT: Final = 0x81
PING: Final = 0x89


class Parsed:
    """A parser, a transport, and a clock that stands still: whatever the guard calls."""

    def __init__(self) -> None:
        self.data = b""
        self.refusals: list[CloseCode | WSCloseCode] = []
        self.is_paused = False
        self.now = 0.0
        self.guard = FrameGuard(self, self, self.refusals.append, lambda: self.now)  # type: ignore[arg-type]  # a fake transport

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None: ...

    def abort(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.is_paused = True


def frame(first: int, size: int = 0, *, masked: bool = True) -> bytes:
    bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", first, bit | size)
    elif size < 2**16:
        head = struct.pack(">BBH", first, bit | 126, size)
    else:
        head = struct.pack(">BBQ", first, bit | 127, size)
    return head + b"mask" * masked + b"\xff" * size


@pytest.mark.parametrize("seed", range(30))
async def test_frames_pass_up_to_the_limit_however_they_are_split(seed: int) -> None:
    chance = random.Random(seed)  # a test
    sizes = [chance.choice([0, 1, 125, 126, 300, 65_535, 65_536]) for _ in range(MOST)]
    good = b"".join(frame(chance.choice([TEXT, PING, 0x00, 0x8A]), size) for size in sizes)
    sent, parsed = good + frame(PING) * 3, Parsed()
    while sent:
        cut = chance.choice([1, 2, 3, 5, 1000, 200_000])
        parsed.guard.feed_data(sent[:cut])
        sent = sent[cut:]
    assert parsed.refusals == [CloseCode.FLOOD]
    # Some of the header that was one too many may have come before the rest of it: the parser waits for the rest.
    assert parsed.data.startswith(good)
    assert len(parsed.data) < len(good) + 2


async def test_the_bound_is_refilled_by_the_second() -> None:
    parsed = Parsed()
    for _ in range(5):
        parsed.guard.feed_data(frame(PING) * FRAMES_PER_SECOND)
        parsed.now += 1
    assert parsed.refusals == []
    parsed.now += 1000
    parsed.guard.feed_data(frame(PING) * (MOST + 1))
    assert parsed.refusals == [CloseCode.FLOOD]


async def test_a_frame_without_a_mask_is_not_parsed() -> None:
    parsed = Parsed()
    parsed.guard.feed_data(frame(TEXT, 3) + frame(TEXT, 3, masked=False) + frame(TEXT, 3))
    assert parsed.data == frame(TEXT, 3)
    assert parsed.refusals == [WSCloseCode.PROTOCOL_ERROR]


async def test_bytes_after_the_end_are_dropped_and_then_not_read() -> None:
    parsed = Parsed()
    parsed.guard.feed_data(frame(TEXT, masked=False))
    for _ in range(4):
        parsed.guard.feed_data(bytes(2**16))
    assert not parsed.is_paused
    parsed.guard.feed_data(b"x")
    assert parsed.is_paused
    assert parsed.data == b""


async def test_frames_are_answered_at_the_rate_and_refused_ones_take_nothing() -> None:
    now = 100.0
    allowance = FrameAllowance(lambda: now)
    for _ in range(FRAMES_PER_SECOND):
        assert allowance.take() == 0
    waits = [allowance.take() for _ in range(3)]
    assert waits == pytest.approx([1 / FRAMES_PER_SECOND] * 3)
    now += waits[0]
    assert allowance.take() == 0
    assert allowance.take() > 0
    now += 1000
    assert [allowance.take() == 0 for _ in range(FRAMES_PER_SECOND + 1)].count(False) == 1
