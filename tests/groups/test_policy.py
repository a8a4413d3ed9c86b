"""Who may do what: every table cell by cell, written down here a second time so that a change needs two hands."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest

from groups import policy
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    CHANNEL_MARKER,
    Content,
    Group,
    GroupType,
    JoinOption,
    Kind,
    Member,
    Message,
    Posting,
    Rank,
    Restriction,
    Role,
    Standing,
    Visibility,
)
from tests.builders import BOB, ROOT, START

ALL = list(Rank)
BANNED, STRANGER, MEMBER, ADMIN, OWNER, APP = ALL
WORK, PUBLIC, MEETING, COMMUNITY = GroupType
OK = None

ROLE_OF = {MEMBER: Role.MEMBER, ADMIN: Role.ADMIN, OWNER: Role.OWNER}


def a_group(type: GroupType = COMMUNITY, *, is_channel: bool = False, **other: object) -> Group:
    values: dict[str, object] = {
        "group_id": "g",
        "type": type,
        "name": "Tea",
        "owner_id": "ada",
        "posting": Posting.EVERYONE,
        "join_option": JoinOption.FREE,
        "visibility": Visibility.PROFILE,
        "history_visible": True,
        "reactions_per_user": 10,
        "distinct_reactions": 50,
        "member_count": 1,
        "created_at": START,
        "created_by": "ada",
        "custom": {CHANNEL_MARKER: "1"} if is_channel else {},
    }
    return Group.model_validate(values | other)


def a_member(role: Role = Role.MEMBER, user: str = "bob", *, muted: bool = False) -> Member:
    return Member(
        group_id=GroupId("g"),
        user_id=UserId(user),
        role=role,
        joined_at=START,
        joined_seq=3,
        muted_until=START + timedelta(seconds=1) if muted else None,
    )


def member_of(rank: Rank, *, muted: bool = False) -> Member | None:
    return a_member(ROLE_OF[rank], muted=muted) if rank in ROLE_OF else None


def a_standing(group: Group, rank: Rank, *, muted: bool = False) -> Standing:
    return Standing(group=group, member=member_of(rank, muted=muted), rank=rank)


def a_message(sender: str = "bob") -> Message:
    return Message(
        stream_id=a_group().stream_id,
        seq=1,
        sender_id=UserId(sender),
        content=Content(kind=Kind.TEXT, text="hi"),
        created_at=START,
    )


def codes(refusals: dict[Rank, DomainError | None]) -> list[str | None]:
    """The code of each rank's refusal, banned to app admin."""
    return [error.code if error else None for _, error in sorted(refusals.items())]


def by_rank(decide: Callable[[Rank], DomainError | None]) -> list[str | None]:
    return codes({rank: decide(rank) for rank in ALL})


DENIED = "permission_denied"
NO_POST = "posting_not_allowed"
NOT_TYPE = "not_for_this_type"
STAYS = "owner_cannot_leave"


# --- rank and sight ---------------------------------------------------------------------------------------------------


def test_the_rank_is_the_role_the_ban_or_nothing() -> None:
    ban = Restriction(group_id=GroupId("g"), user_id=BOB.user_id, banned_at=START)
    mute = Restriction(group_id=GroupId("g"), user_id=BOB.user_id, muted_until=START)
    assert policy.rank_of(BOB, None, None) is STRANGER
    assert policy.rank_of(BOB, None, ban) is BANNED
    assert policy.rank_of(BOB, None, mute) is STRANGER
    for rank, role in ROLE_OF.items():
        assert policy.rank_of(BOB, a_member(role), None) is rank
    for member, restriction in product((None, a_member()), (None, ban)):
        assert policy.rank_of(ROOT, member, restriction) is APP


@pytest.mark.parametrize(
    ("visibility", "seen_by"),
    [
        (Visibility.PUBLIC, ALL),
        (Visibility.PROFILE, ALL),
        (Visibility.PRIVATE, [MEMBER, ADMIN, OWNER, APP]),
    ],
)
def test_who_sees_the_group(visibility: Visibility, seen_by: list[Rank]) -> None:
    group = a_group(visibility=visibility)
    assert [rank for rank in ALL if policy.may_see(group, rank)] == seen_by


