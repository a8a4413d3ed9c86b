"""Stored fields match the snapshot, and fields of a newer version are ignored in reads and kept in writes.

During an upgrade, processes of two versions serve one database. So an older process must be able to read documents to
which a newer one added a field, and must not drop that field when it writes.
"""

import io
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
import pytest_asyncio
from rich.console import Console

from channels.analytics.models import PostViews
from channels.drafts.models import Draft, Failure
from channels.limits import Limits
from channels.models import ChannelProfile
from channels.self_service.forms.models import Form, FormContent, FormField
from channels.user_data.models import parts_of
from channels.user_data.registry import ERASED_BY_LOG, PLACES
from channels.verify.command import verify
from conversations.models import ConversationGroup, ConversationSettings, Thread
from groups.kernel.events import read_event
from groups.models import (
    Action,
    AdminLogEntry,
    Attachment,
    Button,
    Content,
    FormAnswer,
    FormAnswerValue,
    Group,
    Invitation,
    InviteLink,
    JoinRequest,
    LastMessage,
    Link,
    Location,
    Media,
    Member,
    Message,
    Origin,
    Poll,
    Restriction,
    Stream,
    Tally,
    User,
)
from reactions.models import Reaction
from tests.api import Api, a_channel, a_post
from tests.conftest import OpenApi
from tests.stored_fields import (
    COLLECTIONS,
    FROM_NEWER,
    SUBDOCUMENTS,
    Snapshot,
    Witness,
    complaint,
    event_fields,
    fields_of_model,
    newest_migration,
    witnessed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

MODELS: Final[dict[str, type]] = {
    "admin_invitations": Invitation,
    "admin_log": AdminLogEntry,
    "channels": ChannelProfile,
    "conversation_groups": ConversationGroup,
    "conversations": ConversationSettings,
    "drafts": Draft,
    "drafts.content": Content,
    "drafts.failure": Failure,
    "forms": Form,
    "forms.content": FormContent,
    "forms.content.fields[]": FormField,
    "groups": Group,
    "invite_links": InviteLink,
    "join_requests": JoinRequest,
    "media": Media,
    "members": Member,
    "messages": Message,
    "messages.content": Content,
    "messages.content.buttons[][]": Button,
    "messages.content.buttons[][].action": Action,
    "messages.content.form_answer": FormAnswer,
    "messages.content.form_answer.answers[]": FormAnswerValue,
    "messages.content.links[]": Link,
    "messages.content.location": Location,
    "messages.content.media[]": Attachment,
    "messages.content.poll": Poll,
    "messages.origin": Origin,
    "reactions": Reaction,
    "restrictions": Restriction,
    "streams": Stream,
    "streams.last": LastMessage,
    "tallies": Tally,
    "threads": Thread,
    "users": User,
    "views": PostViews,
}
"""The models that stores make of documents, and of the objects in them."""

STORED_AS: Final = {
    "admin_log.entry_id": "_id",
    "channels.channel_id": "_id",
    "conversations.changed_ms": "changed_at",
    "groups.group_id": "_id",
    "invite_links.code": "_id",
    "media.media_id": "_id",
    "members.has_agreed": "added",
    "streams.stream_id": "_id",
    "users.user_id": "_id",
}
"""Fields of models that documents have under another name."""

NAMES_NOBODY: Final[set[str]] = set()
"""Fields whose texts look like a user's id in the story, and are none."""

NOT_STORED: Final = {
    "restrictions.by_app",
    *("tallies.mine", "tallies.my_votes", "tallies.is_acknowledged"),
    "drafts.content.form_answer",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(mongod_uri: str) -> AsyncIterator[tuple[Api, Witness]]:
    """A server that was told the story of `tests.stored_fields`."""
    async with witnessed(mongod_uri) as (api, witness):
        yield api, witness


# --- the snapshot -----------------------------------------------------------------------------------------------------


async def test_stored_fields_are_those_of_the_snapshot(told: tuple[Api, Witness]) -> None:
    api, witness = told
    now = witness.fields | event_fields()
    wrong = complaint(Snapshot.read(), now, await newest_migration(api))
    assert wrong is None, f"\n{wrong}"


async def test_the_story_stores_every_kind_of_document(told: tuple[Api, Witness]) -> None:
    assert {path.split(".")[0] for path in told[1].fields} == set(COLLECTIONS)


async def test_the_story_stores_every_field_of_every_model(told: tuple[Api, Witness]) -> None:
    stored = told[1].fields
    missing = {
        at
        for path, model in MODELS.items()
        for name in fields_of_model(model)
        if (at := f"{path}.{name}") not in NOT_STORED
        and f"{path}.{STORED_AS.get(at, name)}" not in stored
    }
    assert missing == set(), "add a call that stores it to `story` in tests/stored_fields.py"


FIELDS: Final = {"groups.name": "string", "groups.version": "number"}


@pytest.mark.parametrize(
    ("now", "migration", "said"),
    [
        (FIELDS, 4, None),
        (FIELDS, 5, "writes the next version"),
        ({**FIELDS, "groups.slow": "number"}, 4, "Added:\n  groups.slow: number"),
        ({**FIELDS, "groups.slow": "number"}, 4, "writes the next version"),
        ({"groups.name": "string"}, 4, "Removed:\n  groups.version: number"),
        ({"groups.name": "string"}, 4, "needs a new step"),
        ({"groups.name": "string"}, 5, "writes the next version"),
        ({**FIELDS, "groups.name": "number"}, 4, "groups.name: was string, is number"),
        ({**FIELDS, "groups.name": "optional string"}, 4, "needs a new step"),
    ],
)
async def test_a_difference_is_reported_with_its_cure(
    now: Mapping[str, str], migration: int, said: str | None
) -> None:
    found = complaint(Snapshot(1, 4, FIELDS), dict(now), migration)
    assert found is said or (said is not None and found is not None and said in found)


# --- a newer process beside this one ----------------------------------------------------------------------------------


async def test_the_newer_field_is_added_to_every_object(told: tuple[Api, Witness]) -> None:
    marked = {f"{name}.{path}" for name, paths in SUBDOCUMENTS.items() for path in paths}
    stored = {
        path
        for path, kinds in told[1].fields.items()
        if "object" in kinds.split()
        and "[]" not in path  # no update reaches into what the objects of an array have
    }
    assert stored == marked


async def test_every_call_works_on_documents_with_a_newer_field(told: tuple[Api, Witness]) -> None:
    # A draft that was published meanwhile, an edit of a recalled message, and a message to an id that may mean a
    # channel: parts of the story.
    refused = {"draft_not_found", "message_recalled", "ambiguous_conversation_id"}
    assert told[1].refused == refused


async def test_verify_reads_documents_with_a_newer_field(told: tuple[Api, Witness]) -> None:
    console = Console(file=io.StringIO())
    outcomes = await verify(told[0].services.database, Limits(), console=console, repair=False)
    assert outcomes
    assert [outcome.check.claim for outcome in outcomes if not outcome.is_clean] == []


async def test_no_answer_shows_a_field_that_this_version_does_not_know(
    told: tuple[Api, Witness],
) -> None:
    assert told[1].showing == set()


async def test_no_call_drops_a_field_that_this_version_does_not_know(
    told: tuple[Api, Witness],
) -> None:
    assert told[1].lost == set()


@own_loop
async def test_an_event_with_a_newer_field_is_heard(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    ears = await ada.socket()
    await a_post(ada, path)
    heard = await ears.hear("message.posted")
    outbox = server.services.database.collection("events")
    (row,) = await outbox.find({"events.type": "message.posted"}).to_list(None)
    newer = row["events"][0]
    newer[FROM_NEWER] = newer["message"][FROM_NEWER] = newer["message"]["content"][FROM_NEWER] = 1
    unknown = {"type": "something.newer", "at": newer["at"], "more": 1}
    await outbox.insert_one({"at": newer["at"] + timedelta(seconds=1), "events": [unknown, newer]})
    again = await ears.hear("message.posted")
    assert again == {**heard, "event_id": again["event_id"]}
    await ears.close()
    assert read_event(unknown) is None


async def test_writes_of_this_version_are_still_strict() -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        Link.model_validate({"title": "Tea", "url": "https://example.org", FROM_NEWER: 1})


# --- ids of users -----------------------------------------------------------------------------------------------------

_USER: Final = re.compile(r"[a-z]+-\d+")
"""The ids of the users of the story (`Api.new_user`)."""


def _fields_with_users(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if any(_USER.fullmatch(each) for each in parts_of(value)):
            yield path
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _fields_with_users(f"{path}.{name}", each)
    elif isinstance(value, list):
        for each in value:
            yield from _fields_with_users(path, each)


async def test_every_field_that_holds_a_user_has_a_place(told: tuple[Api, Witness]) -> None:
    found = {
        path
        for (collection, _), row in told[1].last.items()
        if collection not in ERASED_BY_LOG
        for path in _fields_with_users(collection, row)
    }
    declared = {f"{place.collection}.{place.path}" for place in PLACES}
    assert len(found) > 60, found
    assert found - declared == NAMES_NOBODY, (
        "add a Place to PLACES in the `personal_data` of the package, and that module to"
        " channels/user_data/registry.py: else a deleted user stays there"
    )
