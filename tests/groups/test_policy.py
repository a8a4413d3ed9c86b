"""The policy, cell by cell: each table is written here a second time, so that a change must be made twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from groups import policy
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    CHANNEL_MARKER,
    AccessContext,
    Content,
    EffectiveRole,
    Grant,
    Group,
    GroupType,
    JoinOption,
    Kind,
    Member,
    Message,
    Posting,
    Restriction,
    Role,
    Visibility,
)
from tests.builders import BOB, ROOT, START

ALL = list(EffectiveRole)
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


def member_of(effective_role: EffectiveRole, *, muted: bool = False) -> Member | None:
    return a_member(ROLE_OF[effective_role], muted=muted) if effective_role in ROLE_OF else None


def a_standing(
    group: Group, effective_role: EffectiveRole, *, muted: bool = False
) -> AccessContext:
    return AccessContext(
        group=group, member=member_of(effective_role, muted=muted), effective_role=effective_role
    )


def a_message(sender: str = "bob") -> Message:
    return Message(
        stream_id=a_group().stream_id,
        seq=1,
        sender_id=UserId(sender),
        content=Content(kind=Kind.TEXT, text="hi"),
        created_at=START,
    )


def codes(refusals: dict[EffectiveRole, DomainError | None]) -> list[str | None]:
    """The error code for each effective role, from banned to the application's admin."""
    return [error.code if error else None for _, error in sorted(refusals.items())]


def by_rank(decide: Callable[[EffectiveRole], DomainError | None]) -> list[str | None]:
    return codes({effective_role: decide(effective_role) for effective_role in ALL})


DENIED = "permission_denied"
NO_POST = "posting_not_allowed"
NOT_TYPE = "not_for_this_type"
STAYS = "owner_cannot_leave"


# --- rank and sight ---------------------------------------------------------------------------------------------------


def test_the_effective_role_is_the_role_or_the_ban_or_stranger() -> None:
    ban = Restriction(group_id=GroupId("g"), user_id=BOB.user_id, banned_at=START)
    mute = Restriction(group_id=GroupId("g"), user_id=BOB.user_id, muted_until=START)
    assert policy.effective_role_of(BOB, None, None) is STRANGER
    assert policy.effective_role_of(BOB, None, ban) is BANNED
    assert policy.effective_role_of(BOB, None, mute) is STRANGER
    for effective_role, role in ROLE_OF.items():
        assert policy.effective_role_of(BOB, a_member(role), None) is effective_role
    for member, restriction in product((None, a_member()), (None, ban)):
        assert policy.effective_role_of(ROOT, member, restriction) is APP


@pytest.mark.parametrize(
    ("visibility", "seen_by"),
    [
        (Visibility.PUBLIC, ALL),
        (Visibility.PROFILE, ALL),
        (Visibility.PRIVATE, [MEMBER, ADMIN, OWNER, APP]),
    ],
)
def test_who_may_see_the_group(visibility: Visibility, seen_by: list[EffectiveRole]) -> None:
    group = a_group(visibility=visibility)
    assert [
        effective_role for effective_role in ALL if policy.may_see(group, effective_role)
    ] == seen_by


@pytest.mark.parametrize(
    ("visibility", "wanted"),
    [
        (Visibility.PUBLIC, ["banned", OK, OK, OK, OK, OK]),
        (Visibility.PROFILE, ["banned", DENIED, OK, OK, OK, OK]),
        (Visibility.PRIVATE, ["banned", DENIED, OK, OK, OK, OK]),
    ],
)
def test_who_may_read_messages(visibility: Visibility, wanted: list[str | None]) -> None:
    group = a_group(visibility=visibility)
    assert by_rank(lambda effective_role: policy.reading_refusal(group, effective_role)) == wanted


@pytest.mark.parametrize(
    ("visible", "wanted"), [(True, [0, 0, 0, 0, 0, 0]), (False, [0, 0, 3, 3, 3, 0])]
)
def test_history_before_joining_is_hidden_by_the_groups_setting(
    visible: bool, wanted: list[int]
) -> None:
    group = a_group(history_visible=visible)
    assert [
        policy.history_floor(a_standing(group, effective_role)) for effective_role in ALL
    ] == wanted


