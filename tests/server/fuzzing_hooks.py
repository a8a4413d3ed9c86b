"""What schemathesis has to know of our API beyond its document: NDJSON, and which refusals no schema can foretell."""

import json
import re
from typing import Any, Final

import schemathesis

BEYOND_SCHEMA: Final = {
    "bad_cursor": "a cursor is one that the list itself made",
    "bad_emoji": "which strings are emoji is Unicode's list, of thousands",
    "bad_group_id": "which ids a group may have depends on its type",
    "bad_member_limit": "how many members a group may have depends on its type",
    "bad_media": "what a file is, its bytes say; an empty one is none",
    "bad_muted_until": "an instant is in the future, and not too far",
    "unknown_event_type": "the types are a list in one parameter, of which a schema knows only the text",
    "bad_webhook_url": "which addresses are public is a list of networks, and names are looked up",
    "bad_start_at": "an hour is in the future, and not too far",
    "confirmation_mismatch": "the body repeats the id that the path names",
    "bad_publish_at": "an hour is in the future, and not too far",
}
"""Codes of 400 that a request which fits its schema may be answered, and why the schema cannot say so."""

REASONS: Final = (
    # Rules between fields.
    r"^updated_since needs subscribed=true, and no ids$",
    r"^give at most one of ids, subscribed, owned, suspended and all$",
    r"^q and sort search the directory: leave out ids, subscribed and owned$",
    r"^updated_since is neither a sync_token nor an instant$",
    r"^with_posts works with cursor, not with before_seq, after_seq, around_seq, around or changed_since$",
    r"^changed_since, around_seq, around, and before_seq or after_seq exclude each other: send one of them$",
    r"^give exactly one of channel_id, group_id, conversation_id$",
    r"^\w+ does not go with kind \w+$",
    r"^(url|reply|data|form) is needed$",
    r"^\w+ must not be empty for kind \w+$",
    r"^kind is needed unless forward is given$",
    r"^a forward keeps its own content; leave out the other fields$",
    r"^must not be after `to`, nor in the future$",
    r"^at most \d+ days at once$",
    r"^add and remove must not name the same conversation$",
    r"^channel_id and group_id exclude each other: a group that becomes a channel keeps its id$",
    r"^owner_id and group_id exclude each other: a group that becomes a channel keeps its owner$",
    r"^share_history needs a group_id: a new channel has no history$",
    r"^`type` needs `all=true`$",
    r"^must differ from each other$",
    r"^a target of type \w+ has \w+",
    r"^only with the action \w+$",
    r"^muted false does not go with muted_until$",
    # The kind of a message that another call makes.
    r"^an answer to a form is sent with POST ",
    r"^\w+ must not name a tag twice$",
    r"^\w+ needs times in order, which do not touch$",
    r"^(web|gateway) devices have a \w+, and nothing else to send to$",
    # Names of time zones are a list of hundreds.
    r"^must be the name of a time zone: ",
    # Of one's own JSON the document says nothing, so neither of the strings in it.
    r"^holds a string or key with control characters$",
    # What an address is, a standard of many pages says.
    r"^must be an http or https address$",
    r"^must be an https address( without a user, a password or a fragment)?$",
    # To JSON Schema 1.0 is an integer. Who writes a seq so has computed it, and may have computed 1.5.
    r"^Input should be a valid integer$",
    # Names of a form's parts that hold control characters, which no form can have.
    r"^is not a form$",
)
"""The same for `invalid_request`, by the reasons that are told."""


@schemathesis.check
def a_request_that_fits_is_taken(ctx: Any, response: Any, case: Any) -> None:
    """400 is answered to what the document does not allow, or to what no schema can say; nothing else."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code not in {400, 413, 415}:
        return
    problem = response.json()
    if problem["code"] in BEYOND_SCHEMA:
        return
    reasons = [error["reason"] for error in problem["details"].get("errors", [])]
    told = reasons and all(any(re.search(known, one) for known in REASONS) for one in reasons)
    assert problem["code"] == "invalid_request", problem
    assert told, problem


@schemathesis.serializer("application/x-ndjson")
def _as_lines(ctx: Any, value: Any) -> bytes:
    """One object as a body of one line."""
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def _from_lines(ctx: Any, response: Any) -> Any:
    """The last line, which says the sum; each line has the same schema."""
    return json.loads(response.content.splitlines()[-1])
