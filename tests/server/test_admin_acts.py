"""Every call by which somebody runs a channel is told in its admin log, or a reason is written here why it is not.

The calls are those of the permission matrix, which has a row for each one that is served: a new call of the application
is a new row there, and fails here until it is told, or its reason is given.
"""

from typing import Final

import pytest
import pytest_asyncio

from channels.docs_site.generated.permission_table import ACTORS, Row
from tests.api import Api, part
from tests.server.test_permission_matrix import TABLES, Cast, cast_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNNERS: Final = ("admin", "app")
"""Who makes the call: the first of them who may. What the owner does sets the stage."""

_FOR_HIMSELF: Final = "what everybody may do for himself runs nothing"
_READS: Final = "reading changes nothing"
_ENDS: Final = "the log goes with its channel"
_NOBODY_ASKS: Final = "nobody asks to join; where somebody does, the call for {asker} tells it"
_SAYS: Final = "what the channel says names its author to the admins, as posts, drafts and answers"

UNTOLD: Final = {
    "DELETE /": _ENDS,
    **dict.fromkeys(("PUT /subscription", "PUT /members/me"), _FOR_HIMSELF),
    "DELETE /suspension": "there is none to lift; where there is: test_admin_log",
    "DELETE /verified": "there is none to take; giving and taking are told alike",
    "DELETE /default": "it is none; giving and taking are told alike",
    **dict.fromkeys(
        (
            "PATCH /posts/{post} text",
            "PATCH /messages/{post} text",
        ),
        "the same words change nothing; other words: test_admin_log",
    ),
    "PATCH /members/me card": _FOR_HIMSELF,
    "PATCH /members/me unmute": "nobody may",
    "POST /invitations/me accept": "an admin is one already; who becomes one: test_admin_log",
    "DELETE /invitations/{nobody}": "there is none to take back; where there is: test_admin_log",
    "DELETE /reaction-bans/{member}": "there is none to lift; where there is: test_admin_log",
    "DELETE /comment-bans/{member}": "there is none to lift; where there is: test_comments",
    **dict.fromkeys(
        ("POST /posts/{post}/comments text", "POST /posts/{post}/comments as-channel"), _SAYS
    ),
    "PATCH /posts/{commented}/comments/1 text": "only its sender may, whose own it is",
    **{
        f"{how} /posts/{{commented}}/comments/1/reactions/👍": _FOR_HIMSELF
        for how in ("PUT", "DELETE")
    },
    "DELETE /posts/{post}/comments-freeze": "they are not frozen; where they are: test_comments",
    "PATCH / posting": "fixed in a channel",
    "DELETE /subscribers/{owner}": "nobody may",
    "DELETE /members/{owner}": "nobody may",
    "PATCH /members/{owner} mute": "nobody may",
    "PUT /admins/{nobody}": "he is no subscriber",
    **dict.fromkeys(
        (
            "POST /join-requests asked",
            "POST /join-requests/{nobody} approve",
            "DELETE /join-requests/me",
        ),
        _NOBODY_ASKS,
    ),
    **dict.fromkeys(("POST /posts text", "POST /posts silent", "POST /posts forward"), _SAYS),
    **dict.fromkeys(("POST /messages text", "POST /drafts draft"), _SAYS),
    **dict.fromkeys(("POST /posts/preview text", "POST /posts/preview forward"), _READS),
    **{
        f"{how} /{kind}/{{post}}/reactions/👍": _FOR_HIMSELF
        for how in ("PUT", "DELETE")
        for kind in ("posts", "messages")
    },
    **{
        f"{how} /{kind}/{{poll}}/vote{body}": _FOR_HIMSELF
        for how, body in (("PUT", " vote"), ("DELETE", ""))
        for kind in ("posts", "messages")
    },
    **{f"PUT /{kind}/{{asking}}/acknowledgement": _FOR_HIMSELF for kind in ("posts", "messages")},
    **{
        f"POST /{kind}/{{asking}}/acknowledgements/reminder": "every member may see it"
        for kind in ("posts", "messages")
    },
    "PUT /posts/{buttons}/buttons/0/press": _FOR_HIMSELF,
    "POST /forms/{form}/answers filled": _SAYS,
    "POST /menu/selections selected": _FOR_HIMSELF,
    "DELETE /menu": "there is none; where there is: tests/channels/self_service",
    "DELETE /greeting": "there is none; as an automatic answer where there is",
    "DELETE /opening-hours": "there are none; as an automatic answer where there are",
    "DELETE /posts/{post}/pin": "it is not pinned; where it is: test_admin_log",
    "DELETE /posts/{post}/reactions-freeze": "it is not frozen; where it is: test_admin_log",
    "POST /posts/views seen": _FOR_HIMSELF,
    "POST /posts/{post}/clicks clicked": _FOR_HIMSELF,
    **dict.fromkeys(
        (
            "POST /inbox/{writer}/messages text",
            "POST /inbox/{member}/messages text",
            "POST /inbox/messages many",
        ),
        _SAYS,
    ),
    "POST /inbox/{nobody}/messages text": "nobody may",
    **{
        f"{how} /inbox/{{writer}}/messages/1{body}": "nobody may"
        for how, body in (("PATCH", " text"), ("DELETE", ""))
    },
    "POST /inbox/{writer}/messages forward": _SAYS,
    **{
        f"{how} /inbox/{{writer}}/messages/1/reactions/👍": "the user sees it, and it takes nothing"
        for how in ("PUT", "DELETE")
    },
    "POST /webhooks/{webhook}/test": "it says nothing of the channel",
    "POST /inbox/{writer}/read": "the cursor is shared, and moves with reading",
    **dict.fromkeys(
        ("PUT /subscribers/{member}/tags tags", "POST /subscriber-tags tag-lines"),
        "tags sort subscribers for the staff, and take nothing from them",
    ),
    "POST /broadcasts/audience segment": _READS,
    "POST /broadcasts/{broadcast}/resume": "it was not stopped; where it was: test_admin_log",
    **{f"{how} /broadcast-opt-out": _FOR_HIMSELF for how in ("PUT", "DELETE")},
    "PUT /inbox/{writer}/tags tags": "they sort the work of those who read the inbox",
}
"""Why a call has no entry."""