def test_who_may_list_members_of_a_group_and_of_a_channel() -> None:
    chat, channel = a_group(), a_group(is_channel=True)
    in_chat = by_rank(
        lambda effective_role: policy.listing_refusal(a_standing(chat, effective_role))
    )
    in_channel = by_rank(
        lambda effective_role: policy.listing_refusal(a_standing(channel, effective_role))
    )
    assert in_chat == [DENIED, DENIED, OK, OK, OK, OK]
    assert in_channel == STAFF_ONLY
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
def test_who_may_post(type: GroupType, posting: Posting, muted: bool, muted_all: bool) -> None:
    group = a_group(type, posting=posting, muted_all=muted_all)
    found = by_rank(
        lambda effective_role: policy.posting_refusal(
            a_standing(group, effective_role, muted=muted), START
        )
    )
    assert found == POSTING[posting, muted, muted_all]


def test_a_mute_ends_at_its_time() -> None:
    member = a_member(muted=True)
    access = AccessContext(a_group(), member, MEMBER)
    assert member.muted_until is not None
    for late, wanted in ((timedelta(milliseconds=1), "muted"), (timedelta(0), OK)):
        refusal = policy.posting_refusal(access, member.muted_until - late)
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
def test_who_may_edit(is_channel: bool, own: bool, wanted: list[str | None]) -> None:
    posting = Posting.OWNER_AND_ADMINS if is_channel else Posting.EVERYONE
    group = a_group(is_channel=is_channel, posting=posting)
    message = a_message("bob" if own else "cat")
    found = by_rank(
        lambda effective_role: policy.editing_refusal(
            a_standing(group, effective_role), message, START
        )
    )
    assert found == wanted


def test_a_sender_who_may_not_post_may_not_edit() -> None:
    access = a_standing(a_group(), MEMBER, muted=True)
    refusal = policy.editing_refusal(access, a_message(), START)
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
def test_who_may_recall(
    is_channel: bool, own: bool, seconds: int, wanted: list[str | None]
) -> None:
    group, message = a_group(is_channel=is_channel), a_message("bob" if own else "cat")
    now = START + timedelta(seconds=seconds)
    found = by_rank(
        lambda effective_role: policy.recalling_refusal(
            a_standing(group, effective_role), message, now, 120
        )
    )
    assert found == wanted


def test_who_may_react() -> None:
    group = a_group(muted_all=True)
    found = by_rank(
        lambda effective_role: policy.reacting_refusal(
            group, effective_role, member_of(effective_role, muted=True)
        )
    )
    # Reacting is personal: the application's admin does it as a member or not at all.
    assert found == ["banned", DENIED, OK, OK, OK, DENIED]
    assert policy.reacting_refusal(group, APP, a_member()) is None


def test_who_may_pin_and_who_may_freeze_reactions() -> None:
    group = a_group(is_channel=True)
    found = by_rank(
        lambda effective_role: policy.pinning_refusal(
            a_standing(group, effective_role), a_message("bob")
        )
    )
    assert found == [DENIED, DENIED, DENIED, OK, OK, OK]
    # A member's own message, too: it is not his place to silence others.
    for message in (a_message("bob"), a_message("cat")):
        refusals = [
            policy.freezing_refusal(a_standing(group, effective_role), message)
            for effective_role in ALL
        ]
        assert [refusal and refusal.code for refusal in refusals] == found


