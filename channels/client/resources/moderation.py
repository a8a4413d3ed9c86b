"""Reports of abuse, suspensions of channels, restrictions of users, and the application's admin log."""

from datetime import datetime
from typing import Any, Literal

from channels.client.models import (
    AdminLogEntry,
    Channel,
    Page,
    ReportCase,
    Reported,
    RestrictedUser,
    Restriction,
    TargetBody,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource

Reason = Literal["spam", "abuse", "violence", "sexual", "illegal", "impersonation", "other"]
Action = Literal["dismiss", "delete", "suspend_channel", "restrict_user"]
Mode = Literal["readable", "hidden"]


class Moderation(Resource):
    """`client.moderation`: everybody reports; everything else is for back ends with an app-admin token."""

    async def report(self, target: TargetBody, reason: Reason, text: str = "") -> Reported:
        """Report what the user can see: `{"type": "post", "channel_id": …, "seq": 7}`.

        Repeating it changes the report.
        """
        body = {"target": target, "reason": reason, "text": text}
        return await self._call("POST", Reported, "reports", body=body)

    def reports(
        self, state: Literal["open", "resolved"] = "open", *, type: str | None = None
    ) -> Paged[ReportCase, Page[ReportCase]]:
        """The reports, newest first, without texts."""
        return self._list(Page[ReportCase], "reports", state=state, type=type)

    def channel_reports(
        self, channel_id: str, state: Literal["open", "resolved"] = "open"
    ) -> Paged[ReportCase, Page[ReportCase]]:
        """The reports of comments in a channel, for its owner, and admins with `delete_posts`."""
        return self._list(Page[ReportCase], "channels", channel_id, "reports", state=state)

    async def get(self, report_id: str) -> ReportCase:
        """One report, with the newest texts."""
        return await self._get(ReportCase, "reports", report_id)

    async def resolve(
        self,
        report_id: str,
        action: Action,
        *,
        mode: Mode | None = None,
        until: datetime | str | None = None,
        note: str = "",
    ) -> ReportCase:
        """Dismiss a report, or act on it. `mode` is for `suspend_channel`, `until` for `restrict_user`."""
        body: dict[str, Any] = {"action": action, "mode": mode, "until": until, "note": note}
        return await self._call("POST", ReportCase, "reports", report_id, "resolution", body=body)

    async def suspend(self, channel_id: str, mode: Mode, reason: str = "") -> None:
        """Suspend a channel, or change how."""
        body = {"mode": mode, "reason": reason}
        await self._do("PUT", "channels", channel_id, "suspension", body=body)

    async def reinstate(self, channel_id: str) -> None:
        """End the suspension of a channel."""
        await self._do("DELETE", "channels", channel_id, "suspension")

    async def restrict(
        self, user_id: str, *, until: datetime | str | None = None, reason: str = ""
    ) -> Restriction:
        """Restrict a user until then, or until it is lifted."""
        body = {"until": until, "reason": reason}
        return await self._call("PUT", Restriction, "users", user_id, "restriction", body=body)

    async def restriction(self, user_id: str = "me") -> Restriction:
        """The restriction of the user now. Raises: NotFound, where there is none."""
        return await self._get(Restriction, "users", user_id, "restriction")

    def restricted(self) -> Paged[RestrictedUser, Page[RestrictedUser]]:
        """The users who are restricted now, by id."""
        return self._list(Page[RestrictedUser], "restrictions")

    def suspended(self) -> Paged[Channel, Page[Channel]]:
        """The channels that are suspended, by id."""
        return self._list(Page[Channel], "channels", suspended=True)

    async def lift_restriction(self, user_id: str) -> None:
        """End the restriction of a user."""
        await self._do("DELETE", "users", user_id, "restriction")

    def admin_log(
        self, *, action: str | None = None, target_id: str | None = None
    ) -> Paged[AdminLogEntry, Page[AdminLogEntry]]:
        """The acts of the application, newest first."""
        return self._list(Page[AdminLogEntry], "admin-log", action=action, target_id=target_id)