@pytest.mark.parametrize(
    ("visibility", "wanted"),
    [
        (Visibility.PUBLIC, ["banned", OK, OK, OK, OK, OK]),
        (Visibility.PROFILE, ["banned", DENIED, OK, OK, OK, OK]),
        (Visibility.PRIVATE, ["banned", DENIED, OK, OK, OK, OK]),
    ],
)
def test_who_reads(visibility: Visibility, wanted: list[str | None]) -> None:
    group = a_group(visibility=visibility)
    assert by_rank(lambda rank: policy.reading_refusal(group, rank)) == wanted


@pytest.mark.parametrize(
    ("visible", "wanted"), [(True, [0, 0, 0, 0, 0, 0]), (False, [0, 0, 3, 3, 3, 0])]
)
def test_history_before_joining_is_hidden_where_the_group_says_so(
    visible: bool, wanted: list[int]
) -> None:
    group = a_group(history_visible=visible)
    assert [policy.history_floor(a_standing(group, rank)) for rank in ALL] == wanted


def test_members_are_listed_to_members_but_in_a_channel_to_staff_only() -> None:
    chat, channel = a_group(), a_group(is_channel=True)
    assert [r for r in ALL if policy.may_list_members(chat, r)] == [MEMBER, ADMIN, OWNER, APP]
    assert [r for r in ALL if policy.may_list_members(channel, r)] == [ADMIN, OWNER, APP]
    assert [r for r in ALL if policy.may_see_sender(chat, r)] == ALL
    assert [r for r in ALL if policy.may_see_sender(channel, r)] == [ADMIN, OWNER, APP]


# --- messages ---------------------------------------------------------------------------------------------------------

POSTING = {
    # (posting, muted himself, everyone muted): banned, stranger, member, admin, owner, app admin
    (Posting.EVERYONE, False, False): ["banned", NO_POST, OK, OK, OK, OK],
    (Posting.EVERYONE, True, False): ["banned", NO_POST, "muted", "muted", OK, OK],
    (Posting.EVERYONE, False, True): ["banned", NO_POST, "muted", OK, OK, OK],
    (Posting.EVERYONE, True, True): ["banned", NO_POST, "muted", "muted", OK, OK],
    (Posting.OWNER_AND_ADMINS, False, False): ["banned", NO_POST, NO_POST, OK, OK, OK],
    (Posting.OWNER_AND_ADMINS, True, False): ["banned", NO_POST, NO_POST, "muted", OK, OK],
    (Posting.OWNER_AND_ADMINS, False, True): ["banned", NO_POST, NO_POST, OK, OK, OK],
    (Posting.OWNER_AND_ADMINS, True, True): ["banned", NO_POST, NO_POST, "muted", OK, OK],
}


@pytest.mark.parametrize("type", GroupType)
@pytest.mark.parametrize(
    ("posting", "muted", "muted_all"), list(product(Posting, *[[False, True]] * 2))
)
def test_who_posts(type: GroupType, posting: Posting, muted: bool, muted_all: bool) -> None:
    group = a_group(type, posting=posting, muted_all=muted_all)
    found = by_rank(
        lambda rank: policy.posting_refusal(group, member_of(rank, muted=muted), rank, START)
    )
    assert found == POSTING[posting, muted, muted_all]


def test_a_mute_ends_at_its_instant() -> None:
    group, member = a_group(), a_member(muted=True)
    assert member.muted_until is not None
    for late, wanted in ((timedelta(milliseconds=1), "muted"), (timedelta(0), OK)):
        refusal = policy.posting_refusal(group, member, MEMBER, member.muted_until - late)
        assert (refusal.code if refusal else None) == wanted


@pytest.mark.parametrize(
    ("is_channel", "own", "wanted"),
    [
        (False, True, ["banned", NO_POST, OK, OK, OK, OK]),
        (False, False, ["banned", NO_POST, DENIED, DENIED, DENIED, OK]),
        (True, True, ["banned", NO_POST, NO_POST, OK, OK, OK]),
        (True, False, ["banned", NO_POST, NO_POST, OK, OK, OK]),
    ],
)
def test_who_edits(is_channel: bool, own: bool, wanted: list[str | None]) -> None:
    posting = Posting.OWNER_AND_ADMINS if is_channel else Posting.EVERYONE
    group = a_group(is_channel=is_channel, posting=posting)
    message = a_message("bob" if own else "cat")
    found = by_rank(lambda rank: policy.editing_refusal(a_standing(group, rank), message, START))
    assert found == wanted


