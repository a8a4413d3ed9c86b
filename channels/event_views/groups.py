"""Events of groups and channels: members, settings, messages, reactions.

Users receive `GROUP_EVENTS`, and back ends `PUBLIC_GROUP_EVENTS`.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from channels.event_views.view import (
    NOT_IN_EVENTS,
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    event_id_of,
    group_payload,
    payload_of,
)
from channels.routes.responses import SettingsResponse, anonymous_post_response
from groups.events import (
    AdminInvited,
    GroupDisbanded,
    GroupEvent,
    GroupReinstated,
    GroupSuspended,
    GroupUpdated,
    InvitationEnded,
    InviteLinkUsed,
    JoinAnswered,
    JoinRefused,
    JoinRequested,
    MemberChanged,
    MemberInvited,
    MembersJoined,
    MembersLeft,
    MessageEdited,
    MessagePosted,
    MessageRecalled,
)
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId, UserId
from groups.models import Role, stream_of
from groups.routes.responses.messages import message_response, uncounted_poll
from reactions.events import ReactionsChanged
from reactions.polls.events import PollChanged

_USER_BYTES: Final = 8
"""Of the hash of a user's id in ids of events: among 100,000 users of one event two share one in 4 of 10^9 cases."""


def _part_of_user(user_id: UserId) -> str:
    """The part of one user of an event of many.

    The user's place would not do: a hub renders the event for the users who are connected to it.
    """
    return hashlib.blake2b(user_id.encode(), digest_size=_USER_BYTES).hexdigest()


def _membership_payloads(event: MembersJoined | MembersLeft) -> Iterable[dict[str, Any]]:
    """A payload for each user whose membership began or ended, in the order of the event."""
    fields: dict[str, Any] = {"user_id": ""}
    if isinstance(event, MembersLeft):
        fields["reason"] = event.reason.value
        shared = group_payload("group.left", "channel.unsubscribed", event, **fields)
    else:
        shared = group_payload(
            "group.joined", "channel.subscribed", event, **fields, **_channel_in(event)
        )
    links = event.invite_links if isinstance(event, MembersJoined) else {}
    # A batch names a thousand users, so what they share is made once.
    for user_id in event.user_ids:
        event_id = event_id_of(event, _part_of_user(user_id))
        payload = {**shared, "event_id": event_id, "user_id": user_id}
        if user_id in links:
            payload["invite_link"] = links[user_id]
        yield payload


def _channel_in(event: MembersJoined) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if event.profile is not None:
        fields["channel"] = {
            "channel_id": event.group_id,
            **event.profile,
            "subscriber_count": event.member_count,
            "subscribed_at": rfc3339(event.at),
        }
    return fields


def _membership(event: MembersJoined | MembersLeft) -> Iterable[EventView]:
    stream_id = stream_of(event.group_id)
    for payload in _membership_payloads(event):
        user_id: UserId = payload["user_id"]
        yield EventView(payload, stream_id, (user_id,))
        if event.announce:
            # The link, with which others could join, is for its user and for those who manage it.
            told = {name: value for name, value in payload.items() if name != "invite_link"}
            yield EventView(told, stream_id, except_users=frozenset({user_id}))


def _member_changed(event: MemberChanged) -> Iterable[EventView]:
    payload = group_payload(
        "member.changed",
        "member.changed",
        event,
        user_id=event.user_id,
        role=event.role.value,
        muted_until=rfc3339(event.muted_until) if event.muted_until else None,
        name_card=event.name_card,
        grants=[grant.value for grant in event.grants],
    )
    users = None if event.audience is None else tuple(dict.fromkeys(event.audience))
    yield EventView(payload, stream_of(event.group_id), users)


def _as_in_resource(changed: Mapping[str, object], *, is_channel: bool) -> Mapping[str, object]:
    """The changed fields, each where the channel or the group has it."""
    if not is_channel:
        return changed
    settings = {k: v for k, v in changed.items() if k in SettingsResponse.model_fields}
    others = {k: v for k, v in changed.items() if k not in settings}
    return {**others, "settings": settings} if settings else others


def _update_payload(event: GroupUpdated, changed: Mapping[str, object]) -> dict[str, Any]:
    shown = _as_in_resource(changed, is_channel=event.is_channel)
    fields: dict[str, Any] = {"changed": shown, "version": event.version}
    return group_payload("group.updated", "channel.updated", event, **fields)


def _complete_update(event: GroupUpdated) -> dict[str, Any]:
    return _update_payload(event, {**event.changed, **event.changed_for_staff})


