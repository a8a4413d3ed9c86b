"""The rules of reactions, on a database in memory."""

import asyncio
from typing import Any

import pytest
from pydantic import TypeAdapter

from groups.errors import Banned, GroupNotFound, MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.errors import BadCursor, DomainError, PermissionRefused
from groups.kernel.ids import GroupId
from groups.kernel.text.emoji import Emoji, EmojiText
from groups.models import Role, Tally, Visibility, message_key, stream_of
from reactions.errors import (
    DistinctReactionsReached,
    ReactionNotAllowed,
    ReactionsPerUserReached,
)
from reactions.events import OwnReactions, ReactionsChanged
from reactions.models import Reaction
from tests.reactions.scene import (
    ADA,
    APP,
    BOB,
    FIRE,
    HEART,
    OWNER,
    STRANGER,
    TEA,
    THUMB,
    Scene,
    actor,
)


@pytest.fixture
def scene() -> Scene:
    return Scene.in_memory()


def changes(scene: Scene) -> list[ReactionsChanged]:
    return [event for event in scene.events if isinstance(event, ReactionsChanged)]


# --- reacting and taking back -------------------------------------------------------------------------------------


async def test_a_reaction_is_counted_and_is_mine(scene: Scene) -> None:
    group_id = await scene.a_group()
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    tally = await scene.reactions.react(BOB, group_id, 1, THUMB)
    assert tally == Tally(counts={THUMB: 2}, total=2, mine=(THUMB,))
    tally = await scene.reactions.react(BOB, group_id, 1, FIRE)
    assert tally == Tally(counts={THUMB: 2, FIRE: 1}, total=3, mine=tuple(sorted((THUMB, FIRE))))
    assert await scene.stored(group_id) == {THUMB: 2, FIRE: 1}


async def test_a_change_is_published_as_counts_and_whose_own_changed(scene: Scene) -> None:
    group_id = await scene.a_group()
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    assert changes(scene) == [
        ReactionsChanged(
            at=scene.clock.now(),
            stream_id=stream_of(group_id),
            group_id=group_id,
            seq=1,
            counts={THUMB: 1},
            total=1,
            own=(OwnReactions((THUMB,), (ADA.user_id,)),),
        )
    ]


async def test_reacting_twice_changes_and_publishes_nothing(scene: Scene) -> None:
    group_id = await scene.a_group()
    first = await scene.reactions.react(ADA, group_id, 1, THUMB)
    assert await scene.reactions.react(ADA, group_id, 1, THUMB) == first
    assert len(changes(scene)) == 1
    assert await scene.stored(group_id) == {THUMB: 1}


async def test_one_emoji_in_two_spellings_is_one(scene: Scene) -> None:
    group_id = await scene.a_group()
    spelled = TypeAdapter(EmojiText).validate_python
    await scene.reactions.react(ADA, group_id, 1, spelled("\u2764"))
    tally = await scene.reactions.react(BOB, group_id, 1, spelled("\u2764\ufe0f"))
    assert tally.counts == {HEART: 2}


async def test_taking_back_the_last_reaction_removes_its_emoji(scene: Scene) -> None:
    group_id = await scene.a_group()
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    await scene.reactions.react(ADA, group_id, 1, FIRE)
    tally = await scene.reactions.unreact(ADA, group_id, 1, THUMB)
    assert tally == Tally(counts={FIRE: 1}, total=1, mine=(FIRE,))
    await scene.reactions.unreact(ADA, group_id, 1, FIRE)
    assert await scene.stored(group_id) == {}
    assert changes(scene)[-1].counts == {}


async def test_taking_back_a_missing_reaction_changes_nothing(scene: Scene) -> None:
    group_id = await scene.a_group()
    assert await scene.reactions.unreact(ADA, group_id, 1, THUMB) == Tally()
    await scene.reactions.react(BOB, group_id, 1, THUMB)
    tally = await scene.reactions.unreact(ADA, group_id, 1, THUMB)
    assert tally == Tally(counts={THUMB: 1}, total=1)
    assert len(changes(scene)) == 1


