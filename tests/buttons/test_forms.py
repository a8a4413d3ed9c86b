"""Forms over HTTP: who writes, reads and answers them, what is refused, and what arrives in the inbox."""

import asyncio
from typing import Any, Final

import pytest

from tests.api import Api, User, a_channel, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELDS: Final[list[dict[str, Any]]] = [
    {"name": "name", "label": "Your name", "max_length": 10},
    {"name": "note", "label": "Anything else?", "kind": "long_text", "required": False},
    {"name": "cups", "label": "How many?", "kind": "number", "required": False},
    {
        "name": "size",
        "label": "Which size?",
        "kind": "choice",
        "options": ["Small", "Large"],
        "required": False,
    },
    {"name": "day", "label": "When?", "kind": "date", "required": False},
    {"name": "phone", "label": "Phone", "kind": "phone", "required": False},
    {"name": "mail", "label": "E-mail", "kind": "email", "required": False},
]
FORM: Final[dict[str, Any]] = {
    "title": "Order tea",
    "text": "We deliver on weekdays.",
    "fields": FIELDS,
    "confirmation": "Thank you.",
}


async def put_form(owner: User, channel: str, name: str = "order", **changes: Any) -> str:
    """Store the form; returns its path."""
    answer = await owner.put(f"{channel}/forms/{name}", {**FORM, **changes})
    assert answer.status == 200, answer
    return f"{channel}/forms/{name}"