CALLS: Final = [
    pytest.param(table, row, id=f"{table}: {row.name}")
    for table in ("channel", "channel as group")
    for row in TABLES[table][1]
    if row.method != "GET"
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def players(shared_api: Api) -> Cast:
    """The actors, the same for all rows."""
    return await cast_of(shared_api)


@pytest.mark.parametrize(("table", "row"), CALLS)
async def test_every_admin_call_has_a_log_entry_or_a_reason(
    players: Cast, table: str, row: Row
) -> None:
    make, _ = TABLES[table]
    stage = await make(players)
    may = [name for name in RUNNERS if row.cells[ACTORS.index(name)] == "ok"]
    reason = UNTOLD.get(row.name)
    if not may:
        assert reason, f"nobody can make the call here: say in UNTOLD where {row.name} is told"
        return
    runner = stage.cast[may[0]]
    answer = await stage.call(row, may[0])
    assert answer.status < 300, answer
    if reason == _ENDS:
        return
    log = f"/v1/channels/{stage.path.split('/')[3]}/admin-log"
    told = (await players["owner"].get(f"{log}?actor_id={part(runner.id)}")).items
    if reason is None:
        assert told, f"tell {row.name} in the admin log, or say in UNTOLD why not"
        assert told[0]["by_app"] is (may[0] == "app")
    else:
        assert told == [], "what is told needs no reason"


async def test_each_reason_is_of_a_call_that_there_is() -> None:
    names = {row.name for table in ("channel", "channel as group") for row in TABLES[table][1]}
    assert set(UNTOLD) <= names
