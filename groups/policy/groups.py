"""Who may change a group, what of it, and who may end it."""

from collections.abc import Collection, Mapping
from typing import Final

from groups.errors import FixedInChannel, NotForThisType
from groups.kernel.errors import DomainError, FieldTooLong, PermissionRefused
from groups.limits import GroupLimits
from groups.models import AccessContext, EffectiveRole, Grant, Group, GroupType
from groups.policy.access import grant_refusal

INFO_FIELDS: Final = frozenset(
    {
        *("name", "introduction", "notification", "face_url", "custom"),
        *("organization", "custom_data"),  # what `channels` adds to the profile
    }
)
"""What a group shows of itself; every other field is a setting."""

VOUCHED_FIELDS: Final = frozenset({"name", "organization"})
"""What a verified badge vouches for: who it is. Pictures and descriptions change with the seasons."""


def loses_badge(access: AccessContext, fields: Collection[str]) -> bool:
    """Whether changing these takes the badge: what was vouched for is another now, unless who vouches changed it."""
    is_ours = access.effective_role >= EffectiveRole.APP_ADMIN
    return access.group.verified and not is_ours and not VOUCHED_FIELDS.isdisjoint(fields)


def updating_refusal(
    access: AccessContext, fields: Collection[str], *, for_channel: bool = False
) -> DomainError | None:
    """Changing profile or settings: owner and admins, by their grants, within what type and channel leave open.

    `for_channel`: the channel's own rules stand behind the change, so what it fixes may move.
    """
    if access.effective_role < EffectiveRole.ADMIN:
        return PermissionRefused()
    needed = {
        Grant.CHANGE_INFO if name in INFO_FIELDS else Grant.CHANGE_SETTINGS for name in fields
    }
    for grant in sorted(needed):
        refusal = grant_refusal(access, grant)
        if refusal is not None:
            return refusal
    group, fields = access.group, set(fields)
    if for_channel:
        return None
    if group.is_channel and fields & {"posting", "join_option", "visibility", "history_visible"}:
        return FixedInChannel()
    if group.type is GroupType.WORK and fields & {"join_option", "muted_all"}:
        return NotForThisType()
    return None


def profile_refusal(
    group: Group, values: Mapping[str, object], limits: GroupLimits
) -> DomainError | None:
    """The texts whose limits, in bytes of UTF-8, are a channel's where the group is one."""
    most = {
        "name": limits.channel_name_bytes if group.is_channel else limits.group_name_bytes,
        "introduction": limits.channel_introduction_bytes
        if group.is_channel
        else limits.group_introduction_bytes,
    }
    for field, limit in most.items():
        text = values.get(field)
        if isinstance(text, str) and len(text.encode()) > limit:
            return FieldTooLong(field, limit)
    return None


def disbanding_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Disbanding: the owner; a Work group only the application's admin (reference product, group types)."""
    needed = EffectiveRole.APP_ADMIN if group.type is GroupType.WORK else EffectiveRole.OWNER
    return None if effective_role >= needed else PermissionRefused()
