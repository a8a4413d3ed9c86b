"""Channels' things, as services speak of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from groups.kernel.ids import GroupId
from groups.kernel.paging import json_size
from groups.models import AccessContext, Model, ReactionChoice, Stream, Visibility

CHANNEL_PREFIX: Final = "@TOA#_"
"""How the id of a channel starts that was made as one; a marked Community group keeps its own id."""


class AcceptMessages(StrEnum):
    """Who may write to the channel in private."""

    EVERYONE = "everyone"
    SUBSCRIBERS = "subscribers"
    NOBODY = "nobody"


class ChannelProfile(Model):
    """What a channel has beyond its group: part of the profile, and settings that no rule of groups needs."""

    channel_id: GroupId
    organization: str = ""
    custom_data: str = ""
    accept_messages: AcceptMessages = AcceptMessages.SUBSCRIBERS
    signatures: bool = False
    protect_content: bool = False
    created_at: datetime


class NewChannel(Model):
    """What a channel shall be; `group_id` marks an existing Community group, whose own profile gives what is not named.

    A field that was not set takes its default, or stays as the group has it.
    """

    channel_id: GroupId | None = None
    group_id: GroupId | None = None
    name: str
    face_url: str = ""
    introduction: str = ""
    organization: str = ""
    custom_data: str = ""
    visibility: Visibility = Visibility.PUBLIC
    reactions: ReactionChoice = "all"
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None
    accept_messages: AcceptMessages = AcceptMessages.SUBSCRIBERS
    signatures: bool = False
    protect_content: bool = False


class ChannelChanges(Model):
    """New values; a field that was not set stays."""

    name: str | None = None
    face_url: str | None = None
    introduction: str | None = None
    organization: str | None = None
    custom_data: str | None = None
    visibility: Visibility | None = None
    reactions: ReactionChoice | None = None
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None
    accept_messages: AcceptMessages | None = None
    signatures: bool | None = None
    protect_content: bool | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel before an actor: the group as he sees it, its stream's head, and what the channel adds."""

    access: AccessContext
    stream: Stream
    extras: ChannelProfile

    @property
    def channel_id(self) -> GroupId:
        """The channel's id, which is its group's."""
        return self.extras.channel_id


def size_of(channel: Channel) -> int:
    """About how many bytes of JSON a channel has."""
    last = channel.stream.last
    preview = last.preview if last is not None else ""
    return json_size(channel.access.group, channel.extras, preview)


def expand_channel_id(text: str) -> GroupId:
    """The channel id that a path names: in full, or without its prefix (`news` means `@TOA#_news`)."""
    return GroupId(text if text.startswith("@") else CHANNEL_PREFIX + text)
