"""Queries about users of several groups at once, for documents whose `_id` is `group<US>user`."""

from collections.abc import Collection, Mapping

from groups.kernel.ids import SEPARATOR, GroupId, UserId
from groups.kernel.mongo import Document

UsersByGroup = Mapping[GroupId, Collection[UserId]]
"""Users of several groups."""


def match_users(users: UsersByGroup) -> Document:
    """The condition that finds the documents about these users in their groups; the group ids select the shards."""
    keys = [
        f"{group_id}{SEPARATOR}{user_id}"
        for group_id, of_group in users.items()
        for user_id in of_group
    ]
    return {"_id": {"$in": keys}, "group_id": {"$in": list(users)}}
