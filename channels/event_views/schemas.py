"""JSON schemas of what the server sends, as clients should read them: parts of the configuration of pydantic models.

The models themselves are strict, since tests compare with them what is sent. A client is not: fields may be added.
"""

from typing import Any


def allow_more(schema: dict[str, Any]) -> None:
    """Let the schema of a model allow fields that a later version adds."""
    schema.pop("additionalProperties", None)


def absent_not_null(schema: dict[str, Any]) -> None:
    """The same, and a field with the default None is absent where it does not apply, and never null."""
    allow_more(schema)
    for name, part in schema.get("properties", {}).items():
        if name not in schema.get("required", ()):
            part.pop("default", None)
            kinds = [kind for kind in part.pop("anyOf", ()) if kind != {"type": "null"}]
            part |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
