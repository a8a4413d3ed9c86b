"""The tables of limits."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo

from channels.docs_site.generated.tables import bound_of, readable, table
from channels.limits import CHANNEL_REACTIONS_PER_USER, MOST_VIEWS_PER_CALL, Limits
from channels.server.realtime.client_frames import (
    COUNTED_IN_ONE,
    COUNTED_POSTS,
    FRAME_BYTES,
    FRAME_ID_CHARACTERS,
    WATCHED_STREAMS,
)
from channels.server.realtime.frame_guard import FRAMES_PER_SECOND, REFUSED_FRAMES
from channels.server.realtime.session import UNREAD_BYTES
from channels.server.realtime.socket import AUTH_SECONDS
from groups.kernel.endpoint import IDEMPOTENCY_KEY_BYTES, LINE_BYTES
from groups.kernel.ids import GROUP_ID_BYTES, USER_ID_BYTES
from groups.kernel.limits import About, Section, Zero
from groups.kernel.paging import MAX_PAGE
from groups.limits import (
    ALLOWED_REACTIONS,
    CUSTOM_KEY_BYTES,
    DISTINCT_REACTIONS,
    IDS_PER_CALL,
    MEDIA_NAME_BYTES,
    REACTIONS_PER_USER,
)

_CODE: Final = re.compile(r"^`(\w+)`$")


def limits() -> str:
    """Every limit that a deployment may set, by section."""
    return "\n\n".join(f"## {section}\n\n{_section(section)}" for section in Section)


def _section(section: Section) -> str:
    return table(
        ["`CHANNELS_LIMIT_…`", "Default", "Limits", "Beyond it", "Source"],
        [
            [
                f"`{name.upper()}`",
                _default(name, field),
                " ".join(_meaning(field)),
                _CODE.sub(r"[`\1`](errors.md#\1)", about.beyond),
                about.source.value,
            ]
            for name, field in Limits.model_fields.items()
            if (about := about_of(field)).section is section
        ],
    )


def about_of(field: FieldInfo) -> About:
    """What the declaration of a limit says about it."""
    (about,) = [mark for mark in field.metadata if isinstance(mark, About)]
    return about


def _default(name: str, field: FieldInfo) -> str:
    shown = readable(name, field.default)
    return f"`{field.default}` ({shown})" if shown else f"`{field.default}`"


def _meaning(field: FieldInfo) -> Iterator[str]:
    yield field.description or ""
    for mark in field.metadata:
        if isinstance(mark, Zero):
            yield f"0: {mark.meaning}."
    most = bound_of(field, "le")
    if most is not None:
        yield f"At most {most}."


def fixed_limits() -> str:
    """The bounds that no deployment sets."""
    return table(
        ["Bound", "Value"],
        [
            ["bytes of a user id", f"{USER_ID_BYTES}"],
            ["bytes of the id of a group or channel", f"{GROUP_ID_BYTES}"],
            ["items of a page (`limit`)", f"{MAX_PAGE}, in about 1 MiB"],
            ["ids of one call (`ids`)", f"{IDS_PER_CALL}"],
            ["characters of an `Idempotency-Key`", f"{IDEMPOTENCY_KEY_BYTES}"],
            ["bytes of a line of a bulk import", f"{LINE_BYTES}"],
            ["bytes of the name of an upload", f"{MEDIA_NAME_BYTES}"],
            ["bytes of the key of a custom field", f"{CUSTOM_KEY_BYTES}"],
            [
                "emoji of one user on one message",
                f"{CHANNEL_REACTIONS_PER_USER} in a new channel, {REACTIONS_PER_USER} in a new group"
                " (setting `reactions_per_user`)",
            ],
            [
                "different emoji on one message",
                f"{DISTINCT_REACTIONS} in a new group (setting `distinct_reactions`)",
            ],
            ["emoji in a group's own list of allowed ones", f"{ALLOWED_REACTIONS}"],
            ["highest `VIEWS_PER_CALL`", f"{MOST_VIEWS_PER_CALL}"],
            ["seconds until a socket must authenticate", f"{AUTH_SECONDS:g}"],
            ["frames a second that a socket may send", f"{FRAMES_PER_SECOND:g}"],
            [
                "frames beyond them that are refused before the socket closes",
                f"{REFUSED_FRAMES:g}",
            ],
            ["bytes of a frame that a client sends", f"{FRAME_BYTES}"],
            ["characters of the `id` of a frame", f"{FRAME_ID_CHARACTERS}"],
            ["conversations that a socket watches", f"{WATCHED_STREAMS}"],
            [
                "posts that one `watch` counts",
                f"{COUNTED_POSTS}, {COUNTED_IN_ONE} in one conversation",
            ],
            ["bytes that may wait for a socket's client", f"{UNREAD_BYTES}"],
        ],
    )