def test_who_may_no_longer_write_may_no_longer_edit() -> None:
    standing = a_standing(a_group(), MEMBER, muted=True)
    refusal = policy.editing_refusal(standing, a_message(), START)
    assert refusal is not None
    assert refusal.code == "muted"


LATE = "recall_too_late"


@pytest.mark.parametrize(
    ("is_channel", "own", "seconds", "wanted"),
    [
        (False, True, 120, [DENIED, DENIED, OK, OK, OK, OK]),
        (False, True, 121, [DENIED, DENIED, LATE, OK, OK, OK]),
        (False, False, 0, [DENIED, DENIED, DENIED, OK, OK, OK]),
        (True, True, 0, [DENIED, DENIED, DENIED, OK, OK, OK]),
        (True, False, 9999, [DENIED, DENIED, DENIED, OK, OK, OK]),
    ],
)
def test_who_recalls(is_channel: bool, own: bool, seconds: int, wanted: list[str | None]) -> None:
    group, message = a_group(is_channel=is_channel), a_message("bob" if own else "cat")
    now = START + timedelta(seconds=seconds)
    found = by_rank(
        lambda rank: policy.recalling_refusal(a_standing(group, rank), message, now, 120)
    )
    assert found == wanted


def test_who_reacts() -> None:
    group = a_group(muted_all=True)
    found = by_rank(lambda rank: policy.reacting_refusal(group, rank, member_of(rank, muted=True)))
    # Reacting is personal: the application's admin does it as a member or not at all.
    assert found == ["banned", DENIED, OK, OK, OK, DENIED]
    assert policy.reacting_refusal(group, APP, a_member()) is None


# --- members ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "stranger"),
    [
        (JoinOption.FREE, OK),
        (JoinOption.APPROVAL, OK),
        (JoinOption.INVITE, "joining_not_allowed"),
    ],
)
def test_who_joins(option: JoinOption, stranger: str | None) -> None:
    group = a_group(join_option=option)
    found = by_rank(lambda rank: policy.joining_refusal(group, rank))
    assert (found[0], found[1], found[5]) == ("banned", stranger, OK)


@pytest.mark.parametrize(
    ("type", "wanted"),
    [
        (WORK, [DENIED, DENIED, OK, OK, OK, OK]),
        (PUBLIC, [DENIED, DENIED, DENIED, OK, OK, OK]),
        (MEETING, [DENIED, DENIED, DENIED, OK, OK, OK]),
        (COMMUNITY, [DENIED, DENIED, DENIED, OK, OK, OK]),
    ],
)
def test_who_adds(type: GroupType, wanted: list[str | None]) -> None:
    assert by_rank(lambda rank: policy.adding_refusal(a_group(type), rank)) == wanted


@pytest.mark.parametrize(
    ("type", "role", "wanted"),
    [
        *((type, role, OK) for type in GroupType for role in (Role.MEMBER, Role.ADMIN)),
        (WORK, Role.OWNER, OK),
        (PUBLIC, Role.OWNER, STAYS),
        (MEETING, Role.OWNER, STAYS),
        (COMMUNITY, Role.OWNER, STAYS),
    ],
)
def test_who_leaves(type: GroupType, role: Role, wanted: str | None) -> None:
    refusal = policy.leaving_refusal(a_group(type), a_member(role))
    assert (refusal.code if refusal else None) == wanted


REMOVING = {
    # whom: banned, stranger, member, admin, owner, app admin
    None: [DENIED, DENIED, DENIED, OK, OK, OK],
    Role.MEMBER: [DENIED, DENIED, DENIED, OK, OK, OK],
    Role.ADMIN: [DENIED, DENIED, DENIED, DENIED, OK, OK],
    Role.OWNER: [DENIED, DENIED, DENIED, DENIED, DENIED, OK],
}


@pytest.mark.parametrize("target", REMOVING)
def test_who_removes_whom(target: Role | None) -> None:
    whom = a_member(target, "cat") if target else None
    assert by_rank(lambda rank: policy.removing_refusal(rank, whom)) == REMOVING[target]


def test_the_owner_is_removed_by_nobody() -> None:
    for role in (Role.MEMBER, Role.ADMIN):
        assert policy.removing_owner_refusal(a_member(role)) is None
    assert policy.removing_owner_refusal(None) is None
    refusal = policy.removing_owner_refusal(a_member(Role.OWNER))
    assert refusal is not None
    assert refusal.code == STAYS


