"""Says in words why a value does not fit its type, for the `detail` of an error.

The types' own reasons ("Input should be a valid integer, unable to parse string as an integer") stay in
`details.errors`, on which clients may rely. No reason repeats the value that was sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel

_Context = Mapping[str, Any]

_PLAIN: Final = {
    "missing": "is missing",
    "none_required": "must be null",
    "string_type": "must be text",
    "string_pattern_mismatch": "is not of the form that it must have",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "datetime_type": "must be a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "must be a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "must be a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z",
    "timezone_aware": "must name its time zone, such as 2026-01-31T12:00:00Z",
    "date_type": "must be a date, such as 2026-01-31",
    "date_parsing": "must be a date, such as 2026-01-31",
    "date_from_datetime_parsing": "must be a date, such as 2026-01-31",
}
_WITH_CONTEXT: Final[Mapping[str, Callable[[_Context], str]]] = {
    "json_invalid": lambda ctx: f"is not valid JSON: {ctx['error']}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']}",
    "greater_than": lambda ctx: f"must be more than {ctx['gt']}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']}",
    "less_than": lambda ctx: f"must be less than {ctx['lt']}",
    "string_too_short": lambda ctx: f"must have at least {_count(ctx['min_length'], 'character')}",
    "string_too_long": lambda ctx: f"must have at most {_count(ctx['max_length'], 'character')}",
    "too_short": lambda ctx: f"must have at least {_count(ctx['min_length'], 'item')}",
    "too_long": lambda ctx: f"must have at most {_count(ctx['max_length'], 'item')}",
    "enum": lambda ctx: f"must be {ctx['expected']}",
    "literal_error": lambda ctx: f"must be {ctx['expected']}",
}


_OF_NUMBERS: Final = frozenset(
    {"int_type", "int_parsing", "int_from_float", "greater_than_equal", "less_than_equal"}
)


def reason_in_words(problem: Mapping[str, Any], model: type[BaseModel] | None = None) -> str:
    """What is wrong with the value, as the end of a sentence that begins with its field; `problem` is pydantic's.

    `model` is what the request was to be, if known. Its field says both bounds of a whole number.
    """
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _OF_NUMBERS and model is not None and len(problem["loc"]) == 1:
        bounds = _bounds_of(model, problem["loc"][0])
        if bounds is not None:
            return "must be a whole number between {} and {}".format(*bounds)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _WITH_CONTEXT:
        return _WITH_CONTEXT[kind](context)
    # The types of the house say it in words already.
    reason: str = problem["msg"]
    return reason


def _bounds_of(model: type[BaseModel], name: object) -> tuple[int, int] | None:
    field = model.model_fields.get(str(name))
    if field is None or field.annotation is not int:
        return None
    least = next((one.ge for one in field.metadata if hasattr(one, "ge")), None)
    most = next((one.le for one in field.metadata if hasattr(one, "le")), None)
    return (least, most) if isinstance(least, int) and isinstance(most, int) else None


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
