"""Invitations to be an admin: created, seen, accepted, declined, revoked, expired."""

import asyncio
from datetime import datetime
from typing import Final

import pytest

from groups.kernel.mongo import Database
from groups.models import Grant
from tests.api import Answer, Api, User, a_channel, all_pages, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

ALL: Final = [grant.value for grant in Grant]
NONE: Final = (404, "invitation_not_found")
EXPIRED: Final = (409, "invitation_expired")
WEEK: Final = 7 * 24 * 3600
ENDED: Final = "channel.invitation_ended"
PRIVATE: Final = {"visibility": "private"}


async def invite(owner: User, path: str, user: User, *grants: str) -> Answer:
    body = {"user_id": user.id} | ({"grants": list(grants)} if grants else {})
    return await owner.post(f"{path}/invitations", body)


async def answer(user: User, path: str, *, accept: bool = True) -> Answer:
    return await user.post(f"{path}/invitations/me", {"accept": accept})


async def own(user: User) -> list[str]:
    return [item["channel_id"] for item in (await user.get("/v1/invitations")).items]


async def grants_of(owner: User, path: str, user: User) -> list[str] | None:
    for item in (await owner.get(f"{path}/admins")).items:
        if item["user_id"] == user.id:
            grants = item["grants"]
            assert isinstance(grants, list)
            return grants
    return None


# --- accepted and declined --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_subscriber", [False, True])
async def test_accepting_makes_an_admin_with_the_offered_rights(
    shared_api: Api, *, is_subscriber: bool
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, *([bob] if is_subscriber else []))
    invited = await invite(ada, path, bob, "pin_posts", "post")
    assert invited.status == 201
    assert invited.body["grants"] == ["post", "pin_posts"]
    assert invited.body["invited_by"] == ada.id
    at, until = (datetime.fromisoformat(invited.body[k]) for k in ("invited_at", "expires_at"))
    assert (until - at).total_seconds() == WEEK
    (mine,) = (await bob.get("/v1/invitations")).items
    assert (mine["channel_id"], mine["channel_name"]) == (id_of(path), "News")
    assert mine["grants"] == ["post", "pin_posts"]
    # An invitation makes nobody an admin.
    assert await grants_of(ada, path, bob) is None
    for _ in range(2):
        assert (await answer(bob, path)).status == 204
    assert await grants_of(ada, path, bob) == ["post", "pin_posts"]
    assert (await bob.get(path)).body["subscriber_count"] == 2
    assert await own(bob) == []
    assert (await ada.get(f"{path}/invitations")).items == []


