"""The errors of exports and deletions."""

from collections.abc import Mapping
from typing import ClassVar

from groups.kernel.errors import Conflict, Detail, InvalidInput, NotFound, RateLimited


class ConfirmationMismatch(InvalidInput):
    """`confirm` is not the id of the user whom the path names."""

    code: ClassVar[str] = "confirmation_mismatch"
    summary: ClassVar[str] = "The confirmation does not name the user"
    remedy: ClassVar[str] = (
        "Send the id of the user in `confirm`, spelled out (not `me`), once a person has agreed to the deletion."
    )


class OwnsChannels(Conflict):
    """The user owns channels or groups, which would have no owner."""

    code: ClassVar[str] = "owns_channels"
    summary: ClassVar[str] = "The user owns channels or groups"
    remedy: ClassVar[str] = (
        "Hand over or delete what `channel_ids` and `group_ids` name, then repeat the request."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "channel_ids": Detail(list, "The channels that the user owns, at most 100."),
        "group_ids": Detail(list, "The groups that the user owns, at most 100."),
    }


class DeletionNotFound(NotFound):
    """No deletion of this user was begun, or its record has expired."""

    code: ClassVar[str] = "deletion_not_found"
    summary: ClassVar[str] = "No such deletion"
    remedy: ClassVar[str] = "Check the user's id. Records of deletions are kept for 400 days."


class ExportRunning(RateLimited):
    """Another export of the user runs, or one was begun a moment ago."""

    code: ClassVar[str] = "export_running"
    summary: ClassVar[str] = "An export of this user is running or was begun a moment ago"
    remedy: ClassVar[str] = (
        "Wait for the seconds in `Retry-After`. To go on after a broken connection, send the last `cursor`."
    )
