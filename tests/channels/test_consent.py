"""Consent (P12): nobody becomes a subscriber or member against their word, and blocking is honoured everywhere."""

import asyncio
from typing import Any, Final

import pytest

from groups.kernel.mongo import Database
from tests.api import (
    AS_LINES,
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    group_path,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

NONE: Final = (404, "invitation_not_found")
FULL: Final = (409, "invitation_limit_reached")
DAY: Final = 24 * 3600
PRIVATE: Final = {"visibility": "private"}


async def add(adder: User, path: str, user: User | str) -> Answer:
    """Add the user to the channel or group."""
    calls = "subscribers" if path.startswith("/v1/channels/") else "members"
    return await adder.put(f"{path}/{calls}/{part(user if isinstance(user, str) else user.id)}")


async def answer(user: User, path: str, *, accept: bool = True) -> Answer:
    return await user.post(f"{path}/invitations/me", {"accept": accept})


async def own(user: User) -> list[str]:
    """The channels and groups whose invitations the user sees."""
    items = (await user.get("/v1/invitations")).items
    return [item.get("channel_id") or item["group_id"] for item in items]


async def invited(owner: User, path: str) -> list[str]:
    return [item["user_id"] for item in (await owner.get(f"{path}/invitations")).items]


async def block(user: User, blocked: str) -> None:
    assert (await user.put(f"/v1/blocks/{part(blocked)}")).status == 200


async def a_group(owner: User, kind: str = "work") -> str:
    made = await owner.post("/v1/groups", {"type": kind, "name": "Tea"})
    assert made.status == 201, made
    return f"/v1/groups/{part(made.body['group_id'])}"


async def conversations(user: User) -> list[str]:
    return [item["conversation_id"] for item in (await user.get("/v1/conversations")).items]


# --- channels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, PRIVATE])
async def test_adding_to_a_channel_invites_and_accepting_subscribes(
    shared_api: Api, settings: dict[str, str]
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, settings=settings)
    added = await add(ada, path, bob)
    assert (added.status, added.body["user_id"], added.body["is_invited"]) == (202, bob.id, True)
    await a_post(ada, path)
    assert await conversations(bob) == []
    assert (await bob.get("/v1/unread")).body["total"] == 0
    (mine,) = (await bob.get("/v1/invitations")).items
    assert (mine["channel_id"], mine["role"], mine["grants"]) == (id_of(path), "member", [])
    assert mine["expires_at"] == added.body["expires_at"]
    assert await invited(ada, path) == [bob.id]
    for _ in range(2):
        assert (await answer(bob, path)).status == 204
    channel = (await bob.get(path)).body
    assert (channel["role"], channel["grants"], channel["subscriber_count"]) == ("member", [], 2)
    assert await conversations(bob) == [conversation_of(path)]
    assert (await own(bob), await invited(ada, path)) == ([], [])
    assert (await add(ada, path, bob)).status == 200


@pytest.mark.parametrize("who", ["stranger", "left", "removed", "blocks the channel", "never was"])
@pytest.mark.parametrize("as_group", [False, True])
async def test_no_owner_or_admin_subscribes_anybody(
    shared_api: Api, who: str, *, as_group: bool
) -> None:
    ada, eve, bob = (shared_api.new_user(name) for name in ("ada", "eve", "bob"))
    path = await a_channel(ada, bob, admins=(eve,))
    await bob.put(f"{path}/subscription") if who in {"left", "removed"} else None
    remover = ada if who == "removed" else bob
    own_path = f"{path}/subscription"
    removed = f"{path}/subscribers/{part(bob.id)}" if who == "removed" else own_path
    assert (await remover.delete(removed)).status == 204
    if who == "blocks the channel":
        await block(bob, id_of(path))
    user = "never-was" if who == "never was" else bob
    for adder in (ada, eve):
        added = await add(adder, group_path(path) if as_group else path, user)
        assert added.status == 202
        assert added.body.keys() == {"user_id", "is_invited", "role", "invited_at", "expires_at"}
    await a_post(ada, path)
    assert await conversations(bob) == []
    assert (await bob.get(path)).body["role"] is None
    assert (await ada.get(path)).body["subscriber_count"] == 2
    # The application may.
    assert (await add(the_app(ada), path, user)).status == 200
    assert (await ada.get(path)).body["subscriber_count"] == 3
    assert await invited(ada, path) == []


@pytest.mark.parametrize("blocked", ["the channel", "the inviter"])
@pytest.mark.parametrize("role", ["member", "admin"])
async def test_who_blocks_is_not_told_and_the_inviter_cannot_tell(
    shared_api: Api, blocked: str, role: str
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada)
    await block(bob, id_of(path) if blocked == "the channel" else ada.id)
    ears = [await user.socket() for user in (ada, bob, cat)]
    answers: list[Answer] = []
    for user in (bob, cat):
        for _ in range(2):
            if role == "member":
                answers.append(await add(ada, path, user))
            else:
                answers.append(await ada.post(f"{path}/invitations", {"user_id": user.id}))

    def shape(body: dict[str, Any]) -> dict[str, Any]:
        return body | dict.fromkeys(("user_id", "invited_at", "expires_at"))

    assert {each.status for each in answers} == {202 if role == "member" else 201}
    first, *others = (shape(each.body) for each in answers)
    assert others == [first] * 3
    listed = (await ada.get(f"{path}/invitations")).items
    assert sorted(one["user_id"] for one in listed) == sorted([bob.id, cat.id])
    assert shape(listed[0]) == shape(listed[1])
    adas, bobs, cats = [
        [e["user_id"] for e in await each.until_now() if e["type"] == "channel.invited"]
        for each in ears
    ]
    assert (adas, bobs, cats) == ([bob.id, cat.id], [], [cat.id])
    assert (await own(bob), await own(cat)) == ([], [id_of(path)])
    assert (await answer(bob, path)).refusal == NONE
    assert (await answer(cat, path)).status == 204
    # Once nothing is blocked, the user is told of the same invitation.
    await bob.delete(f"/v1/blocks/{part(id_of(path) if blocked == 'the channel' else ada.id)}")
    if role == "member":
        await add(ada, path, bob)
    else:
        await ada.post(f"{path}/invitations", {"user_id": bob.id})
    assert await own(bob) == [id_of(path)]
    await ears[1].hear("channel.invited", user_id=bob.id, role=role)
    for each in ears:
        await each.close()


async def test_blocking_hides_an_invitation_that_was_seen_and_the_channel_in_the_directory(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, name="Consent herald")
    await add(ada, path, bob)

    async def found(user: User) -> list[str]:
        channels = (await user.get("/v1/channels?q=consent+herald")).items
        return [channel["channel_id"] for channel in channels]

    assert (await own(bob), await found(bob)) == ([id_of(path)], [id_of(path)])
    for blocked in (id_of(path), ada.id):
        await block(bob, blocked)
        assert await own(bob) == []
        assert await found(bob) == ([] if blocked == id_of(path) else [id_of(path)])
        await bob.delete(f"/v1/blocks/{part(blocked)}")
    assert (await own(bob), await found(ada)) == ([id_of(path)], [id_of(path)])


async def test_a_user_who_declined_is_not_told_again_and_the_inviter_is_not_told(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, settings=PRIVATE)
    first = await add(ada, path, bob)
    ears = [await user.socket() for user in (ada, bob, bob)]
    assert (await answer(bob, path, accept=False)).status == 204
    again = await add(ada, path, bob)
    assert (again.status, again.body) == (202, first.body)
    assert (await own(bob), await invited(ada, path)) == ([], [bob.id])
    assert (await answer(bob, path)).refusal == (404, "channel_not_found")
    # Nor does removing it and inviting anew, or inviting as an admin.
    assert (await ada.delete(f"{path}/invitations/{part(bob.id)}")).status == 204
    assert (await add(ada, path, bob)).status == 202
    assert (await ada.post(f"{path}/invitations", {"user_id": bob.id})).status == 201
    assert await own(bob) == []
    kinds = ("channel.invited", "channel.invitation_ended")
    adas, *bobs = [
        [(e["type"], e.get("reason")) for e in await each.until_now() if e["type"] in kinds]
        for each in ears
    ]
    assert bobs == [[("channel.invitation_ended", "declined")]] * 2
    assert ("channel.invitation_ended", "declined") not in adas
    for each in ears:
        await each.close()


@own_loop
async def test_a_user_who_declined_may_be_asked_again_after_a_while(api: OpenApi) -> None:
    server = await api(member_invitation_seconds=DAY, declined_invitation_seconds=3 * DAY)
    ada, bob = server.new_user("ada", hours=500), server.new_user("bob", hours=500)
    path = await a_channel(ada)
    await add(ada, path, bob)
    await answer(bob, path, accept=False)
    for _ in range(2):
        server.clock.move(seconds=DAY + 1)
        assert await invited(ada, path) == []
        assert (await add(ada, path, bob)).status == 202
        assert (await own(bob), await invited(ada, path)) == ([], [bob.id])
    server.clock.move(seconds=DAY)
    assert (await add(ada, path, bob)).status == 202
    assert await own(bob) == [id_of(path)]
    assert (await answer(bob, path)).status == 204


@own_loop
async def test_devices_are_told_once_in_the_time_of_an_invitation(api: OpenApi) -> None:
    server = await api(member_invitation_seconds=DAY, admin_invitation_seconds=DAY)
    ada, bob = server.new_user("ada", hours=500), server.new_user("bob", hours=500)
    path = await a_channel(ada)
    ears = await bob.socket()

    async def told() -> int:
        return [e["type"] for e in await ears.until_now()].count("channel.invited")

    for _ in range(3):
        for grants in (["post"], ["pin_posts"]):
            await add(ada, path, bob)
            await ada.post(f"{path}/invitations", {"user_id": bob.id, "grants": grants})
            await ada.delete(f"{path}/invitations/{part(bob.id)}")
        await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
        await ada.delete(f"{path}/bans/{part(bob.id)}")
    await add(ada, path, bob)
    assert (await told(), await own(bob)) == (1, [id_of(path)])
    server.clock.move(seconds=DAY + 1)
    assert (await answer(bob, path)).refusal == (409, "invitation_expired")
    await add(ada, path, bob)
    assert (await told(), await own(bob)) == (1, [id_of(path)])
    await ears.close()


@pytest.mark.parametrize("how", ["subscribing", "the application", "an import"])
async def test_a_subscription_ends_the_invitation(shared_api: Api, how: str) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path, app = await a_channel(ada), the_app(ada)
    await add(ada, path, bob)
    ears = await bob.socket()
    if how == "subscribing":
        await bob.put(f"{path}/subscription")
    elif how == "the application":
        await add(app, path, bob)
    else:
        line = f'{{"user_id": "{bob.id}"}}'
        await app.call("POST", f"{path}/subscribers", data=line, headers=AS_LINES)
    await ears.hear("channel.invitation_ended", reason="accepted", role="member")
    assert (await own(bob), await invited(ada, path)) == ([], [])
    assert (await bob.get(path)).body["role"] == "member"
    await ears.close()


async def test_an_invitation_to_be_an_admin_replaces_one_to_subscribe(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    await add(ada, path, bob)
    made = await ada.post(f"{path}/invitations", {"user_id": bob.id, "grants": ["post"]})
    assert (made.status, made.body["role"]) == (201, "admin")
    (mine,) = (await bob.get("/v1/invitations")).items
    assert (mine["role"], mine["grants"]) == ("admin", ["post"])
    # Adding changes nothing about it.
    added = await add(ada, path, bob)
    assert (added.status, added.body["role"]) == (202, "admin")
    assert (await answer(bob, path)).status == 204
    assert (await bob.get(path)).body["role"] == "admin"


async def test_admins_who_manage_subscribers_see_and_remove_these_invitations_alone(
    shared_api: Api,
) -> None:
    ada, eve, bob, cat = (shared_api.new_user(name) for name in ("ada", "eve", "bob", "cat"))
    path = await a_channel(ada, admins=(eve,))
    await ada.put(f"{path}/admins/{part(eve.id)}", {"grants": ["manage_subscribers"]})
    await add(eve, path, bob)
    await ada.post(f"{path}/invitations", {"user_id": cat.id})
    assert await invited(eve, path) == [bob.id]
    assert sorted(await invited(ada, path)) == sorted([bob.id, cat.id])
    refused = await eve.delete(f"{path}/invitations/{part(cat.id)}")
    assert refused.refusal == (403, "permission_denied")
    for _ in range(2):
        assert (await eve.delete(f"{path}/invitations/{part(bob.id)}")).status == 204
    assert (await answer(bob, path)).refusal == NONE
    assert await own(cat) == [id_of(path)]


async def test_deleting_the_channel_ends_its_invitations_also_hidden_ones(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada)
    await block(cat, ada.id)
    for user in (bob, cat):
        await add(ada, path, user)
    ears = [await user.socket() for user in (bob, cat)]
    assert (await ada.delete(path)).status == 204
    await ears[0].hear("channel.invitation_ended", reason="deleted")
    assert [e["type"] for e in await ears[1].until_now()] == []
    assert await own(bob) == []
    for each in ears:
        await each.close()


# --- limits -----------------------------------------------------------------------------------------------------------


@own_loop
async def test_a_channel_has_a_limit_of_open_invitations_under_any_race(
    api: OpenApi, second_database: Database
) -> None:
    here = await api(member_invitations=3)
    there = await api(database=second_database, member_invitations=3)
    ada, bob = here.new_user("ada"), here.new_user("bob")
    path = await a_channel(ada)
    owners = [ada, there.user_of(ada.id)]
    crowd = [here.new_user("fan") for _ in range(9)]
    answers = await asyncio.gather(
        *(add(owners[n % 2], path, user) for n, user in enumerate(crowd))
    )
    assert sorted(each.status for each in answers) == [202] * 3 + [409] * 6
    refused = await add(ada, path, bob)
    assert (refused.refusal, refused.body["details"]) == (FULL, {"limit": 3})
    listed = await invited(ada, path)
    assert len(listed) == 3
    # Those who are invited already, who decline, and admins take no further place.
    await answer(here.user_of(listed[0]), path, accept=False)
    assert (await add(ada, path, listed[1])).status == 202
    assert (await add(ada, path, bob)).refusal == FULL
    assert (await ada.post(f"{path}/invitations", {"user_id": bob.id})).status == 201
    await ada.delete(f"{path}/invitations/{part(listed[0])}")
    assert (await add(ada, path, here.new_user("fan"))).status == 202


@own_loop
async def test_a_user_has_a_limit_of_open_invitations_under_any_race(
    api: OpenApi, second_database: Database
) -> None:
    here = await api(invitations_per_user=3)
    there = await api(database=second_database, invitations_per_user=3)
    bob = here.new_user("bob")
    owners = [here.new_user("ada") for _ in range(8)]
    paths = [await a_channel(owner) for owner in owners]
    answers = await asyncio.gather(
        *(
            add((there if n % 2 else here).user_of(owner.id), path, bob)
            for n, (owner, path) in enumerate(zip(owners, paths, strict=True))
        )
    )
    assert sorted(each.status for each in answers) == [202] * 3 + [409] * 5
    assert len(await own(bob)) == 3
    refused = next(n for n, each in enumerate(answers) if each.status == 409)
    assert answers[refused].refusal == (409, "invitations_per_user_reached")
    assert answers[refused].body["details"] == {"limit": 3}
    body = {"user_id": bob.id}
    as_admin = await owners[refused].post(f"{paths[refused]}/invitations", body)
    assert as_admin.refusal == (409, "invitations_per_user_reached")
    # Answering makes room.
    taken = next(n for n, each in enumerate(answers) if each.status == 202)
    await answer(bob, paths[taken], accept=False)
    assert (await add(owners[refused], paths[refused], bob)).status == 202


@own_loop
async def test_nobody_is_invited_to_a_full_channel(api: OpenApi) -> None:
    server = await api(community_members=2)
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada)
    assert (await add(ada, path, bob)).status == 202
    await cat.put(f"{path}/subscription")
    full = (409, "member_limit_reached")
    assert (await add(ada, path, server.new_user())).refusal == full
    assert (await answer(bob, path)).refusal == full
    await cat.delete(f"{path}/subscription")
    assert (await answer(bob, path)).status == 204


# --- chat groups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["work", "public", "meeting"])
async def test_chat_groups_add_at_once_but_nobody_who_left(shared_api: Api, kind: str) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_group(ada, kind)
    assert (await add(ada, path, bob)).status == 200
    assert (await ada.delete(f"{path}/members/{part(bob.id)}")).status == 204
    # The user was removed, and did not leave.
    assert (await add(ada, path, bob)).status == 200
    assert (await bob.delete(f"{path}/members/me")).status == 204
    ears = await bob.socket()
    added = await add(ada, path, bob)
    assert (added.status, added.body["is_invited"]) == (202, True)
    told = await ears.hear("group.invited", group_id=id_of(path), group_name="Tea")
    assert (told["user_id"], told["role"]) == (bob.id, "member")
    (mine,) = (await bob.get("/v1/invitations")).items
    assert (mine["group_id"], mine["group_name"]) == (id_of(path), "Tea")
    assert mine["invited_by"] == ada.id
    assert await conversations(bob) == []
    assert (await answer(bob, path)).status == 204
    await ears.hear("group.invitation_ended", reason="accepted")
    assert (await bob.get(path)).body["role"] == "member"
    # They agreed, so whoever removes them may add them.
    await ada.delete(f"{path}/members/{part(bob.id)}")
    assert (await add(ada, path, bob)).status == 200
    await ears.close()


async def test_marking_makes_nobody_a_subscriber_against_their_word(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_group(ada, "community")
    added = await add(ada, path, bob)
    assert (added.status, added.body["is_invited"]) == (202, True)
    marked = await ada.post("/v1/channels", {"group_id": id_of(path), "name": "News"})
    assert (marked.status, marked.body["subscriber_count"]) == (201, 1)
    assert await conversations(bob) == []
    # The invitation is one to subscribe now.
    (mine,) = (await bob.get("/v1/invitations")).items
    assert (mine["channel_id"], mine["role"]) == (id_of(path), "member")


async def test_a_user_who_declined_to_join_is_not_added_later(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_group(ada, "meeting")
    await add(ada, path, bob)
    await bob.delete(f"{path}/members/me")
    await add(ada, path, bob)
    assert (await answer(bob, path, accept=False)).status == 204
    await ada.delete(f"{path}/invitations/{part(bob.id)}")
    assert (await add(ada, path, bob)).status == 202
    assert await own(bob) == []
    # Joining by oneself is one's word.
    assert (await bob.put(f"{path}/members/me")).status == 200
    await ada.delete(f"{path}/members/{part(bob.id)}")
    assert (await add(ada, path, bob)).status == 200


@pytest.mark.parametrize("blocked", ["the group", "the adder"])
async def test_who_is_blocked_adds_nobody_to_a_work_group(shared_api: Api, blocked: str) -> None:
    ada, eve, bob = (shared_api.new_user(name) for name in ("ada", "eve", "bob"))
    path = await a_group(ada)
    await add(ada, path, eve)
    await block(bob, id_of(path) if blocked == "the group" else eve.id)
    ears = await bob.socket()
    assert (await add(eve, path, bob)).status == 202
    await a_post(eve, path)
    assert [e["type"] for e in await ears.until_now()] == []
    assert (await own(bob), await conversations(bob)) == ([], [])
    assert await invited(ada, path) == [bob.id]
    assert (await bob.get(path)).refusal == (404, "group_not_found")
    assert (await answer(bob, path)).refusal == (404, "group_not_found")
    # A plain member removes only their own invitation.
    other = shared_api.new_user("other")
    await add(ada, path, other)
    forbidden = (403, "permission_denied")
    assert (await other.delete(f"{path}/invitations/{part(bob.id)}")).refusal == forbidden
    assert (await eve.delete(f"{path}/invitations/{part(bob.id)}")).status == 204
    # Others, whom the user does not block, may add them.
    assert (await add(ada, path, bob)).status == (202 if blocked == "the group" else 200)
    await ears.close()


async def test_who_asked_to_join_has_agreed_to_be_added(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_group(ada, "public")
    await add(ada, path, bob)
    await bob.delete(f"{path}/members/me")
    assert (await bob.put(f"{path}/members/me", {"text": "Me again"})).status == 202
    assert (await add(ada, path, bob)).status == 200


@own_loop
async def test_what_others_did_to_a_user_leaves_them_their_groups(api: OpenApi) -> None:
    server = await api(groups_per_user=3, added_groups_per_user=4)
    bob, mallory = server.new_user("bob"), server.new_user("mallory")
    by_others = [await a_group(server.new_user("eve"), "meeting") for _ in range(2)]
    rooms: list[str] = []
    for _ in range(2):
        for owner in (server.new_user("eve"), server.new_user("eve")):
            rooms.append(await a_group(owner, "meeting"))
            assert (await add(owner, rooms[-1], bob)).status == 200
    assert len(await conversations(bob)) == 4
    # At their limit a further one invites.
    more = await a_group(mallory, "meeting")
    assert (await add(mallory, more, bob)).status == 202
    assert await own(bob) == [id_of(more)]
    # Bob has all three of his own: he creates one, joins one, and agrees to one by writing there.
    limit = (409, "groups_per_user_reached")
    await a_group(bob)
    assert (await bob.put(f"{by_others[0]}/members/me")).status == 200
    await a_post(bob, rooms[0])
    for _ in range(2):
        await a_post(bob, rooms[0])
        assert (await bob.put(f"{rooms[0]}/members/me")).status == 200
    assert (await bob.put(f"{by_others[1]}/members/me")).refusal == limit
    assert (await bob.put(f"{rooms[1]}/members/me")).refusal == limit
    assert (await answer(bob, more)).refusal == limit
    assert (await bob.post("/v1/groups", {"type": "work", "name": "Tea"})).refusal == limit
    # He may write in the others all the same, and they do not count.
    await a_post(bob, rooms[1])
    await bob.delete(f"{rooms[0]}/members/me")
    assert (await bob.put(f"{rooms[1]}/members/me")).status == 200
    assert (await bob.put(f"{by_others[1]}/members/me")).refusal == limit
    # Two of the four were left or agreed to, so two may be added again.
    for status in (200, 200, 202):
        owner = server.new_user("eve")
        assert (await add(owner, await a_group(owner), bob)).status == status


@own_loop
async def test_racing_adders_never_exceed_the_limit_of_added_groups(
    api: OpenApi, second_database: Database
) -> None:
    here = await api(added_groups_per_user=3)
    there = await api(database=second_database, added_groups_per_user=3)
    bob = here.new_user("bob")
    owners = [here.new_user("eve") for _ in range(8)]
    paths = [await a_group(owner) for owner in owners]
    answers = await asyncio.gather(
        *(
            add((there if n % 2 else here).user_of(owner.id), path, bob)
            for n, (owner, path) in enumerate(zip(owners, paths, strict=True))
        )
    )
    assert sorted(each.status for each in answers) == [200] * 3 + [202] * 5
    assert (len(await conversations(bob)), len(await own(bob))) == (3, 5)


async def test_blocking_somebody_is_not_leaving_their_group(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada, bob)
    await block(bob, ada.id)
    # A member stays one: blocking somebody is not leaving a group.
    assert (await add(ada, path, bob)).status == 200
    assert (await bob.get(path)).body["role"] == "member"