async def test_in_a_channel_a_new_emoji_replaces_the_old_one(scene: Scene) -> None:
    channel_id = await scene.a_channel()
    await scene.reactions.react(ADA, channel_id, 1, THUMB)
    tally = await scene.reactions.react(ADA, channel_id, 1, FIRE)
    assert tally == Tally(counts={FIRE: 1}, total=1, mine=(FIRE,))
    assert await scene.stored(channel_id) == {FIRE: 1}
    assert [event.counts for event in changes(scene)] == [{THUMB: 1}, {FIRE: 1}]


async def test_where_one_is_allowed_a_new_emoji_replaces_several_old_ones(scene: Scene) -> None:
    group_id = await scene.a_group()
    for emoji in (THUMB, FIRE):
        await scene.reactions.react(ADA, group_id, 1, emoji)
    await scene.set(group_id, reactions_per_user=1)
    assert (await scene.reactions.react(ADA, group_id, 1, FIRE)).mine == tuple(
        sorted((THUMB, FIRE))
    )
    assert (await scene.reactions.react(ADA, group_id, 1, TEA)).mine == (TEA,)
    assert await scene.stored(group_id) == {TEA: 1}


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "visibility", "refusal"),
    [
        (STRANGER, Visibility.PRIVATE, GroupNotFound),
        (STRANGER, Visibility.PROFILE, PermissionRefused),
        (STRANGER, Visibility.PUBLIC, PermissionRefused),
        (APP, Visibility.PRIVATE, PermissionRefused),
        (APP, Visibility.PUBLIC, PermissionRefused),
    ],
)
async def test_only_members_react(
    scene: Scene, who: Actor, visibility: Visibility, refusal: type[DomainError]
) -> None:
    group_id = await scene.a_group(visibility=visibility)
    for call in (scene.reactions.react, scene.reactions.unreact):
        # Neither an absent message nor a setting may show before the membership is checked.
        for seq in (1, 99):
            with pytest.raises(refusal):
                await call(who, group_id, seq, THUMB)
    await scene.join(group_id, [who])
    assert (await scene.reactions.react(who, group_id, 1, THUMB)).total == 1


async def test_a_banned_user_gets_banned_or_not_found_in_a_private_group(scene: Scene) -> None:
    group_id = await scene.a_group()
    await scene.membership.remove(OWNER, group_id, ADA.user_id, ban=True)
    with pytest.raises(Banned):
        await scene.reactions.react(ADA, group_id, 1, THUMB)
    await scene.set(group_id, visibility=Visibility.PRIVATE)
    with pytest.raises(GroupNotFound):
        await scene.reactions.react(ADA, group_id, 1, THUMB)


async def test_a_group_that_does_not_exist_is_not_found(scene: Scene) -> None:
    for call in (scene.reactions.react, scene.reactions.unreact):
        with pytest.raises(GroupNotFound):
            await call(ADA, GroupId("nowhere"), 1, THUMB)


async def test_a_muted_member_reacts(scene: Scene) -> None:
    group_id = await scene.a_group()
    await scene.membership.change(OWNER, group_id, ADA.user_id, mute_seconds=600)
    assert (await scene.reactions.react(ADA, group_id, 1, THUMB)).total == 1


async def test_a_message_that_does_not_exist_is_not_found(scene: Scene) -> None:
    group_id = await scene.a_group()
    for call in (scene.reactions.react, scene.reactions.unreact):
        with pytest.raises(MessageNotFound):
            await call(ADA, group_id, 2, THUMB)


async def test_a_message_in_hidden_history_is_not_found(
    scene: Scene,
) -> None:
    group_id = await scene.a_group([ADA], history_visible=False)
    await scene.join(group_id, [BOB])
    seq = await scene.post(group_id)
    for call in (scene.reactions.react, scene.reactions.unreact):
        with pytest.raises(MessageNotFound):
            await call(BOB, group_id, 1, THUMB)
    with pytest.raises(MessageNotFound):
        await scene.reactions.get(BOB, group_id, 1)
    assert (await scene.reactions.react(BOB, group_id, seq, THUMB)).total == 1


async def test_a_deleted_message_refuses_reactions_and_allows_taking_back(scene: Scene) -> None:
    group_id = await scene.a_group()
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    await scene.edits.recall(OWNER, group_id, 1)
    with pytest.raises(MessageRecalled):
        await scene.reactions.react(BOB, group_id, 1, THUMB)
    assert await scene.reactions.unreact(ADA, group_id, 1, THUMB) == Tally()


