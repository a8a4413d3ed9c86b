"""Groups: create, read, list, change, disband, clean up."""

import asyncio

import pytest

from groups.errors import (
    BadGroupId,
    BadMemberLimit,
    CustomFieldLimitReached,
    FixedInChannel,
    GroupIdTaken,
    GroupNotFound,
    GroupsPerUserReached,
    MemberLimitReached,
    ReservedCustomField,
)
from groups.events import GroupDisbanded, GroupUpdated, MembersJoined
from groups.kernel.errors import BadCursor, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import (
    CHANNEL_MARKER,
    AccessContext,
    EffectiveRole,
    GroupType,
    Posting,
    Role,
    Stream,
    Visibility,
)
from groups.service.hooks import Hooks
from groups.service.lifecycle.cleanup import STEP
from groups.service.lifecycle.create import NewGroup
from groups.service.lifecycle.update import GroupChanges
from tests.builders import (
    ADA,
    BOB,
    CAT,
    ROOT,
    START,
    Leaving,
    OpenWorld,
    World,
    a_user,
    mock_world,
    text,
)

COMMUNITY, MEETING = GroupType.COMMUNITY, GroupType.MEETING


def tea(**other: object) -> NewGroup:
    return NewGroup.model_validate({"type": COMMUNITY, "name": "Tea", **other})


# --- create -----------------------------------------------------------------------------------------------------------


async def test_the_creator_owns_the_group_and_is_its_first_member(world: World) -> None:
    access = await world.creation.create(ADA, tea())
    assert access.effective_role is EffectiveRole.OWNER
    assert await world.members(access.group.group_id) == {"ada": Role.OWNER}
    joined = world.take(MembersJoined)
    assert [(event.user_ids, event.member_count) for event in joined] == [(("ada",), 1)]
    _, stream = await world.groups.get(ADA, access.group.group_id)
    assert (stream.head_seq, stream.last) == (0, None)


async def test_a_generated_id_has_the_prefix_of_its_type(world: World) -> None:
    community = (await world.creation.create(ADA, tea())).group.group_id
    meeting = (await world.creation.create(ADA, tea(type=MEETING))).group.group_id
    assert community.startswith("@TGS#_")
    assert meeting.isalnum()


@pytest.mark.parametrize("type", GroupType)
@pytest.mark.parametrize("group_id", ["@TGS#_", "tea", "@TGS#_tea", "@TOA#_tea", "@tea"])
async def test_a_chosen_id_must_fit_its_type(world: World, type: GroupType, group_id: str) -> None:
    fits = {"@TGS#_tea"} if type is COMMUNITY else {"tea"}
    creating = world.creation.create(ADA, tea(type=type, group_id=group_id))
    if group_id in fits:
        assert (await creating).group.group_id == group_id
    else:
        with pytest.raises(BadGroupId):
            await creating


async def test_an_id_that_is_taken_is_refused(world: World) -> None:
    await world.creation.create(ADA, tea(group_id="@TGS#_tea"))
    for actor in (ADA, BOB):
        with pytest.raises(GroupIdTaken):
            await world.creation.create(actor, tea(group_id="@TGS#_tea"))
    assert await world.members(GroupId("@TGS#_tea")) == {"ada": Role.OWNER}


@pytest.mark.parametrize("group_id", [None, "@TGS#_tea"])
async def test_the_same_key_creates_one_group(world: World, group_id: str | None) -> None:
    first = await world.creation.create(ADA, tea(group_id=group_id), key="k")
    world.heard.clear()
    again = await world.creation.create(ADA, tea(group_id=group_id), key="k")
    assert again.group == first.group
    assert world.heard == []
    assert len(await world.rows("groups")) == 1


async def test_the_same_key_with_another_request_is_a_conflict(world: World) -> None:
    await world.creation.create(ADA, tea(), key="k")
    with pytest.raises(IdempotencyConflict):
        await world.creation.create(ADA, tea(name="Coffee"), key="k")
    assert len(await world.rows("groups")) == 1


