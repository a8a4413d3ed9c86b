"""The export of a user: every kind of line, whole and in pieces, and nobody else's conversations."""

from collections import Counter

import pytest

from groups.kernel.paging import encode_cursor
from tests.api import Answer, Api, User, id_of, part
from tests.user_data.helpers import traces

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY_TYPE = {
    *("profile", "membership", "join_request", "invitation", "restriction", "upload"),
    *("conversation_settings", "conversation_group", "block", "draft", "device", "report"),
    *("message", "comment", "one_to_one", "reaction", "vote", "press", "acknowledgement"),
    *("subscriber_tags", "broadcast_opt_out", "broadcast_not_reached"),
}


async def export(caller: User, user: User, cursor: str | None = None) -> Answer:
    """Ask for the export of the user."""
    query = "" if cursor is None else f"?cursor={cursor}"
    return await caller.get(f"/v1/users/{part(user.id)}/export{query}")


async def test_an_export_holds_all_of_a_user_and_goes_on_anywhere(shared_api: Api) -> None:
    made = await traces(shared_api)
    leaver, bob, app = made.leaver, made.bob, made.app
    exported = await leaver.get("/v1/users/me/export")
    assert exported.status == 200, exported
    assert exported.headers["Content-Type"] == "application/x-ndjson"
    lines = exported.lines
    assert lines[0]["type"] == "start"
    assert lines[0]["data"]["user_id"] == leaver.id
    found = Counter(line["type"] for line in lines)
    assert EVERY_TYPE - set(found) == set()
    assert lines[-1]["type"] == "end"
    records = [line for line in lines if line["type"] not in {"start", "cursor", "end"}]
    assert lines[-1]["data"]["counts"] == Counter(line["type"] for line in records)
    said = [line["data"] for line in records if line["type"] == "one_to_one"]
    assert {line["sender_id"] for line in said} >= {leaver.id, bob.id}
    uploads = [line["data"]["path"] for line in records if line["type"] == "upload"]
    assert f"/v1/media/{made.media_id}" in uploads
    assert next(line["data"] for line in records if line["type"] == "profile")["name"] == "Lea Ver"
    pressed = [line["data"] for line in records if line["type"] == "press"]
    shop = id_of(made.shop.path)
    assert {line["conversation_id"] for line in pressed} == {f"group_{shop}", f"c2c_{shop}"}
    assert {line["button"] for line in pressed} == {"Order"}
    # From each cursor on, the rest of the same lines.
    places = [place for place, line in enumerate(lines) if line["type"] == "cursor"]
    for place in places[::3]:
        rest = await export(app, leaver, lines[place]["data"]["cursor"])
        assert list(rest.lines[:-1]) == lines[place + 1 : -1]
    # A beginning a moment later waits, and others may not; a forged cursor shows nothing of others.
    early = await export(leaver, leaver)
    assert early.refusal == (429, "export_running")
    assert 0 < int(early.headers["Retry-After"]) <= 60
    assert (await export(bob, leaver)).refusal == (403, "permission_denied")
    stranger = shared_api.new_user("stranger")
    parts = 40
    for number in range(parts):
        for position in (f"c2c_{bob.id}\n\t", f"{leaver.id}\n\t", "x\nx\t1"):
            forged = await export(
                stranger, stranger, encode_cursor("user export", number, position)
            )
            # A position that cannot be is an error, as the last line or as the whole answer.
            shown = {line.get("type") for line in forged.lines} if forged.status == 200 else set()
            assert shown <= {None, "cursor", "end"}, forged
    assert (await export(stranger, stranger, "x")).refusal == (400, "bad_cursor")