@pytest.mark.parametrize(
    "settings",
    [
        {"reactions": "none"},
        {"reactions": "basic"},
        {"reactions": (THUMB,)},
        {"reactions_per_user": 1},
        {"distinct_reactions": 1},
        {"history_visible": False},
    ],
)
async def test_users_take_back_reactions_that_settings_forbid_by_now(
    scene: Scene, settings: dict[str, Any]
) -> None:
    group_id = await scene.a_group([])
    await scene.join(group_id, [ADA])  # after the message, which a hidden history hides
    for emoji in (THUMB, FIRE, TEA):
        await scene.reactions.react(ADA, group_id, 1, emoji)
    await scene.set(group_id, **settings)
    for emoji in (TEA, FIRE, THUMB):
        await scene.reactions.unreact(ADA, group_id, 1, emoji)
    assert await scene.stored(group_id) == {}


@pytest.mark.parametrize(
    ("choice", "emoji", "allowed"),
    [
        ("all", TEA, True),
        ("basic", HEART, True),
        ("basic", TEA, False),
        ("none", THUMB, False),
        ((TEA,), TEA, True),
        ((TEA,), THUMB, False),
    ],
)
async def test_the_groups_setting_decides_which_emoji_are_allowed(
    scene: Scene, choice: Any, emoji: Emoji, *, allowed: bool
) -> None:
    group_id = await scene.a_group(reactions=choice)
    if allowed:
        assert (await scene.reactions.react(ADA, group_id, 1, emoji)).total == 1
    else:
        with pytest.raises(ReactionNotAllowed):
            await scene.reactions.react(ADA, group_id, 1, emoji)
        assert await scene.stored(group_id) == {}


EMOJI = [Emoji(chr(0x1F400 + n)) for n in range(51)]  # animals


async def test_a_user_puts_at_most_ten_emoji_on_a_message(scene: Scene) -> None:
    group_id = await scene.a_group()
    for emoji in EMOJI[:10]:
        await scene.reactions.react(ADA, group_id, 1, emoji)
    with pytest.raises(ReactionsPerUserReached) as refused:
        await scene.reactions.react(ADA, group_id, 1, EMOJI[10])
    assert refused.value.details == {"limit": 10}
    assert (await scene.reactions.react(ADA, group_id, 1, EMOJI[0])).total == 10
    await scene.reactions.unreact(ADA, group_id, 1, EMOJI[0])
    assert (await scene.reactions.react(ADA, group_id, 1, EMOJI[10])).total == 10


async def test_a_message_carries_at_most_fifty_different_emoji(scene: Scene) -> None:
    users = [actor(f"u{n}") for n in range(5)]
    group_id = await scene.a_group([*users, ADA])
    for n, emoji in enumerate(EMOJI[:50]):
        await scene.reactions.react(users[n % 5], group_id, 1, emoji)
    with pytest.raises(DistinctReactionsReached) as refused:
        await scene.reactions.react(ADA, group_id, 1, EMOJI[50])
    assert refused.value.details == {"limit": 50}
    assert (await scene.reactions.react(ADA, group_id, 1, EMOJI[0])).counts[EMOJI[0]] == 2
    assert len(await scene.stored(group_id)) == 50


async def test_the_last_holder_swaps_an_emoji_on_a_full_message(scene: Scene) -> None:
    group_id = await scene.a_group(reactions_per_user=1, distinct_reactions=2)
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    await scene.reactions.react(BOB, group_id, 1, FIRE)
    assert (await scene.reactions.react(BOB, group_id, 1, TEA)).counts == {THUMB: 1, TEA: 1}
    await scene.reactions.react(BOB, group_id, 1, THUMB)
    await scene.reactions.react(OWNER, group_id, 1, FIRE)
    with pytest.raises(DistinctReactionsReached):
        await scene.reactions.react(BOB, group_id, 1, TEA)
    # The refused user keeps the old reaction.
    assert (await scene.reactions.get(BOB, group_id, 1)).mine == (THUMB,)


# --- batches ------------------------------------------------------------------------------------------------------