async def test_two_users_may_use_the_same_key(world: World) -> None:
    first = await world.creation.create(ADA, tea(), key="k")
    other = await world.creation.create(BOB, tea(), key="k")
    assert first.group.group_id != other.group.group_id
    assert other.group.owner_id == BOB.user_id
    with pytest.raises(GroupIdTaken):
        await world.creation.create(CAT, tea(group_id=first.group.group_id), key="k")


@pytest.mark.parametrize("limit", [1, 5])
async def test_a_groups_own_member_limit_cannot_exceed_its_types(limit: int) -> None:
    world = mock_world(meeting_members=5)
    new = tea(type=MEETING, member_limit=limit)
    group = (await world.creation.create(ADA, new)).group
    assert group.limit_of_members(world.limits) == limit
    for bad in (0, -1, 6):
        with pytest.raises(BadMemberLimit):
            await world.creation.create(ADA, new.model_copy(update={"member_limit": bad}))


async def test_a_groups_own_member_limit_holds(world: World) -> None:
    group_id = await world.group(BOB, member_limit=2)
    with pytest.raises(MemberLimitReached) as refused:
        await world.membership.join(CAT, group_id)
    assert refused.value.details == {"limit": 2}


async def test_a_created_group_counts_against_the_users_limit() -> None:
    world = mock_world(groups_per_user=2)
    await world.creation.create(ADA, tea())
    await world.creation.create(ADA, tea())
    with pytest.raises(GroupsPerUserReached) as refused:
        await world.creation.create(ADA, tea())
    assert refused.value.details == {"limit": 2}
    assert len(await world.rows("groups")) == 2


# --- read -------------------------------------------------------------------------------------------------------------


async def test_a_group_is_returned_with_the_actors_role(world: World) -> None:
    group_id = await world.group(BOB)
    await world.post(ADA, group_id)
    effective_roles = {
        actor: (await world.groups.get(actor, group_id))[0].effective_role
        for actor in (ADA, BOB, CAT)
    }
    assert effective_roles == {
        ADA: EffectiveRole.OWNER,
        BOB: EffectiveRole.MEMBER,
        CAT: EffectiveRole.STRANGER,
    }
    access, stream = await world.groups.get(BOB, group_id)
    assert access.group.member_count == 2
    assert stream.head_seq == 1
    with pytest.raises(GroupNotFound):
        await world.groups.get(ADA, GroupId("@TGS#_none"))


async def test_several_groups_come_in_order_each_with_its_own_error(
    world: World,
) -> None:
    one = await world.group(BOB)
    hidden = await world.group(type=GroupType.WORK)
    other = await world.group(type=MEETING)
    asked = [other, GroupId("none"), hidden, one]
    found = await world.groups.get_many(BOB, asked)
    assert [_shown(item) for item in found] == [other, "group_not_found", "group_not_found", one]
    assert [_shown(item) for item in await world.groups.get_many(ADA, asked)] == [
        other,
        "group_not_found",
        hidden,
        one,
    ]


def _shown(item: object) -> str:
    match item:
        case (AccessContext() as access, Stream()):
            return access.group.group_id
        case GroupNotFound():
            return item.code
        case _:
            raise AssertionError(item)


async def test_joined_groups_are_paged_without_repeats(world: World) -> None:
    ids = {await world.group(BOB, name=str(number)) for number in range(5)}
    await world.group()
    found: list[GroupId] = []
    sizes: list[int] = []
    cursor: str | None = None
    while True:
        page, cursor = await world.groups.list_joined(BOB, limit=2, cursor=cursor)
        found += [access.group.group_id for access, _ in page]
        sizes.append(len(page))
        if cursor is None:
            break
    assert found == sorted(ids)
    assert sizes == [2, 2, 1]
    with pytest.raises(BadCursor):
        await world.groups.list_joined(BOB, limit=2, cursor="forged")


async def test_a_full_last_page_has_no_next_cursor(world: World) -> None:
    for _ in range(4):
        await world.group()
    page, cursor = await world.groups.list_joined(ADA, limit=4, cursor=None)
    assert (len(page), cursor) == (4, None)


# --- change -----------------------------------------------------------------------------------------------------------


