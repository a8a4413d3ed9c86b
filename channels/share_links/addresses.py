"""The addresses under which people open channels and posts in a browser."""

from typing import Final
from urllib.parse import quote

from groups.kernel.ids import GroupId
from groups.models import CHANNEL_PREFIX

PUBLIC_PATH: Final = "/c/"


def public_path(channel_id: GroupId, seq: int | None = None) -> str:
    """The path of the public page of a channel, or of one of its posts."""
    name = quote(channel_id.removeprefix(CHANNEL_PREFIX), safe="")
    return PUBLIC_PATH + name if seq is None else f"{PUBLIC_PATH}{name}/{seq}"


def app_path(channel_id: GroupId, seq: int | None = None) -> str:
    """The path of a channel in the web app, or of one of its posts."""
    path = f"/channels/{quote(channel_id, safe='')}"
    return path if seq is None else f"{path}?post={seq}"