def _updated(event: GroupUpdated) -> Iterable[EventView]:
    # Nobody receives both views, so both have the id of the event.
    stream_id, staff = stream_of(event.group_id), event.staff
    yield EventView(_update_payload(event, event.changed), stream_id, except_users=frozenset(staff))
    if staff:
        yield EventView(_complete_update(event), stream_id, staff)


def _of_suspension(
    event_type: str, event: GroupSuspended | GroupReinstated, **fields: Any
) -> dict[str, Any]:
    # Only channels are suspended, so there is no type of groups.
    stream_id, channel_id = stream_of(event.group_id), event.group_id
    return payload_of(
        event_type, event, stream_id, channel_id=channel_id, **fields, version=event.version
    )


def _suspended(event: GroupSuspended) -> Iterable[EventView]:
    # Nobody receives both views, so both have the id of the event. Only the owner learns why.
    told = _of_suspension("channel.suspended", event, mode=event.mode.value)
    owner = (event.owner_id,) if event.owner_id is not None else ()
    stream_id = stream_of(event.group_id)
    yield EventView(told, stream_id, except_users=frozenset(owner))
    if owner:
        yield EventView(_complete_suspension(event), stream_id, owner)


def _complete_suspension(event: GroupSuspended) -> dict[str, Any]:
    mode, reason = event.mode.value, event.reason
    return _of_suspension("channel.suspended", event, mode=mode, reason=reason)


def _reinstated(event: GroupReinstated) -> Iterable[EventView]:
    payload = _of_suspension("channel.reinstated", event)
    yield EventView(payload, stream_of(event.group_id))


def _disbanded(event: GroupDisbanded) -> Iterable[EventView]:
    payload = group_payload("group.disbanded", "channel.deleted", event)
    yield EventView(payload, stream_of(event.group_id))