async def test_a_change_is_stored_and_published_once_with_new_values(world: World) -> None:
    group_id = await world.group(BOB)
    await world.updates.update(
        ADA, group_id, GroupChanges(name="Coffee", posting=Posting.OWNER_AND_ADMINS)
    )
    (event,) = world.take(GroupUpdated)
    assert event.changed == {"name": "Coffee", "posting": "owner_and_admins"}
    group = (await world.groups.get(BOB, group_id))[0].group
    assert (group.name, group.posting, group.version) == (
        "Coffee",
        Posting.OWNER_AND_ADMINS,
        event.version,
    )
    assert event.version == 2


async def test_a_change_to_the_same_values_publishes_nothing(world: World) -> None:
    group_id = await world.group()
    before = (await world.groups.get(ADA, group_id))[0].group
    for changes in (GroupChanges(), GroupChanges(name="Tea", custom={"none": None})):
        await world.updates.update(ADA, group_id, changes)
    assert world.heard == []
    assert (await world.groups.get(ADA, group_id))[0].group == before


async def test_only_the_owner_and_admins_change_a_group(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    for actor in (BOB, a_user("stranger")):
        with pytest.raises(PermissionRefused):
            await world.updates.update(actor, group_id, GroupChanges(name="Mine"))
    for number, actor in enumerate((CAT, ADA, ROOT)):
        await world.updates.update(actor, group_id, GroupChanges(name=f"Ours {number}"))
    assert (await world.groups.get(BOB, group_id))[0].group.name == "Ours 2"


async def test_the_fixed_settings_of_a_channel_cannot_be_changed(world: World) -> None:
    group_id = await world.channel()
    await world.updates.update(ADA, group_id, GroupChanges(name="News"))
    for changes in (
        GroupChanges(posting=Posting.EVERYONE),
        GroupChanges(visibility=Visibility.PRIVATE),
        GroupChanges(history_visible=False),
    ):
        with pytest.raises(FixedInChannel):
            await world.updates.update(ADA, group_id, changes)


async def test_marking_a_group_flags_its_stream_as_a_channel(world: World) -> None:
    group_id = await world.channel(BOB)
    access, stream = await world.groups.get(BOB, group_id)
    assert access.group.is_channel
    assert stream.is_channel
    assert access.group.custom == {CHANNEL_MARKER: "1"}


async def test_a_change_by_a_higher_package_alone_is_published(
    open_world: OpenWorld,
) -> None:
    world = await open_world()
    group_id = await world.channel()
    before = (await world.groups.get(ADA, group_id))[0].group

    async def change(tx: Tx) -> None:
        await world.updates.update_in(
            ADA, group_id, GroupChanges(), tx, also_changed={"organization": "House of Tea"}
        )

    await world.database.run(change)
    event = (await world.outbox())[-1]
    assert isinstance(event, GroupUpdated)
    assert event.changed == {"organization": "House of Tea"}
    # The version tells of it as of a change of the group's own: what is shown of the group is newer.
    after = before.model_copy(update={"version": event.version})
    assert (await world.groups.get(ADA, group_id))[0].group == after
    assert event.version == before.version + 1


# --- custom fields ----------------------------------------------------------------------------------------------------


def fields(number: int) -> dict[str, str]:
    return {f"key_{n}": "v" for n in range(number)}


async def test_a_group_has_ten_custom_fields_and_refuses_one_more(world: World) -> None:
    made = (await world.creation.create(ADA, tea(custom=fields(10)))).group
    assert made.custom == fields(10)
    with pytest.raises(CustomFieldLimitReached) as refused:
        await world.creation.create(ADA, tea(custom=fields(11)))
    assert refused.value.details == {"limit": 10}


async def test_custom_fields_are_merged_and_null_removes_one(world: World) -> None:
    group_id = await world.group(custom=fields(10))
    with pytest.raises(CustomFieldLimitReached):
        await world.updates.update(ADA, group_id, GroupChanges(custom={"more": "v"}))
    world.heard.clear()
    await world.updates.update(
        ADA, group_id, GroupChanges(custom={"key_0": None, "more": "v", "key_1": "w"})
    )
    wanted: dict[str, str] = {**fields(10), "key_1": "w", "more": "v"}
    del wanted["key_0"]
    assert (await world.groups.get(ADA, group_id))[0].group.custom == wanted
    (event,) = world.take(GroupUpdated)
    assert event.changed == {"custom": wanted}


async def test_the_channel_marker_is_reserved_and_counts_as_no_custom_field(world: World) -> None:
    with pytest.raises(ReservedCustomField):
        await world.creation.create(ADA, tea(custom={CHANNEL_MARKER: "1"}))
    group_id = await world.group()
    for value in ("1", None):
        with pytest.raises(ReservedCustomField):
            await world.updates.update(ADA, group_id, GroupChanges(custom={CHANNEL_MARKER: value}))
    channel_id = await world.channel()
    await world.updates.update(ADA, channel_id, GroupChanges(custom={**fields(10)}))
    custom = (await world.groups.get(ADA, channel_id))[0].group.custom
    assert custom == {CHANNEL_MARKER: "1", **fields(10)}
    with pytest.raises(CustomFieldLimitReached):
        await world.updates.update(ADA, channel_id, GroupChanges(custom={"more": "v"}))


# --- disband ----------------------------------------------------------------------------------------------------------

COLLECTIONS = (
    "groups",
    "streams",
    "members",
    "messages",
    "restrictions",
    "join_requests",
    "disbanded",
)


async def _left(world: World, group_id: GroupId) -> dict[str, int]:
    """What is stored of the group, by collection."""
    counts: dict[str, int] = {}
    for name in COLLECTIONS:
        rows = await world.rows(name)
        counts[name] = sum(group_id in (row.get("group_id"), *_parts(row["_id"])) for row in rows)
    return {name: count for name, count in counts.items() if count}


def _parts(key: str) -> list[str]:
    return [part.removeprefix("group_") for part in key.split("\x1f")]


async def _lived_in(world: World) -> GroupId:
    """A group with documents in every collection."""
    group_id = await world.group(BOB, CAT, type=GroupType.PUBLIC, group_id=GroupId("tea"))
    await world.post(ADA, group_id)
    await world.post(BOB, group_id)
    await world.membership.remove(ADA, group_id, CAT.user_id, ban=True)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    await world.membership.join(a_user("dan"), group_id)
    world.heard.clear()
    return group_id


async def test_a_disbanded_group_is_gone_at_once_with_one_event(world: World) -> None:
    group_id = await _lived_in(world)
    await world.disbanding.disband(ADA, group_id)
    assert [event.group_id for event in world.take(GroupDisbanded)] == [group_id]
    for refused in (
        world.groups.get(ADA, group_id),
        world.disbanding.disband(ADA, group_id),
        world.messages.post(ADA, group_id, text()),
        world.messages.list_messages(ADA, group_id, limit=1),
        world.membership.join(BOB, group_id),
    ):
        with pytest.raises(GroupNotFound):
            await refused
    assert (await world.groups.list_joined(BOB, limit=9, cursor=None))[0] == []
    await world.chat.cleanup.wait()


async def test_what_a_disbanded_group_leaves_is_deleted(open_world: OpenWorld) -> None:
    ended: list[str] = []
    leaving = Leaving()

    async def stream_ended(stream_id: str) -> None:
        ended.append(stream_id)

    world = await open_world(hooks=Hooks(stream_ended=[stream_ended], members_left=[leaving]))
    group_id = await _lived_in(world)
    other = await world.group(BOB)
    await world.post(BOB, other)
    kept = await _left(world, other)
    leaving.left.clear()
    await world.disbanding.disband(ADA, group_id)
    await world.chat.cleanup.wait()
    assert await _left(world, group_id) == {}
    assert await _left(world, other) == kept
    assert ended == ["group_tea"]
    assert sorted(leaving.left) == ["ada", "bob"]


async def _disband_and_crash(world: World, group_id: GroupId) -> None:
    """Disband, and stop before the cleanup begins."""
    await world.disbanding.disband(ADA, group_id)
    await world.chat.cleanup.stop()


async def test_after_a_crash_the_next_start_finishes_the_cleanup(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await _lived_in(world)
    await _disband_and_crash(world, group_id)
    assert (await _left(world, group_id))["disbanded"] == 1
    next_start = await open_world()
    with pytest.raises(GroupIdTaken):
        await next_start.creation.create(BOB, tea(type=MEETING, group_id="tea"))
    await next_start.chat.cleanup.resume()
    await next_start.chat.cleanup.wait()
    assert await _left(world, group_id) == {}


async def test_a_new_group_of_the_same_id_inherits_nothing(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await _lived_in(world)
    await world.disbanding.disband(ADA, group_id)
    await world.chat.cleanup.wait()
    again = (await world.creation.create(BOB, tea(type=MEETING, group_id="tea"))).group
    assert again.group_id == group_id
    assert await world.members(group_id) == {"bob": Role.OWNER}
    assert await world.seqs(BOB, group_id) == []
    assert (await world.bans(group_id), await world.requests(group_id)) == ([], [])
    # Who was banned there may come in here, and the muted one is not.
    assert (await world.membership.join(CAT, group_id)).member is not None
    assert (await world.member(group_id, BOB)).muted_until is None
    assert await world.post(BOB, group_id) == 1


async def test_two_processes_may_clean_up_the_same_group(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await _lived_in(world)
    await _disband_and_crash(world, group_id)
    other = await open_world()
    await asyncio.gather(*(w.chat.cleanup.clear(group_id) for w in (world, other, world, other)))
    assert await _left(world, group_id) == {}


@pytest.mark.parametrize("commands", range(6))
async def test_a_late_cleanup_takes_nothing_from_a_new_group_of_that_id(
    open_world: OpenWorld, commands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process stops between two steps; another finishes, and the id is used again."""
    world = await open_world()
    group_id = await _lived_in(world)
    await _disband_and_crash(world, group_id)
    lagging = await open_world()
    run, ran = lagging.database.run, 0

    async def used_again() -> None:
        await world.chat.cleanup.clear(group_id)
        await world.creation.create(BOB, tea(type=MEETING, group_id="tea"))
        await world.membership.join(CAT, group_id)
        await world.membership.remove(BOB, group_id, ADA.user_id, ban=True)
        await world.post(CAT, group_id)

    async def pausing(work: object) -> object:
        nonlocal ran
        if ran == commands:
            await used_again()
        ran += 1
        return await run(work)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(lagging.database, "run", pausing)
    await lagging.chat.cleanup.clear(group_id)
    if ran <= commands:  # it was done before that step
        await used_again()
    assert await world.members(group_id) == {"bob": Role.OWNER, "cat": Role.MEMBER}
    assert await world.seqs(CAT, group_id) == [1]
    assert await world.bans(group_id) == ["ada"]
    await world.check_sound(group_id)


async def test_more_than_one_step_of_members_and_messages_is_deleted(
    open_world: OpenWorld,
) -> None:
    world = await open_world(posts_per_second=0)
    group_id = await world.group(group_id=GroupId("@TGS#_tea"))
    many = STEP + 5
    await world.database.collection("members").insert_many(
        [
            {
                "_id": f"{group_id}\x1fu{n}",
                "group_id": group_id,
                "user_id": f"u{n}",
                "role": "member",
                "joined_at": START,
                "joined_seq": 0,
            }
            for n in range(many)
        ]
    )
    await world.database.collection("messages").insert_many(
        [
            {
                "_id": f"group_{group_id}\x1f{n}",
                "stream_id": f"group_{group_id}",
                "seq": n,
                "sender_id": "ada",
                "key": f"s:{n}",
            }
            for n in range(1, many)
        ]
    )
    await world.disbanding.disband(ADA, group_id)
    await world.chat.cleanup.wait()
    assert await _left(world, group_id) == {}


async def test_a_failing_hook_rolls_the_disbanding_back(
    open_world: OpenWorld,
) -> None:
    async def fail(group: object, tx: Tx) -> None:
        raise PermissionRefused("not now")

    world = await open_world(hooks=Hooks(disbanded=[fail]))
    group_id = await world.group()
    with pytest.raises(PermissionRefused, match="not now"):
        await world.disbanding.disband(ADA, group_id)
    assert (await world.groups.get(ADA, group_id))[0].group.group_id == group_id
    assert not [event for event in await world.outbox() if isinstance(event, GroupDisbanded)]