# --- members ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "stranger"),
    [
        (JoinOption.FREE, OK),
        (JoinOption.APPROVAL, OK),
        (JoinOption.INVITE, "joining_not_allowed"),
    ],
)
def test_who_may_join(option: JoinOption, stranger: str | None) -> None:
    group = a_group(join_option=option)
    found = by_rank(lambda effective_role: policy.joining_refusal(group, effective_role))
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
def test_who_may_add_members(type: GroupType, wanted: list[str | None]) -> None:
    group = a_group(type)
    assert (
        by_rank(lambda effective_role: policy.adding_refusal(a_standing(group, effective_role)))
        == wanted
    )


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
def test_who_may_leave(type: GroupType, role: Role, wanted: str | None) -> None:
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
def test_who_may_remove_whom(target: Role | None) -> None:
    whom = a_member(target, "cat") if target else None
    group = a_group()
    found = by_rank(
        lambda effective_role: policy.removing_refusal(a_standing(group, effective_role), whom)
    )
    assert found == REMOVING[target]


def test_nobody_can_remove_the_owner() -> None:
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
def test_who_may_mute_whom(type: GroupType, target: Role) -> None:
    group, whom = a_group(type), a_member(target, "cat")
    found = by_rank(
        lambda effective_role: policy.muting_refusal(a_standing(group, effective_role), whom)
    )
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
def test_who_may_appoint_whom(type: GroupType, target: Role) -> None:
    group, whom = a_group(type), a_member(target, "cat")
    found = by_rank(lambda effective_role: policy.appointing_refusal(group, effective_role, whom))
    assert found == APPOINTING[type is WORK, target]


def test_who_may_transfer_the_group() -> None:
    assert by_rank(policy.transferring_refusal) == [DENIED, DENIED, DENIED, DENIED, OK, OK]


def test_who_may_answer_join_requests() -> None:
    group = a_group()
    assert (
        by_rank(lambda effective_role: policy.managing_refusal(a_standing(group, effective_role)))
        == STAFF_ONLY
    )


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
def test_who_may_change_which_fields(
    type: GroupType, field: str, in_channel: list[str | None], in_work: list[str | None]
) -> None:
    def refusals(group: Group) -> list[str | None]:
        return by_rank(
            lambda effective_role: policy.updating_refusal(
                a_standing(group, effective_role), {field}
            )
        )

    assert refusals(a_group(type)) == (in_work if type is WORK else STAFF_ONLY)
    if type is COMMUNITY:
        assert refusals(a_group(is_channel=True)) == in_channel


def test_owner_and_admins_may_list_each_other() -> None:
    group = a_group()
    assert (
        by_rank(lambda effective_role: policy.staff_refusal(a_standing(group, effective_role)))
        == STAFF_ONLY
    )


# --- grants -----------------------------------------------------------------------------------------------------------

CHANNEL = a_group(is_channel=True, posting=Posting.OWNER_AND_ADMINS)


def an_admin(*grants: Grant) -> AccessContext:
    return AccessContext(CHANNEL, replace(a_member(Role.ADMIN), grants=frozenset(grants)), ADMIN)