async def test_callers_at_the_same_time_share_a_batch_and_one_event(scene: Scene) -> None:
    users = [actor(f"u{n}") for n in range(100)]
    group_id = await scene.a_group(users)
    tallies = await asyncio.gather(
        *(scene.reactions.react(user, group_id, 1, THUMB) for user in users)
    )
    assert scene.batches == [100]
    assert [event.counts for event in changes(scene)] == [{THUMB: 100}]
    assert all(tally == Tally(counts={THUMB: 100}, total=100, mine=(THUMB,)) for tally in tallies)


async def test_in_a_batch_each_command_has_its_own_refusal(scene: Scene) -> None:
    group_id = await scene.a_group(reactions=(THUMB, FIRE))
    outcomes = await asyncio.gather(
        scene.reactions.react(ADA, group_id, 1, THUMB),
        scene.reactions.react(ADA, group_id, 1, TEA),
        scene.reactions.react(STRANGER, group_id, 1, THUMB),
        scene.reactions.react(BOB, group_id, 1, THUMB),
        scene.reactions.unreact(OWNER, group_id, 1, FIRE),
        return_exceptions=True,
    )
    assert scene.batches == [5]
    assert [type(outcome) for outcome in outcomes] == [
        Tally,
        ReactionNotAllowed,
        PermissionRefused,
        Tally,
        Tally,
    ]
    assert await scene.stored(group_id) == {THUMB: 2}


async def test_commands_apply_in_order_and_return_the_batchs_end(scene: Scene) -> None:
    channel_id = await scene.a_channel()
    tallies = await asyncio.gather(
        scene.reactions.react(ADA, channel_id, 1, THUMB),
        scene.reactions.react(ADA, channel_id, 1, FIRE),
        scene.reactions.react(BOB, channel_id, 1, THUMB),
        scene.reactions.unreact(BOB, channel_id, 1, THUMB),
    )
    assert [(tally.counts, tally.total) for tally in tallies] == [({FIRE: 1}, 1)] * 4
    assert [tally.mine for tally in tallies] == [(FIRE,), (FIRE,), (), ()]
    assert await scene.stored(channel_id) == {FIRE: 1}


async def test_a_batch_that_ends_where_it_began_publishes_nothing(scene: Scene) -> None:
    channel_id = await scene.a_channel()
    await scene.reactions.react(ADA, channel_id, 1, THUMB)
    await scene.reactions.react(BOB, channel_id, 1, FIRE)
    before = len(changes(scene))
    await asyncio.gather(
        scene.reactions.react(ADA, channel_id, 1, FIRE),
        scene.reactions.react(BOB, channel_id, 1, THUMB),
    )
    assert len(changes(scene)) == before
    assert await scene.stored(channel_id) == {THUMB: 1, FIRE: 1}
    assert (await scene.reactions.get(ADA, channel_id, 1)).mine == (FIRE,)


