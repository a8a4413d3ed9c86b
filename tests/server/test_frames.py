"""The server's own WebSocket frames, read by the library that clients use."""

import pytest

from channels.server.realtime.frames import text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_says_its_size_in_the_shortest_form(size: int) -> None:
    frame = text_frame(b"x" * size)
    assert frame[0] == 0x81
    head = 2 if size <= 125 else 4 if size <= 65_535 else 10
    assert len(frame) == head + size
    if head == 2:
        assert frame[1] == size
    else:
        assert frame[1] == (126 if head == 4 else 127)
        assert int.from_bytes(frame[2:head]) == size
    assert frame[head:] == b"x" * size
