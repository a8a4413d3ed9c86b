"""Which users a caller may know as owners of channels: those whose ownership a channel shows to them.

Promises: a stranger learns nothing. A user who owns no channel, one who owns hidden ones, and one who does not exist
are told apart by nothing that this returns.
"""

from collections.abc import Collection
from dataclasses import dataclass

from channels.policy import may_know_owner
from channels.service.profiles import ProfileCache
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from groups.service.lifecycle.directory import Directory


@dataclass(frozen=True, slots=True)
class KnownOwners:
    """The hook `known_owners` of `groups`."""

    directory: Directory
    profiles: ProfileCache

    async def among(self, actor: Actor, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Those of the users who own a channel that shows its owner to the actor."""
        seen = await self.directory.list_owned_by(actor, user_ids)
        profiles = await self.profiles.find_many([access.group.group_id for access in seen])
        return {
            owner_id
            for access in seen
            if (profile := profiles.get(access.group.group_id)) is not None
            and (owner_id := access.group.owner_id) is not None
            and may_know_owner(access, profile)
        }