def _requested(event: JoinRequested) -> Iterable[EventView]:
    by = {"invite_link": event.invite_link} if event.invite_link is not None else {}
    payload = group_payload(
        "join.requested", "join.requested", event, user_id=event.user_id, text=event.text, **by
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _refused(event: JoinRefused) -> Iterable[EventView]:
    payload = group_payload("join.refused", "join.refused", event, user_id=event.user_id)
    yield EventView(payload, stream_of(event.group_id), (event.user_id,))


def _answered(event: JoinAnswered) -> Iterable[EventView]:
    payload = group_payload(
        "join.answered",
        "join.answered",
        event,
        user_id=event.user_id,
        outcome=event.outcome.value,
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _link_used(event: InviteLinkUsed) -> Iterable[EventView]:
    payload = group_payload(
        "invite_link.used",
        "invite_link.used",
        event,
        code=event.code,
        user_ids=list(event.user_ids),
        uses=event.uses,
        pending_requests=event.pending_requests,
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _invited(event: AdminInvited | MemberInvited) -> Iterable[EventView]:
    grants = event.grants if isinstance(event, AdminInvited) else ()
    name = "channel_name" if event.is_channel else "group_name"
    fields: dict[str, Any] = {name: event.group_name, "user_id": event.user_id}
    fields["role"] = (Role.ADMIN if isinstance(event, AdminInvited) else Role.MEMBER).value
    if event.is_channel:
        fields["grants"] = [grant.value for grant in grants]
    payload = group_payload(
        "group.invited", "channel.invited", event, **fields, expires_at=rfc3339(event.expires_at)
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _invitation_ended(event: InvitationEnded) -> Iterable[EventView]:
    payload = group_payload(
        "group.invitation_ended",
        "channel.invitation_ended",
        event,
        user_id=event.user_id,
        role=event.role.value,
        reason=event.reason.value,
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _message(event_type: str) -> Callable[[Any], Iterable[EventView]]:
    def render(event: MessagePosted | MessageEdited | MessageRecalled) -> Iterable[EventView]:
        message = event.message
        group_id: GroupId = event.group_id
        poll = uncounted_poll(message, event.at)
        if event.is_channel:
            field = "post"
            shown: BaseModel = anonymous_post_response(message, group_id, "", None, poll)
        else:
            field = "message"
            shown = message_response(message, group_id, None, None, with_sender=True, poll=poll)
        fields: dict[str, Any] = {field: shown.model_dump(mode="json", exclude=NOT_IN_EVENTS)}
        if not isinstance(event, MessagePosted):
            fields["version"] = message.changed_version
        payload = group_payload(event_type, event_type, event, seq=message.seq, **fields)
        yield EventView(payload, message.stream_id)
        if isinstance(event, MessagePosted):
            # Posting moves the author's read cursor. A post names no author, so their other devices are told apart.
            read: dict[str, Any] = {"read_seq": message.seq, "unread_count": 0}
            own = payload_of("conversation.read", event, message.stream_id, part="read", **read)
            yield EventView(own, message.stream_id, (message.sender_id,))

    return render


def _reactions(event: ReactionsChanged) -> Iterable[EventView]:
    counts: dict[str, Any] = {"seq": event.seq, "counts": event.counts, "total": event.total}
    name = "reactions.changed"
    # First the one for watchers, as hubs expect; then one for all users who hold the same emoji, each of them alone.
    yield EventView(group_payload(name, name, event, **counts), event.stream_id)
    for mine, user_ids in event.own:
        payload = group_payload(name, name, event, part="own", **counts, mine=mine)
        yield EventView(payload, event.stream_id, user_ids)


def _poll(event: PollChanged) -> Iterable[EventView]:
    counts: dict[str, Any] = {
        "seq": event.seq,
        "options": event.votes,
        "voters": event.voters,
        "closed": event.closed,
    }
    name = "poll.changed"
    # In the order of `_reactions`.
    yield EventView(group_payload(name, name, event, **counts), event.stream_id)
    for mine, user_ids in event.own:
        payload = group_payload(name, name, event, part="own", **counts, mine=mine)
        yield EventView(payload, event.stream_id, user_ids)


GROUP_EVENTS: Final[Rendering] = {
    MembersJoined: _membership,
    MembersLeft: _membership,
    MemberChanged: _member_changed,
    GroupUpdated: _updated,
    GroupSuspended: _suspended,
    GroupReinstated: _reinstated,
    GroupDisbanded: _disbanded,
    JoinRequested: _requested,
    JoinAnswered: _answered,
    JoinRefused: _refused,
    InviteLinkUsed: _link_used,
    AdminInvited: _invited,
    MemberInvited: _invited,
    InvitationEnded: _invitation_ended,
    MessagePosted: _message("message.posted"),
    MessageEdited: _message("message.edited"),
    MessageRecalled: _message("message.recalled"),
    ReactionsChanged: _reactions,
    PollChanged: _poll,
}


def _shared(
    render: Callable[[Any], Iterable[EventView]],
) -> Callable[[Any], Iterable[dict[str, Any]]]:
    """The payload that users share, which is that of the first view; the others are of one user each."""

    def payloads(event: Any) -> Iterable[dict[str, Any]]:
        yield next(iter(render(event))).payload

    return payloads


def _shared_views(
    event: type[GroupEvent] | type[ReactionsChanged] | type[PollChanged], *types: str
) -> PublicViews:
    return PublicViews(types, _shared(GROUP_EVENTS[event]))


PUBLIC_GROUP_EVENTS: Final[PublicRendering] = {
    MembersJoined: PublicViews(("channel.subscribed", "group.joined"), _membership_payloads),
    MembersLeft: PublicViews(("channel.unsubscribed", "group.left"), _membership_payloads),
    MemberChanged: _shared_views(MemberChanged, "member.changed"),
    GroupUpdated: PublicViews(
        ("channel.updated", "group.updated"), lambda event: (_complete_update(event),)
    ),
    GroupSuspended: PublicViews(
        ("channel.suspended",), lambda event: (_complete_suspension(event),)
    ),
    GroupReinstated: _shared_views(GroupReinstated, "channel.reinstated"),
    GroupDisbanded: _shared_views(GroupDisbanded, "channel.deleted", "group.disbanded"),
    JoinRequested: _shared_views(JoinRequested, "join.requested"),
    JoinAnswered: _shared_views(JoinAnswered, "join.answered"),
    JoinRefused: _shared_views(JoinRefused, "join.refused"),
    InviteLinkUsed: _shared_views(InviteLinkUsed, "invite_link.used"),
    AdminInvited: _shared_views(AdminInvited, "channel.invited", "group.invited"),
    MemberInvited: _shared_views(MemberInvited, "channel.invited", "group.invited"),
    InvitationEnded: _shared_views(
        InvitationEnded, "channel.invitation_ended", "group.invitation_ended"
    ),
    # Writing moves the author's read cursor, of which back ends receive nothing: a post names no author.
    MessagePosted: _shared_views(MessagePosted, "message.posted"),
    MessageEdited: _shared_views(MessageEdited, "message.edited"),
    MessageRecalled: _shared_views(MessageRecalled, "message.recalled"),
    ReactionsChanged: _shared_views(ReactionsChanged, "reactions.changed"),
    PollChanged: _shared_views(PollChanged, "poll.changed"),
}