MUTING = {
    (False, Role.MEMBER): [DENIED, DENIED, DENIED, OK, OK, OK],
    (False, Role.ADMIN): [DENIED, DENIED, DENIED, DENIED, OK, OK],
    (False, Role.OWNER): [DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
    (True, Role.MEMBER): [DENIED, DENIED, DENIED, NOT_TYPE, NOT_TYPE, NOT_TYPE],
    (True, Role.ADMIN): [DENIED, DENIED, DENIED, DENIED, NOT_TYPE, NOT_TYPE],
    (True, Role.OWNER): [DENIED, DENIED, DENIED, DENIED, DENIED, DENIED],
}


@pytest.mark.parametrize("type", GroupType)
@pytest.mark.parametrize("target", Role)
def test_who_mutes_whom(type: GroupType, target: Role) -> None:
    group, whom = a_group(type), a_member(target, "cat")
    found = by_rank(lambda rank: policy.muting_refusal(group, rank, whom))
    assert found == MUTING[type is WORK, target]


APPOINTING = {
    (False, Role.MEMBER): [DENIED, DENIED, DENIED, DENIED, OK, OK],
    (False, Role.ADMIN): [DENIED, DENIED, DENIED, DENIED, OK, OK],
    (False, Role.OWNER): [DENIED] * 6,
    (True, Role.MEMBER): [DENIED, DENIED, DENIED, DENIED, NOT_TYPE, NOT_TYPE],
    (True, Role.ADMIN): [DENIED, DENIED, DENIED, DENIED, NOT_TYPE, NOT_TYPE],
    (True, Role.OWNER): [DENIED, DENIED, DENIED, DENIED, NOT_TYPE, NOT_TYPE],
}


@pytest.mark.parametrize("type", GroupType)
@pytest.mark.parametrize("target", Role)
def test_who_appoints_whom(type: GroupType, target: Role) -> None:
    group, whom = a_group(type), a_member(target, "cat")
    found = by_rank(lambda rank: policy.appointing_refusal(group, rank, whom))
    assert found == APPOINTING[type is WORK, target]


def test_who_gives_the_group_away() -> None:
    assert by_rank(policy.transferring_refusal) == [DENIED, DENIED, DENIED, DENIED, OK, OK]


def test_who_answers_join_requests() -> None:
    assert [rank for rank in ALL if policy.may_manage_requests(rank)] == [ADMIN, OWNER, APP]


# --- groups -----------------------------------------------------------------------------------------------------------

STAFF_ONLY = [DENIED, DENIED, DENIED, OK, OK, OK]
FIXED = [DENIED, DENIED, DENIED, *["fixed_in_channel"] * 3]
UNKNOWN = [DENIED, DENIED, DENIED, *[NOT_TYPE] * 3]


@pytest.mark.parametrize("type", GroupType)
@pytest.mark.parametrize(
    ("field", "in_channel", "in_work"),
    [
        ("name", STAFF_ONLY, STAFF_ONLY),
        ("introduction", STAFF_ONLY, STAFF_ONLY),
        ("custom", STAFF_ONLY, STAFF_ONLY),
        ("reactions", STAFF_ONLY, STAFF_ONLY),
        ("muted_all", STAFF_ONLY, UNKNOWN),
        ("posting", FIXED, STAFF_ONLY),
        ("history_visible", FIXED, STAFF_ONLY),
        ("visibility", FIXED, STAFF_ONLY),
        ("join_option", FIXED, UNKNOWN),
    ],
)
def test_who_changes_what(
    type: GroupType, field: str, in_channel: list[str | None], in_work: list[str | None]
) -> None:
    found = by_rank(lambda rank: policy.updating_refusal(a_group(type), rank, {field}))
    assert found == (in_work if type is WORK else STAFF_ONLY)
    if type is COMMUNITY:
        channel = a_group(is_channel=True)
        assert by_rank(lambda rank: policy.updating_refusal(channel, rank, {field})) == in_channel


@pytest.mark.parametrize("type", GroupType)
def test_who_disbands(type: GroupType) -> None:
    owner = DENIED if type is WORK else OK
    found = by_rank(lambda rank: policy.disbanding_refusal(a_group(type), rank))
    assert found == [DENIED, DENIED, DENIED, DENIED, owner, OK]


def test_joins_and_leaves_are_told_where_members_know_each_other() -> None:
    assert [type for type in GroupType if policy.announces_membership(a_group(type))] == [
        WORK,
        PUBLIC,
        MEETING,
    ]
