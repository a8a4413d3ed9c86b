"""The models of channels."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import json_size
from groups.models import (
    AccessContext,
    Commenting,
    Model,
    ReactionChoice,
    Stream,
    Visibility,
)


class AcceptMessages(StrEnum):
    """The users who may write to the channel in private."""

    EVERYONE = "everyone"
    SUBSCRIBERS = "subscribers"
    NOBODY = "nobody"


class ChannelSettings(Model):
    """The settings of a channel that no rule of groups needs.

    Declare a new one here, and for the API in `channels.routes.responses`: in `SettingsBody` and `SettingsResponse`.
    """

    accept_messages: AcceptMessages = AcceptMessages.SUBSCRIBERS
    signatures: bool = False
    protect_content: bool = False
    count_clicks: bool = False


class ChannelProfile(ChannelSettings):
    """The part of a channel that its group does not store: the rest of its profile, and its settings."""

    channel_id: GroupId
    organization: str = ""
    custom_data: str = ""
    menu_version: int = 0
    """Grows with each change of the channel's menu; 0: it has none."""
    created_at: datetime


class _ProfileFields(Model):
    """The fields that the API has beside the settings, most of them stored with the group."""

    name: str = ""
    face_url: str = ""
    introduction: str = ""
    organization: str = ""
    custom_data: str = ""
    visibility: Visibility = Visibility.PUBLIC
    reactions: ReactionChoice = "all"
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None
    comments: Commenting = Commenting.OFF
    retention_days: int = 0


class ChannelChanges(ChannelSettings, _ProfileFields):
    """New values of a channel; a field that is not set stays."""

    def of_group(self) -> dict[str, Any]:
        """The values set that the channel's group stores."""
        return self.model_dump(mode="python", exclude_unset=True, exclude=_IN_PROFILE)

    def of_profile(self, *, with_defaults: bool = False) -> dict[str, Any]:
        """The values set that `ChannelProfile` stores; `with_defaults` adds the fields that are not set."""
        return self.model_dump(mode="python", exclude_unset=not with_defaults, include=_IN_PROFILE)


class _ChannelIds(Model):
    channel_id: GroupId | None = None
    group_id: GroupId | None = None


class NewChannel(ChannelChanges, _ChannelIds):
    """A channel to create, or with `group_id` a Community group to make a channel.

    A field that is not set takes its default, or stays as the group has it. The digest of its JSON (`digest_text`) is
    stored with an idempotency key, so the order of the fields must not change.
    """

    name: str
    share_history: bool = False
    """With `group_id`: what was written before becomes as public as the posts."""

    owner_id: UserId | None = None
    """The owner, where the application creates the channel for another user."""

    @property
    def digest_text(self) -> str:
        """The text that differs where two creations do. It lacks later fields that have their defaults."""
        later = {
            "share_history": self.share_history,
            "owner_id": self.owner_id,
            "comments": self.comments is not Commenting.OFF,
            "retention_days": self.retention_days,
            "count_clicks": self.count_clicks,
        }
        return self.model_dump_json(exclude={name for name, value in later.items() if not value})


_IN_PROFILE: Final = set(ChannelProfile.model_fields) - {
    *("channel_id", "created_at"),
    "menu_version",  # no caller sets it
}


_JSON_BYTES: Final = 1_000  # of the JSON of a channel, without the texts
_MOST_ROUGHLY: Final = 4_000


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as a user sees it: its group and the user's role there, its stream's head, and its profile."""

    access: AccessContext
    stream: Stream
    profile: ChannelProfile

    @property
    def channel_id(self) -> GroupId:
        return self.profile.channel_id


def size_of(channel: Channel) -> int:
    """The approximate size of the channel's JSON, in bytes."""
    group, profile, last = channel.access.group, channel.profile, channel.stream.last
    preview = last.preview if last is not None else ""
    texts = (
        *(group.name, group.introduction, group.notification, group.face_url),
        *(profile.organization, profile.custom_data, preview),
        *group.custom.values(),
        *group.reactions,
    )
    # Most texts are short, and their JSON is at most six times as long as they are: this bound is enough for them.
    rough = _JSON_BYTES + 6 * sum(map(len, texts))
    return rough if rough < _MOST_ROUGHLY else json_size(group, profile, preview)