async def test_an_invitation_without_grants_offers_all_rights(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    assert (await invite(ada, path, bob)).body["grants"] == ALL
    await answer(bob, path)
    assert await grants_of(ada, path, bob) == ALL


async def test_a_subscriber_who_declined_may_be_invited_again(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await invite(ada, path, bob)
    assert (await answer(bob, path, accept=False)).status == 204
    for accept in (False, True):
        assert (await answer(bob, path, accept=accept)).refusal == NONE
    assert await grants_of(ada, path, bob) is None
    assert (await bob.get(path)).body["role"] == "member"
    await invite(ada, path, bob)
    assert (await answer(bob, path)).status == 204


async def test_a_revoked_invitation_cannot_be_accepted(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await invite(ada, path, bob)
    for _ in range(2):
        assert (await ada.delete(f"{path}/invitations/{part(bob.id)}")).status == 204
    assert (await answer(bob, path)).refusal == NONE
    assert await own(bob) == []
    assert await grants_of(ada, path, bob) is None


async def test_inviting_again_with_other_grants_makes_a_new_invitation(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    ears = await bob.socket()
    first, second = [await invite(ada, path, bob, "post") for _ in range(2)]
    assert (second.status, second.body) == (201, first.body)
    third = await invite(ada, path, bob, "post", "pin_posts")
    assert third.body["grants"] == ["post", "pin_posts"]
    heard = [e for e in await ears.until_now() if e["type"] == "channel.invited"]
    assert [event["grants"] for event in heard] == [["post"], ["post", "pin_posts"]]
    await ears.close()
    assert len((await ada.get(f"{path}/invitations")).items) == 1


async def test_admins_and_banned_users_cannot_be_invited(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, cat, admins=(bob,))
    for user in (ada, bob):
        assert (await invite(ada, path, user)).refusal == (409, "already_admin")
    await ada.delete(f"{path}/subscribers/{part(cat.id)}?ban=true")
    assert (await invite(ada, path, cat)).refusal == (403, "banned")
    await ada.delete(f"{path}/bans/{part(cat.id)}")
    assert (await invite(ada, path, cat)).status == 201


async def test_a_ban_removes_the_invitation(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    await invite(ada, path, bob)
    await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
    assert (await answer(bob, path)).refusal == (403, "banned")
    assert await own(bob) == []
    await ada.delete(f"{path}/bans/{part(bob.id)}")
    assert (await answer(bob, path)).refusal == NONE


async def test_an_invitation_ends_when_its_user_becomes_admin_or_owner(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    for user in (bob, cat):
        await invite(ada, path, user, "post")
    await ada.put(f"{path}/admins/{part(bob.id)}")
    await ada.post(f"{path}/owner", {"user_id": cat.id})
    for user in (bob, cat):
        assert await own(user) == []
        assert (await answer(user, path)).status == 204
        assert await grants_of(cat, path, user) == ALL


# --- the inviting owner loses the channel -----------------------------------------------------------------------------


async def test_a_transfer_ends_the_former_owner_s_invitations(shared_api: Api) -> None:
    seller, heir, bob, cat, dan = (
        shared_api.new_user(name) for name in ("seller", "heir", "bob", "cat", "dan")
    )
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(seller, heir)
    for user in (bob, cat):
        await invite(seller, path, user)
    await invite(app, path, dan, "post")
    ears = [await user.socket() for user in (bob, cat, seller, dan)]
    assert (await seller.post(f"{path}/owner", {"user_id": heir.id})).status == 200
    heard = [
        [(e["user_id"], e["reason"]) for e in await each.until_now() if e["type"] == ENDED]
        for each in ears
    ]
    sent = [(bob.id, "revoked"), (cat.id, "revoked")]
    assert heard == [sent[:1], sent[1:], sent, []]
    for user in (bob, cat):
        assert await own(user) == []
        assert (await answer(user, path)).refusal == NONE
        assert await grants_of(heir, path, user) is None
    log = (await heir.get(f"{path}/admin-log?action=invitation_revoked")).items
    assert {(entry["actor_id"], entry["target_id"]) for entry in log} == {
        (seller.id, bob.id),
        (seller.id, cat.id),
    }
    # Invitations by the application stay, and the new owner can make new ones.
    assert [i["user_id"] for i in (await heir.get(f"{path}/invitations")).items] == [dan.id]
    assert (await answer(dan, path)).status == 204
    await invite(heir, path, bob, "post")
    assert (await answer(bob, path)).status == 204
    assert await grants_of(heir, path, bob) == ["post"]
    for each in ears:
        await each.close()


async def test_a_dismissed_former_owner_cannot_return_through_an_invitee(
    shared_api: Api,
) -> None:
    seller, heir, friend = (shared_api.new_user(name) for name in ("seller", "heir", "friend"))
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(seller, heir)
    await invite(seller, path, friend)
    # The application transfers the channel, as a support team would.
    assert (await app.post(f"{path}/owner", {"user_id": heir.id})).status == 200
    await heir.delete(f"{path}/admins/{part(seller.id)}")
    banned = await heir.delete(f"{path}/subscribers/{part(seller.id)}?ban=true")
    assert banned.status == 204
    assert (await answer(friend, path)).refusal == NONE
    forbidden = (403, "permission_denied")
    assert (await friend.delete(f"{path}/bans/{part(seller.id)}")).refusal == forbidden
    assert (await seller.put(f"{path}/subscription")).refusal == (403, "banned")


async def test_an_invited_admin_has_the_granted_rights_only(
    shared_api: Api,
) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, dan)
    await ada.delete(f"{path}/subscribers/{part(cat.id)}?ban=true")
    await invite(ada, path, bob, "post")
    await answer(bob, path)
    forbidden = (403, "permission_denied")
    for refused in (
        await bob.delete(f"{path}/bans/{part(cat.id)}"),
        await bob.put(f"{path}/subscribers/{part(cat.id)}"),
        await bob.put(f"{path}/admins/{part(dan.id)}"),
        await bob.put(f"{path}/admins/{part(bob.id)}", {"grants": ALL}),
        await invite(bob, path, dan),
        await bob.post(f"{path}/owner", {"user_id": bob.id}),
    ):
        assert refused.refusal == forbidden
    # An admin with all rights manages subscribers, but not admins.
    await ada.put(f"{path}/admins/{part(bob.id)}", {"grants": ALL})
    assert (await bob.delete(f"{path}/bans/{part(cat.id)}")).status == 204
    assert (await bob.put(f"{path}/admins/{part(dan.id)}")).refusal == forbidden
    assert (await invite(bob, path, dan)).refusal == forbidden


@own_loop
async def test_accepting_during_a_transfer_happens_before_it_or_fails(
    api: OpenApi, second_database: Database
) -> None:
    here = await api()
    there = await api(database=second_database)
    for number in range(12):
        seller, heir, friend = (here.new_user(name) for name in ("seller", "heir", "friend"))
        path = await a_channel(seller, heir)
        await invite(seller, path, friend)

        async def give(seller: User, heir: User, path: str, pause: float) -> Answer:
            await asyncio.sleep(pause)
            return await seller.post(f"{path}/owner", {"user_id": heir.id})

        async def accept(friend: User, path: str, pause: float) -> Answer:
            await asyncio.sleep(pause)
            return await answer(there.user_of(friend.id), path)

        # The delays differ, so that each call comes first in some rounds.
        given, accepted = await asyncio.gather(
            give(seller, heir, path, max(0, 6 - number) / 1000),
            accept(friend, path, max(0, number - 6) / 1000),
        )
        assert given.status == 200
        log = [entry["action"] for entry in (await heir.get(f"{path}/admin-log")).items]
        if accepted.status == 204:
            # Newest first: the user was an admin before the transfer, as the new owner sees.
            assert log.index("owner_changed") < log.index("invitation_accepted")
            assert "invitation_revoked" not in log
            assert await grants_of(heir, path, friend) == ALL
        else:
            assert accepted.refusal == NONE
            assert "invitation_accepted" not in log
            assert log.count("invitation_revoked") == 1
            assert await grants_of(heir, path, friend) is None
        assert await own(friend) == []


# --- expiry, number ---------------------------------------------------------------------------------------------------


@own_loop
async def test_an_invitation_is_open_for_a_week_by_default(api: OpenApi) -> None:
    server = await api()
    assert server.services.limits.admin_invitation_seconds == WEEK
    ada, bob, cat = (server.new_user(name, hours=1000) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada)
    for user in (bob, cat):
        await invite(ada, path, user)
    server.clock.move(seconds=WEEK - 60)
    assert await own(bob) == [id_of(path)]
    assert (await answer(bob, path)).status == 204
    server.clock.move(seconds=60)
    assert await own(cat) == []
    assert (await ada.get(f"{path}/invitations")).items == []
    assert (await answer(cat, path)).refusal == EXPIRED
    assert await grants_of(ada, path, cat) is None
    # A new invitation has its full time again.
    assert (await invite(ada, path, cat)).status == 201
    assert (await answer(cat, path)).status == 204


@own_loop
async def test_open_invitations_have_a_limit(api: OpenApi) -> None:
    server = await api(admin_invitations=2, admin_invitation_seconds=60)
    ada, bob, cat, dan, eve = (
        server.new_user(name) for name in ("ada", "bob", "cat", "dan", "eve")
    )
    path = await a_channel(ada)
    for user in (bob, cat):
        assert (await invite(ada, path, user)).status == 201
    refused = await invite(ada, path, dan)
    assert refused.refusal == (409, "invitation_limit_reached")
    assert refused.body["details"] == {"limit": 2}
    assert (await invite(ada, path, cat, "post")).status == 201
    await answer(bob, path, accept=False)
    assert (await invite(ada, path, dan)).status == 201
    # Expired invitations do not count.
    server.clock.move(seconds=61)
    for user in (bob, eve):
        assert (await invite(ada, path, user)).status == 201
    assert (await invite(ada, path, dan)).refusal == (409, "invitation_limit_reached")


@own_loop
async def test_racing_invitations_never_exceed_the_limit(
    api: OpenApi, second_database: Database
) -> None:
    here = await api(admin_invitations=3)
    there = await api(database=second_database, admin_invitations=3)
    ada = here.new_user("ada")
    path = await a_channel(ada)
    owners = [ada, there.user_of(ada.id)]
    crowd = [here.new_user("fan") for _ in range(12)]
    answers = await asyncio.gather(
        *(invite(owners[n % 2], path, user) for n, user in enumerate(crowd))
    )
    full = (409, "invitation_limit_reached")
    assert sorted(each.refusal for each in answers) == [(201, None)] * 3 + [full] * 9
    assert len((await ada.get(f"{path}/invitations")).items) == 3


# --- limits at accepting ----------------------------------------------------------------------------------------------


@own_loop
async def test_accepting_respects_the_limits_of_admins_and_subscribers(
    api: OpenApi,
) -> None:
    server = await api(admins=1, community_members=3)
    ada, bob, cat, dan = (server.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, dan, admins=(bob,))
    await invite(ada, path, cat)
    assert (await answer(cat, path)).refusal == (409, "admin_limit_reached")
    await ada.delete(f"{path}/admins/{part(bob.id)}")
    assert (await answer(cat, path)).refusal == (409, "member_limit_reached")
    assert (await ada.get(path)).body["subscriber_count"] == 3
    # The refused invitation is still open.
    await dan.delete(f"{path}/subscription")
    assert (await answer(cat, path)).status == 204
    assert await grants_of(ada, path, cat) == ALL


# --- private channels, lists, events ----------------------------------------------------------------------------------


async def test_an_invitation_shows_only_the_name_of_a_private_channel(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, settings=PRIVATE, introduction="A secret")
    await invite(ada, path, bob, "post")
    (mine,) = (await bob.get("/v1/invitations")).items
    shown = {"channel_id", "channel_name", "verified", "role", "grants", "invited_at", "expires_at"}
    assert set(mine) == shown
    hidden = (404, "channel_not_found")
    for call in ("", "/posts", "/admins", "/admin-log"):
        assert (await bob.get(path + call)).refusal == hidden
    assert (await bob.put(f"{path}/subscription")).refusal == hidden
    # Users without an invitation do not find the channel, nor does Bob after the revocation.
    assert (await answer(cat, path)).refusal == hidden
    assert (await answer(bob, path)).status == 204
    assert (await bob.get(path)).body["role"] == "admin"
    await invite(ada, path, cat)
    await ada.delete(f"{path}/invitations/{part(cat.id)}")
    assert (await answer(cat, path)).refusal == hidden


async def test_invitations_are_listed_page_by_page(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    paths = [await a_channel(ada) for _ in range(5)]
    crowd = [shared_api.new_user("fan") for _ in range(5)]
    for path in paths:
        await invite(ada, path, bob)
    for user in crowd[1:]:
        await invite(ada, paths[0], user)
    await invite(ada, paths[0], crowd[0])
    mine = await all_pages(bob, "/v1/invitations", limit=2)
    assert [len(page) for page in mine] == [2, 2, 1]
    found = [item["channel_id"] for page in mine for item in page]
    assert found == sorted(id_of(path) for path in paths)
    theirs = await all_pages(ada, f"{paths[0]}/invitations", limit=4)
    assert [len(page) for page in theirs] == [4, 2]
    users = [item["user_id"] for page in theirs for item in page]
    assert users == sorted(user.id for user in (bob, *crowd))


async def test_every_device_of_the_user_and_the_owner_receives_events(shared_api: Api) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, bob, cat, settings=PRIVATE)
    ears = [await user.socket() for user in (bob, bob, ada, cat)]
    await invite(ada, path, bob, "post")
    await answer(bob, path, accept=False)
    await invite(ada, path, bob, "post")
    await ada.delete(f"{path}/invitations/{part(bob.id)}")
    await invite(ada, path, bob, "post")
    await answer(bob, path)
    kinds = ("channel.invited", "channel.invitation_ended")
    heard = [[e for e in await each.until_now() if e["type"] in kinds] for each in ears]
    sent = [(e["type"], e["user_id"], e.get("reason"), e.get("channel_name")) for e in heard[0]]
    invited = ("channel.invited", bob.id, None, "News")
    ended = [
        ("channel.invitation_ended", bob.id, reason, None)
        for reason in ("declined", "revoked", "accepted")
    ]
    assert sent == [invited, ended[0], invited, ended[1], invited, ended[2]]
    assert heard[1] == heard[2] == heard[0]
    assert heard[3] == []
    assert dan.id not in str(heard)
    for each in ears:
        await each.close()


async def test_deleting_a_channel_ends_its_invitations(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    await invite(ada, path, bob)
    assert (await ada.delete(path)).status == 204
    assert await own(bob) == []
    assert (await answer(bob, path)).refusal == (404, "channel_not_found")
    await shared_api.services.chat.cleanup.wait()
    stored = shared_api.services.database.collection("admin_invitations")
    assert await stored.find({"group_id": id_of(path)}).to_list(None) == []


async def test_invited_users_receive_the_end_of_a_deleted_channel(shared_api: Api) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, dan)
    for user in (bob, cat):
        assert (await invite(ada, path, user)).status == 201
    assert (await answer(cat, path, accept=False)).status == 204
    ears = [await user.socket() for user in (bob, bob, ada, cat, dan)]
    assert await own(bob) == [id_of(path)]
    assert (await ada.delete(path)).status == 204
    kind = "channel.invitation_ended"
    heard = [[e for e in await each.until_now() if e["type"] == kind] for each in ears]
    sent = [(e["channel_id"], e["user_id"], e["reason"]) for e in heard[0]]
    assert sent == [(id_of(path), bob.id, "deleted")]
    assert heard[1] == heard[2] == heard[0]
    # Users who had declined and subscribers receive no event.
    assert heard[3] == heard[4] == []
    assert (await bob.get("/v1/invitations")).items == []
    for each in ears:
        await each.close()


@own_loop
async def test_deleting_notifies_all_with_open_invitations_only(
    api: OpenApi,
) -> None:
    server = await api(admin_invitations=2, admin_invitation_seconds=60)
    ada, bob, cat, dan = (server.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada)
    assert (await invite(ada, path, dan)).status == 201
    server.clock.move(seconds=61)
    for user in (bob, cat):
        assert (await invite(ada, path, user)).status == 201
    ears = await ada.socket()
    assert (await ada.delete(path)).status == 204
    sent = [e for e in await ears.until_now() if e["type"] == "channel.invitation_ended"]
    assert sorted(event["user_id"] for event in sent) == sorted((bob.id, cat.id))
    assert {event["reason"] for event in sent} == {"deleted"}
    await ears.close()