ACTS: dict[str, tuple[Grant, Callable[[AccessContext], DomainError | None]]] = {
    "post": (Grant.POST, lambda s: policy.posting_refusal(s, START)),
    "edit another's": (
        Grant.EDIT_POSTS,
        lambda s: policy.editing_refusal(s, a_message("cat"), START),
    ),
    "recall another's": (
        Grant.DELETE_POSTS,
        lambda s: policy.recalling_refusal(s, a_message("cat"), START, 120),
    ),
    "list": (Grant.MANAGE_SUBSCRIBERS, policy.listing_refusal),
    "add": (Grant.MANAGE_SUBSCRIBERS, policy.adding_refusal),
    "remove": (Grant.MANAGE_SUBSCRIBERS, lambda s: policy.removing_refusal(s, None)),
    "mute": (Grant.MANAGE_SUBSCRIBERS, lambda s: policy.muting_refusal(s, a_member())),
    "ban from reacting": (
        Grant.MANAGE_SUBSCRIBERS,
        lambda s: policy.banning_from_reacting_refusal(s, a_member()),
    ),
    "rename": (Grant.CHANGE_INFO, lambda s: policy.updating_refusal(s, {"name"})),
    "change the custom data": (
        Grant.CHANGE_INFO,
        lambda s: policy.updating_refusal(s, {"more"}, info_fields={"more"}),
    ),
    "mute all": (Grant.CHANGE_SETTINGS, lambda s: policy.updating_refusal(s, {"muted_all"})),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_admin_may_do_only_what_was_granted(act: str) -> None:
    grant, decide = ACTS[act]
    for held in ([grant], list(Grant)):
        assert decide(an_admin(*held)) is None
    for held in ([], [other for other in Grant if other is not grant]):
        refusal = decide(an_admin(*held))
        assert refusal is not None
        assert refusal.code in {DENIED, NO_POST}
        assert refusal.details == {"grant": grant.value}


def test_an_admin_without_named_grants_and_the_owner_hold_all() -> None:
    for effective_role in ALL:
        access = a_standing(CHANNEL, effective_role)
        assert {access.holds(grant) for grant in Grant} == {effective_role >= ADMIN}
    unnamed, owner = a_member(Role.ADMIN), a_member(Role.OWNER)
    assert unnamed.granted == owner.granted == tuple(Grant)
    assert a_member().granted == ()


def test_grants_count_only_for_admins() -> None:
    once = replace(a_member(Role.MEMBER), grants=frozenset(Grant))
    assert not AccessContext(CHANNEL, once, MEMBER).holds(Grant.POST)


def test_an_admin_recalls_and_edits_own_posts_by_the_grant_to_post() -> None:
    own = a_message("bob")
    assert policy.recalling_refusal(an_admin(), own, START, 0) is None
    assert policy.editing_refusal(an_admin(Grant.POST), own, START) is None
    refusal = policy.editing_refusal(an_admin(), own, START)
    assert refusal is not None
    assert (refusal.code, refusal.details) == (NO_POST, {"grant": "post"})


def test_changing_profile_and_settings_together_needs_both_grants() -> None:
    fields = {"name", "reactions"}
    for held, missing in (
        ({Grant.CHANGE_INFO}, "change_settings"),
        ({Grant.CHANGE_SETTINGS}, "change_info"),
    ):
        refusal = policy.updating_refusal(an_admin(*held), fields)
        assert refusal is not None
        assert refusal.details == {"grant": missing}
    both = an_admin(Grant.CHANGE_INFO, Grant.CHANGE_SETTINGS)
    assert policy.updating_refusal(both, fields) is None


def test_who_may_invite_admins() -> None:
    def refusals(group: Group, target: Member | None) -> list[str | None]:
        return by_rank(
            lambda effective_role: policy.inviting_refusal(
                a_standing(group, effective_role), target
            )
        )

    denied = [DENIED] * 4
    for target in (None, a_member(user="cat")):
        assert refusals(CHANNEL, target) == [*denied, OK, OK]
        assert refusals(a_group(WORK), target) == [*denied, NOT_TYPE, NOT_TYPE]
    for role in (Role.ADMIN, Role.OWNER):
        assert refusals(CHANNEL, a_member(role, "cat")) == [*denied, *["already_admin"] * 2]


def test_a_user_banned_from_reacting_adds_no_reaction() -> None:
    access, message = a_standing(CHANNEL, MEMBER), a_message("cat")
    assert policy.adding_reaction_refusal(access, message) is None
    banned = replace(access, is_banned_from_reacting=True)
    refusal = policy.adding_reaction_refusal(banned, message)
    assert refusal is not None
    assert refusal.code == "reacting_banned"


@pytest.mark.parametrize("type", GroupType)
def test_who_may_disband(type: GroupType) -> None:
    owner = DENIED if type is WORK else OK
    found = by_rank(lambda effective_role: policy.disbanding_refusal(a_group(type), effective_role))
    assert found == [DENIED, DENIED, DENIED, DENIED, owner, OK]


def test_joins_and_leaves_are_announced_except_in_a_community() -> None:
    assert [type for type in GroupType if policy.announces_membership(a_group(type))] == [
        WORK,
        PUBLIC,
        MEETING,
    ]
