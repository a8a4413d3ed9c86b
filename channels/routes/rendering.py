"""Renders a channel as JSON once for all users who joined it in one batch.

Their answers follow one another and hold the same group, stream head and time of joining, so keeping the last rendering
is enough.
"""

from channels.models import Channel, ChannelProfile
from channels.routes.responses import channel_response
from groups.models import AccessContext
from groups.service.membership.commands import Membership


class ChannelRendering:
    """Renders the channel of a membership, and keeps the last result."""

    def __init__(self) -> None:
        self._last: tuple[Membership, ChannelProfile] | None = None
        self._json = b""

    def of(self, membership: Membership, profile: ChannelProfile) -> bytes:
        """The JSON of `channel_response` for this member."""
        if self._last is None or not _render_alike(membership, profile, *self._last):
            access = AccessContext(
                group=membership.group,
                member=membership.member,
                effective_role=membership.effective_role,
            )
            response = channel_response(Channel(access, membership.stream, profile))
            self._json = response.__pydantic_serializer__.to_json(response)
            self._last = membership, profile
        return self._json


def _render_alike(
    one: Membership, profile: ChannelProfile, other: Membership, other_profile: ChannelProfile
) -> bool:
    mine, theirs = one.member, other.member
    return (
        one.group is other.group
        and one.stream is other.stream
        and profile is other_profile
        and mine is not None
        and theirs is not None
        and mine.role is theirs.role
        and mine.grants == theirs.grants
        and mine.joined_at == theirs.joined_at
    )