async def test_a_user_with_and_without_app_rights_holds_one_reaction(
    scene: Scene,
) -> None:
    group_id = await scene.a_group(visibility=Visibility.PRIVATE)
    stranger_as_app = Actor(STRANGER.user_id, is_app_admin=True)
    outcomes = await asyncio.gather(
        scene.reactions.react(STRANGER, group_id, 1, THUMB),
        scene.reactions.react(stranger_as_app, group_id, 1, THUMB),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [GroupNotFound, PermissionRefused]


async def test_closing_waits_for_submitted_reactions(scene: Scene) -> None:
    group_id = await scene.a_group()
    submitted = asyncio.create_task(scene.reactions.react(ADA, group_id, 1, THUMB))
    await asyncio.sleep(0)
    await scene.reactions.close()
    await asyncio.sleep(0)
    assert submitted.done()
    assert (await submitted).total == 1


# --- reading ------------------------------------------------------------------------------------------------------


async def test_a_page_has_a_tally_for_each_message_with_reactions(scene: Scene) -> None:
    group_id = await scene.a_group()
    for _ in range(3):
        await scene.post(group_id)
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    await scene.reactions.react(BOB, group_id, 1, THUMB)
    await scene.reactions.react(BOB, group_id, 3, FIRE)
    stream_id = stream_of(group_id)
    assert await scene.reactions.tallies(ADA, stream_id, [1, 2, 3]) == {
        1: Tally(counts={THUMB: 2}, total=2, mine=(THUMB,)),
        3: Tally(counts={FIRE: 1}, total=1, mine=()),
    }
    assert await scene.reactions.tallies(ADA, stream_id, []) == {}


async def test_readers_of_a_message_read_its_tally(scene: Scene) -> None:
    channel_id = await scene.a_channel()
    await scene.reactions.react(ADA, channel_id, 1, THUMB)
    seen = Tally(counts={THUMB: 1}, total=1)
    assert await scene.reactions.get(STRANGER, channel_id, 1) == seen
    with pytest.raises(MessageNotFound):
        await scene.reactions.get(STRANGER, channel_id, 2)
    group_id = await scene.a_group(name="@TGS#_closed")
    assert await scene.reactions.get(ADA, group_id, 1) == Tally()
    with pytest.raises(PermissionRefused):
        await scene.reactions.get(STRANGER, group_id, 1)


async def test_reactors_are_listed_in_pages_by_user(scene: Scene) -> None:
    users = [actor(name) for name in ("u", "u 1", "u1", "u10", "u2", "ü", "😀")]
    group_id = await scene.a_group(users)
    for n, user in enumerate(reversed(users)):
        scene.clock.move(1)
        await scene.reactions.react(user, group_id, 1, THUMB)
        if n % 2:
            await scene.reactions.react(user, group_id, 1, FIRE)
    seen: list[Reaction] = []
    cursor = None
    for _ in range(4):
        page, cursor = await scene.reactions.list_reactors(
            users[0], group_id, 1, THUMB, limit=2, cursor=cursor
        )
        seen += page
    assert cursor is None
    assert [reaction.user_id for reaction in seen] == [user.user_id for user in users]
    assert seen[0].at == scene.clock.now()
    with pytest.raises(BadCursor):
        await scene.reactions.list_reactors(users[0], group_id, 1, THUMB, limit=2, cursor="no")


async def test_in_a_channel_owner_and_admins_list_reactors(scene: Scene) -> None:
    channel_id = await scene.a_channel()
    await scene.reactions.react(ADA, channel_id, 1, THUMB)
    for who in (ADA, STRANGER):
        with pytest.raises(PermissionRefused):
            await scene.reactions.list_reactors(who, channel_id, 1, THUMB, limit=10, cursor=None)
    await scene.membership.change(OWNER, channel_id, BOB.user_id, role=Role.ADMIN)
    for who in (OWNER, BOB, APP):
        shown, _ = await scene.reactions.list_reactors(
            who, channel_id, 1, THUMB, limit=10, cursor=None
        )
        assert [reaction.user_id for reaction in shown] == ["ada"]


async def test_in_a_group_members_list_reactors(scene: Scene) -> None:
    group_id = await scene.a_group(visibility=Visibility.PUBLIC)
    await scene.reactions.react(ADA, group_id, 1, THUMB)
    shown, _ = await scene.reactions.list_reactors(BOB, group_id, 1, THUMB, limit=10, cursor=None)
    assert [reaction.user_id for reaction in shown] == ["ada"]
    with pytest.raises(PermissionRefused):
        await scene.reactions.list_reactors(STRANGER, group_id, 1, THUMB, limit=10, cursor=None)


# --- the end of a stream ------------------------------------------------------------------------------------------


async def test_an_ended_stream_loses_its_reactions_and_no_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reactions.service.engine.STEP", 2)
    ended, *others = [
        await scene.a_group(name=f"@TGS#_{name}") for name in ("tea", "tea2", "tea 2", "te")
    ]
    for group_id in (ended, *others):
        await scene.post(group_id)
        for who in (ADA, BOB, OWNER):
            await scene.reactions.react(who, group_id, 1, THUMB)
            await scene.reactions.react(who, group_id, 2, FIRE)
    await scene.disbanding.disband(OWNER, ended)
    await scene.cleanup.wait()
    keys = [message_key(stream_of(ended), seq) for seq in (1, 2)]
    gone = {"message_id": {"$in": keys}}
    assert await scene.database.collection("reactions").find_one(gone) is None
    assert await scene.database.collection("tallies").find_one({"_id": {"$in": keys}}) is None
    for group_id in others:
        assert await scene.stored(group_id, 1) == {THUMB: 3}
        assert await scene.stored(group_id, 2) == {FIRE: 3}
    await scene.cleanup.clear(ended)
    await scene.cleanup.clear(GroupId("never"))
