"""Domain events as the socket tells them: names, audience, fields.

One event may be told twice in different words: who was removed hears of it, and so do those who stay. Rendering
knows no reader, so that a frame is encoded once for all who get it: nothing personal is in a frame for many, and a
channel's frame never names the admin who wrote.
"""

from channels.server.wire.frame import Frame
from channels.server.wire.talks import inbox_unread_frame
from channels.server.wire.told import RENDERED, frames_of, is_told

__all__ = ["RENDERED", "Frame", "frames_of", "inbox_unread_frame", "is_told"]
