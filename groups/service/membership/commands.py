"""What may be asked of a group's membership, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from groups.models import EffectiveRole, Grant, Group, Invitation, Member, Role, Stream


@dataclass(frozen=True, slots=True)
class Join:
    """The actor wants in."""

    actor: Actor
    text: str


@dataclass(frozen=True, slots=True)
class Add:
    """The actor brings a user in."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Approve:
    """The actor admits a user who asked."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Refuse:
    """The actor turns a request down, or withdraws his own."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Leave:
    """The actor goes."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Remove:
    """The actor removes a user, for good with `ban`."""

    actor: Actor
    user_id: UserId
    ban: bool


@dataclass(frozen=True, slots=True)
class Unban:
    """The actor lifts a ban."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class UpdateMember:
    """The actor changes a member; None leaves a field as it is, `mute_seconds` 0 ends a mute.

    `grants` counts with the role of admin only; a new admin has all where it is None.
    """

    actor: Actor
    user_id: UserId
    role: Role | None
    mute_seconds: int | None
    name_card: str | None
    grants: frozenset[Grant] | None = None


@dataclass(frozen=True, slots=True)
class BanFromReacting:
    """The actor keeps a user from reacting, or lets him again."""

    actor: Actor
    user_id: UserId
    is_banned: bool


@dataclass(frozen=True, slots=True)
class Invite:
    """The actor asks a user, member or not, to be an admin with these grants."""

    actor: Actor
    user_id: UserId
    grants: frozenset[Grant]


@dataclass(frozen=True, slots=True)
class RevokeInvitation:
    """The actor takes an invitation back."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class AnswerInvitation:
    """The actor accepts or declines his own invitation."""

    actor: Actor
    accept: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """The actor gives the group away."""

    actor: Actor
    user_id: UserId


Command = (
    Join
    | Add
    | Approve
    | Refuse
    | Leave
    | Remove
    | Unban
    | UpdateMember
    | BanFromReacting
    | Invite
    | RevokeInvitation
    | AnswerInvitation
    | Transfer
)


@dataclass(frozen=True, slots=True)
class Membership:
    """How a membership stands after a call: the group, the member (None: not, or not yet), the stream's head.

    `invitation` is the user's, where the call was about it and he has one.
    `changed` is False for a repeat; `is_pending` is True while approval is awaited.
    """

    group: Group
    member: Member | None
    stream: Stream
    effective_role: EffectiveRole
    changed: bool = True
    is_pending: bool = False
    invitation: Invitation | None = None


@dataclass(frozen=True, slots=True)
class ImportMark:
    """Which import of whose a batch belongs to, for the one entry that all of them have in the admin log."""

    entry_id: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Import:
    """The application brings in many users at once; an id that stands twice counts once."""

    user_ids: Sequence[UserId]
    mark: ImportMark | None = None


Outcome = Literal["added", "present", "member_limit_reached", "groups_per_user_reached"]
"""What came of one id of an import: a member now, a member already, or the code of its refusal."""


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What came of one batch of an import: each id's outcome, in the order of the ids, and the members then."""

    outcomes: Sequence[Outcome]
    member_count: int


def subject_of(command: Command) -> UserId:
    """Whose membership the entry is about."""
    if isinstance(command, Join | Leave | AnswerInvitation):
        return command.actor.user_id
    return command.user_id