async def test_an_answer_is_the_users_message_and_an_event_for_staff_and_back_end(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    form = await put_form(ada, channel)
    assert (await bob.get(form)).body["fields"][0]["max_length"] == 10
    staff = await ada.socket()
    given = {"size": "Large", "name": " Bob ", "cups": 2, "note": "one\r\ntwo", "mail": ""}
    answers = await asyncio.gather(
        *(bob.post(f"{form}/answers", {"answers": given}, idempotency_key="once") for _ in range(3))
    )
    assert {answer.status for answer in answers} == {201}, answers
    body = answers[0].body
    assert body["confirmation"] == "Thank you."
    assert body["message"]["kind"] == "form_answer"
    expected = [
        {"name": "name", "label": "Your name", "value": "Bob"},
        {"name": "note", "label": "Anything else?", "value": "one\ntwo"},
        {"name": "cups", "label": "How many?", "value": "2"},
        {"name": "size", "label": "Which size?", "value": "Large"},
    ]
    shown = {"form": "order", "title": "Order tea", "answers": expected}
    assert body["message"]["form_answer"] == shown
    heard = await staff.hear("form.answered")
    assert (heard["user_id"], heard["seq"], heard["answers"]) == (bob.id, 1, expected)
    # What the form becomes changes no answer, and the list shows its title.
    assert (await ada.delete(form)).status == 204
    [message] = (await ada.get(f"{channel}/inbox/{part(bob.id)}/messages")).items
    assert message["form_answer"] == shown
    [thread] = (await ada.get(f"{channel}/inbox")).items
    assert thread["last_message"]["preview"] == "Order tea"
    [found] = (await bob.get("/v1/search/messages?q=large&kind=form_answer")).items
    assert found["message"]["form_answer"] == shown
    query = f"after=start&channel_id={part(id_of(channel))}&types=form.answered"
    events: list[dict[str, Any]] = []
    while not events:  # the sequencer is a moment behind
        events = (await ada.get(f"/v1/events?{query}")).items
    assert [event["answers"] for event in events] == [expected]
    # Nobody sends such a message in another way.
    conversation = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages"
    refused = await bob.post(conversation, {"kind": "form_answer", "form_answer": shown})
    assert refused.refusal == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, None),
        ({"name": None}, ("name", "missing")),
        ({"name": "  "}, ("name", "missing")),
        ({"name": "n" * 10}, None),
        ({"name": "n" * 11}, ("name", "too_long")),
        ({"name": "a\nb"}, ("name", "control_character")),
        ({"name": 7}, ("name", "bad_type")),
        ({"note": "n" * 2_000}, None),
        ({"note": "n" * 2_001}, ("note", "too_long")),
        ({"other": "x"}, ("other", "unknown_field")),
        ({"cups": "1.5"}, None),
        ({"cups": -3}, None),
        ({"cups": True}, ("cups", "bad_type")),
        ({"cups": "many"}, ("cups", "not_a_number")),
        ({"cups": "٣"}, ("cups", "not_a_number")),
        ({"size": "Medium"}, ("size", "not_an_option")),
        ({"day": "2028-02-29"}, None),
        ({"day": "2027-02-29"}, ("day", "bad_date")),
        ({"day": "1.2.2027"}, ("day", "bad_date")),
        ({"phone": "+49 (30) 123-45.67"}, None),
        ({"phone": "call me"}, ("phone", "bad_phone")),
        ({"phone": "()()()"}, ("phone", "bad_phone")),
        ({"mail": "bob@mail.example.org"}, None),
        ({"mail": "bob@example"}, ("mail", "bad_email")),
        ({"mail": "a@b.c, d@e.f"}, ("mail", "bad_email")),
        ({"mail": f"{'b' * 250}@e.org"}, ("mail", "bad_email")),
    ],
)
async def test_a_value_that_does_not_fit_is_named_and_nothing_is_sent(
    shared_api: Api, changes: dict[str, Any], wrong: tuple[str, str] | None
) -> None:
    ada, bob = shared_api.new_user("forms"), shared_api.new_user()
    channel = await a_channel(ada, bob)
    form = await put_form(ada, channel)
    answer = await bob.post(f"{form}/answers", {"answers": {"name": "Bob", **changes}})
    if wrong is None:
        assert answer.status == 201, answer
        return
    assert answer.refusal == (400, "bad_form_answer")
    assert tuple(answer.body["details"].values()) == wrong
    assert (await ada.get(f"{channel}/inbox")).items == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fields": FIELDS[:1]}, None),
        ({"fields": []}, "invalid_request"),
        ({"fields": [{"name": f"f{n}", "label": "x"} for n in range(10)]}, None),
        ({"fields": [{"name": f"f{n}", "label": "x"} for n in range(11)]}, "invalid_request"),
        ({"fields": [FIELDS[0], FIELDS[0]]}, "invalid_request"),
        ({"fields": [{**FIELDS[3], "options": [str(n) for n in range(20)]}]}, None),
        ({"fields": [{**FIELDS[3], "options": [str(n) for n in range(21)]}]}, "invalid_request"),
        ({"fields": [{**FIELDS[3], "options": []}]}, "invalid_request"),
        ({"fields": [{**FIELDS[0], "options": ["x"]}]}, "invalid_request"),
        ({"fields": [{**FIELDS[2], "max_length": 5}]}, "invalid_request"),
        ({"fields": [{**FIELDS[0], "max_length": 2_001}]}, "invalid_request"),
        ({"title": "é" * 75}, None),
        ({"title": "é" * 75 + "x"}, "field_too_long"),
        ({"text": "x" * 1_001}, "field_too_long"),
    ],
)
async def test_forms_are_bounded(
    shared_api: Api, changes: dict[str, Any], code: str | None
) -> None:
    ada = shared_api.new_user("form-bounds")
    channel = await a_channel(ada)
    answer = await ada.put(f"{channel}/forms/order", {**FORM, **changes})
    assert (answer.body.get("code"), answer.status) == (code, 400 if code else 200)


async def test_the_limit_of_forms_is_exact_and_they_end_with_the_channel(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    answers = await asyncio.gather(*(ada.put(f"{channel}/forms/f{n}", FORM) for n in range(23)))
    assert sorted(answer.status for answer in answers) == [200] * 20 + [409] * 3
    assert {a.body["code"] for a in answers if a.status == 409} == {"form_limit_reached"}
    listed = (await bob.get(f"{channel}/forms?limit=2")).body
    assert len(listed["items"]) == 2
    assert listed["next_cursor"]
    name = listed["items"][0]["name"]
    assert (await ada.put(f"{channel}/forms/{name}", {**FORM, "title": "New"})).status == 200
    assert (await bob.put(f"{channel}/forms/{name}", FORM)).refusal == (403, "permission_denied")
    log = (await ada.get(f"{channel}/admin-log")).items
    assert (log[0]["action"], log[0]["target_id"]) == ("settings_changed", name)
    assert (log[0]["before"], log[0]["after"]) == ({"form": "Order tea"}, {"form": "New"})
    assert (await ada.delete(channel)).status == 204
    await shared_api.services.chat.cleanup.wait()
    forms = shared_api.services.database.collection("forms")
    assert await forms.find_one({"channel_id": id_of(channel)}) is None
