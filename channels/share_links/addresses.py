"""The addresses under which people open channels, posts and invite links in a browser."""

from typing import Final
from urllib.parse import quote

from groups.kernel.ids import GroupId
from groups.models import CHANNEL_PREFIX

PUBLIC_PATH: Final = "/c/"
INVITE_PATH: Final = "/i/"


def public_path(channel_id: GroupId, seq: int | None = None) -> str:
    """The path of the public page of a channel, or of one of its posts."""
    name = quote(channel_id.removeprefix(CHANNEL_PREFIX), safe="")
    return PUBLIC_PATH + name if seq is None else f"{PUBLIC_PATH}{name}/{seq}"


def app_path(channel_id: GroupId, seq: int | None = None) -> str:
    """The path of a channel in the web app, or of one of its posts."""
    path = f"/channels/{quote(channel_id, safe='')}"
    return path if seq is None else f"{path}?post={seq}"


def invite_path(code: str) -> str:
    """The path of the page of an invite link, which anyone who has it may open."""
    return INVITE_PATH + code


def invite_app_path(code: str) -> str:
    """The path in the web app at which a user who signed in joins by an invite link."""
    return f"/invite/{code}"
