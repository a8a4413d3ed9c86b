"""The tables of what a group's settings allow."""

from datetime import UTC, datetime

import pytest

from groups.kernel.ids import GroupId, UserId
from groups.kernel.text.emoji import canonical_emoji
from groups.models import (
    CHANNEL_MARKER,
    AccessContext,
    EffectiveRole,
    Group,
    GroupType,
    JoinOption,
    Member,
    Posting,
    ReactionChoice,
    Role,
    Visibility,
)
from reactions import policy
from reactions.errors import (
    DistinctReactionsReached,
    ReactionNotAllowed,
    ReactionsPerUserReached,
)
from reactions.limits import BASIC_REACTIONS

EMOJI = ("👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "🔥", "🍵", "🐍")


def a_group(
    *,
    choice: ReactionChoice = "all",
    per_user: int = 10,
    distinct: int = 50,
    is_channel: bool = False,
) -> Group:
    return Group(
        group_id=GroupId("@TGS#_tea"),
        type=GroupType.COMMUNITY,
        name="Tea",
        owner_id=None,
        custom={CHANNEL_MARKER: "1"} if is_channel else {},
        posting=Posting.EVERYONE,
        join_option=JoinOption.FREE,
        visibility=Visibility.PUBLIC,
        history_visible=True,
        reactions=choice,
        reactions_per_user=per_user,
        distinct_reactions=distinct,
        member_count=1,
        created_at=datetime(2026, 5, 1, tzinfo=UTC),
        created_by=UserId("owner"),
    )


def test_the_eight_basic_reactions_are_in_canonical_spelling() -> None:
    assert len(set(BASIC_REACTIONS)) == 8
    assert [canonical_emoji(emoji) for emoji in BASIC_REACTIONS] == list(BASIC_REACTIONS)


@pytest.mark.parametrize(
    ("choice", "emoji", "allowed"),
    [
        ("all", "👍", True),
        ("all", "🍵", True),
        ("basic", "👍", True),
        ("basic", "❤️", True),
        ("basic", "🍵", False),
        ("basic", "👍🏽", False),  # a skin tone is an emoji of its own
        ("none", "👍", False),
        (("🍵", "🐍"), "🍵", True),
        (("🍵", "🐍"), "👍", False),
        ((), "👍", False),
    ],
)
def test_the_setting_decides_which_emoji_are_allowed(
    choice: ReactionChoice, emoji: str, *, allowed: bool
) -> None:
    assert policy.allows(choice, emoji) is allowed
    refusal = policy.adding_refusal(a_group(choice=choice), {}, set(), emoji)
    assert isinstance(refusal, ReactionNotAllowed) is not allowed


@pytest.mark.parametrize(
    ("per_user", "own", "freed"),
    [
        (1, set(), set()),
        (1, {"👍"}, {"👍"}),
        (1, {"👍", "🔥"}, {"👍", "🔥"}),  # held since a time when more were allowed
        (2, {"👍"}, set()),
        (10, {"👍", "🔥"}, set()),
    ],
)
def test_a_new_emoji_replaces_the_old_where_one_is_allowed(
    per_user: int, own: set[str], freed: set[str]
) -> None:
    assert policy.freed_by(a_group(per_user=per_user), own) == freed


@pytest.mark.parametrize(
    ("per_user", "held", "refused"),
    [(1, 0, False), (1, 1, False), (1, 3, False), (2, 1, False), (2, 2, True), (2, 3, True)],
)
def test_a_user_has_a_limit_of_emoji(per_user: int, held: int, *, refused: bool) -> None:
    own = set(EMOJI[:held])
    refusal = policy.adding_refusal(a_group(per_user=per_user), dict.fromkeys(own, 1), own, "🐍")
    assert isinstance(refusal, ReactionsPerUserReached) is refused
    if refusal is not None:
        assert refusal.details == {"limit": per_user}


@pytest.mark.parametrize(
    ("case", "per_user", "counts", "own", "emoji", "refused"),
    [
        ("below the limit", 10, {"👍": 1}, set(), "🔥", False),
        ("at the limit", 10, {"👍": 1, "🎉": 1}, set(), "🔥", True),
        ("joining in at the limit", 10, {"👍": 1, "🎉": 1}, set(), "🎉", False),
        ("the last holder swaps", 1, {"👍": 1, "🎉": 1}, {"👍"}, "🔥", False),
        ("another still holds the old one", 1, {"👍": 2, "🎉": 1}, {"👍"}, "🔥", True),
        ("above the limit, set lower since", 10, {"👍": 1, "🎉": 1, "😂": 1}, set(), "🔥", True),
        ("a second emoji frees nothing", 10, {"👍": 1, "🎉": 1}, {"👍"}, "🔥", True),
        ("holding it already", 10, {"👍": 1, "🎉": 1}, {"👍"}, "👍", False),
    ],
)
def test_a_message_has_a_limit_of_different_emoji(
    case: str, per_user: int, counts: dict[str, int], own: set[str], emoji: str, *, refused: bool
) -> None:
    group = a_group(per_user=per_user, distinct=2)
    refusal = policy.adding_refusal(group, counts, own, emoji)
    assert isinstance(refusal, DistinctReactionsReached) is refused, case
    if refusal is not None:
        assert refusal.details == {"limit": 2}


@pytest.mark.parametrize("is_channel", [False, True])
@pytest.mark.parametrize("effective_role", list(EffectiveRole))
def test_members_list_reactors_and_in_a_channel_owner_and_admins(
    effective_role: EffectiveRole, *, is_channel: bool
) -> None:
    admin = Member(GroupId("g"), UserId("bob"), Role.ADMIN, datetime(2026, 1, 1, tzinfo=UTC), 0)
    member = admin if effective_role == EffectiveRole.ADMIN else None
    access = AccessContext(
        group=a_group(is_channel=is_channel), member=member, effective_role=effective_role
    )
    needed = EffectiveRole.ADMIN if is_channel else EffectiveRole.MEMBER
    assert (policy.listing_refusal(access) is None) is (effective_role >= needed)
