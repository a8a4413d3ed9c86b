"""The commands that change a group's membership, and their outcomes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.models import EffectiveRole, Grant, Group, Invitation, Member, Role, Stream


@dataclass(frozen=True, slots=True)
class Join:
    """The actor joins, or asks to join; `text` goes to those who approve. `code`: by this invite link."""

    actor: Actor
    text: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class OnUser:
    """The base of commands with which the actor changes the membership of a user."""

    actor: Actor
    user_id: UserId


class Add(OnUser):
    """The actor makes a user a member, or invites them where they have a say in it first."""


class Approve(OnUser):
    """The actor approves a join request."""


class Refuse(OnUser):
    """The actor refuses a join request, or withdraws their own."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The actor ends their membership."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Remove(OnUser):
    """The actor removes a user; with `ban` the user cannot join again."""

    ban: bool


class Unban(OnUser):
    """The actor lifts a ban."""


@dataclass(frozen=True, slots=True)
class UpdateMember(OnUser):
    """The actor changes a member. None leaves a field as it is; `mute_seconds` 0 ends a mute.

    `grants` counts only with the role of admin; a new admin holds all where it is None.
    """

    role: Role | None
    mute_seconds: int | None
    name_card: str | None
    grants: frozenset[Grant] | None = None


@dataclass(frozen=True, slots=True)
class BanFromReacting(OnUser):
    """The actor bans a user from reacting, or lifts that ban."""

    is_banned: bool


@dataclass(frozen=True, slots=True)
class BanFromCommenting(OnUser):
    """The actor bans a user from commenting, or lifts that ban."""

    is_banned: bool


@dataclass(frozen=True, slots=True)
class Invite(OnUser):
    """The actor invites a user, member or not, to be an admin with these grants."""

    grants: frozenset[Grant]


class RevokeInvitation(OnUser):
    """The actor revokes an invitation."""


@dataclass(frozen=True, slots=True)
class AnswerInvitation:
    """The actor accepts or declines their own invitation."""

    actor: Actor
    accept: bool


class Transfer(OnUser):
    """The actor makes a member the owner."""


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
    | BanFromCommenting
    | Invite
    | RevokeInvitation
    | AnswerInvitation
    | Transfer
)


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership after a command. `member` is None where the user is no member, or not yet.

    `changed` is False where the command changed nothing; `is_pending` is True while a join waits for approval.
    `invitation` is the user's open invitation, where the command is about it.
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
    """The import that a batch belongs to, and its actor: all batches share one entry of the admin log."""

    entry_id: str
    actor: Actor


Outcome = Literal[
    "added", "present", "not_a_person", "member_limit_reached", "groups_per_user_reached"
]
"""The outcome of one id of an import: a member now, a member already, or the code of the error."""


class SelectionQuery(Protocol):
    """The look-ups of a `Selection` about the users of a batch."""

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """The queries to send with those of the import."""

    def refusal(self) -> DomainError | None:
        """Why nobody is admitted now, once the queries are answered."""

    def excluded(self) -> Collection[UserId]:
        """The users who are passed over, once the queries are answered."""

    def record(self, outcomes: Mapping[UserId, Outcome], tx: Tx) -> None:
        """Write what became of the users, with the other writes of the transaction.

        Those who are not in `outcomes` were passed over.
        """


class Selection(Protocol):
    """Chooses among users who did not ask to be members, and remembers the choice in the transaction of the import.

    The import then respects what each user and the group's staff did before: it passes over those who are banned, who
    left or were removed, and who block the group.
    """

    def look_up(self, user_ids: Collection[UserId]) -> SelectionQuery:
        """Build the queries of one attempt."""


@dataclass(frozen=True, slots=True)
class Import:
    """The application makes many users members; an id that occurs twice counts once.

    With a `selection`, the outcomes are only those of the users who were not passed over.
    """

    user_ids: Sequence[UserId]
    mark: ImportMark | None = None
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The outcomes of one batch of an import, in the order of its ids, and the member count after it."""

    outcomes: Sequence[Outcome]
    member_count: int


def subject_of(command: Command) -> UserId:
    """The user whose membership the command changes."""
    if isinstance(command, Join | Leave | AnswerInvitation):
        return command.actor.user_id
    return command.user_id
