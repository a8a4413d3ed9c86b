"""The tables of all calls, one for each tag."""

from functools import cache

from channels.docs_site.api_reference import ApiReference, Call
from channels.docs_site.generated.endpoints import endpoints
from channels.docs_site.generated.tables import table
from channels.server.web.openapi import document


def calls() -> str:
    """A heading and a table for each tag. The site links each call to its description."""
    return "\n\n".join(
        f"## {tag}\n\n{table(['Call', 'Does', 'Who', 'Errors'], map(_row, _reference().calls_of(tag)))}"
        for tag in _reference().tags
    )


def common_errors() -> str:
    """The errors that every call with a token may return, and which the tables leave out."""
    return ", ".join(f"[`{code}`](errors.md#{code})" for code in sorted(_common()))


def _row(call: Call) -> list[str]:
    codes = [error.code for error in call.errors if error.code not in _common()]
    return [
        f"`{call.method} {call.short_path}`",
        f"{call.title}.",
        call.who or "",
        " ".join(f"`{code}`" for code in codes),
    ]


@cache
def _reference() -> ApiReference:
    return ApiReference(document(endpoints()))


@cache
def _common() -> frozenset[str]:
    codes = [
        frozenset(error.code for error in call.errors)
        for call in _reference().calls
        if call.needs_token
    ]
    return frozenset.intersection(*codes)
