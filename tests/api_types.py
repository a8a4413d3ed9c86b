"""The API's description as TypeScript declarations, against which the web app's scripts are checked.

`python -m tests.api_types` writes `channels/console/types/api.d.ts` anew, and the models alone for the JavaScript SDK.
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

from channels.limits import Limits
from channels.server.app import endpoints_for
from channels.server.web.openapi import document
from channels.server.web.responses import JSON

DECLARATIONS: Final = Path(__file__).parents[1] / "channels/console/types/api.d.ts"

SDK_DECLARATIONS: Final = DECLARATIONS.parents[1] / "static/sdk/types/api.d.ts"

_HEAD: Final = """\
// What the API takes and answers, made from its OpenAPI document by `python -m tests.api_types`. Not served.

declare namespace Api {
  const isPart: unique symbol;
  /** An id that is encoded as one segment of a path. */
  type Part = string & { readonly [isPart]: true };

  interface Page<Item> {
    items: Item[];
    next_cursor: string | null;
  }

  type Nothing = Record<never, never>;

  /** The query, the body and the answer of a call. */
  interface Call<Query, Body, Answer> {
    query: Query;
    body: Body;
    answer: Answer;
  }
"""

_SDK_HEAD: Final = """\
// What the API takes and answers, made from its OpenAPI document by `python -m tests.api_types`.

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}
"""

Schema = dict[str, Any]


def declarations() -> str:
    """The declarations of every model and of every call, for the code as it is."""
    spec = _spec()
    # The page names the limits of the deployment (`channels/console/shell.py`).
    models = spec["components"]["schemas"] | {
        "Limits": Limits.model_json_schema(mode="serialization")
    }
    lines = [_HEAD, *_models(models)]
    for method in ("get", "post", "put", "patch", "delete"):
        lines.append(f"  interface {method.title()}Calls {{")
        for path, item in sorted(spec["paths"].items()):
            if method in item:
                lines.append(f"    {_key(path, item[method])}: {_call(item[method])};")
        lines.append("  }\n")
    return "\n".join(lines).rstrip("\n") + "\n}\n"


def sdk_declarations() -> str:
    """The models as a module, for those who program against the SDK."""
    models = textwrap.dedent("\n".join(_models(_spec()["components"]["schemas"])))
    exported = re.sub(r"^(interface|type) ", r"export \1 ", models, flags=re.MULTILINE)
    return f"{_SDK_HEAD}\n{exported.rstrip()}\n"


def _spec() -> Schema:
    # Only what the routes declare is read; no service is called.
    return document(endpoints_for(MagicMock()), version="")


def _models(models: Schema) -> Iterator[str]:
    for name, schema in sorted(models.items()):
        if not name.startswith("Page_"):
            yield from _model(name, schema)


def _model(name: str, schema: Schema) -> Iterator[str]:
    if "properties" in schema:
        yield f"  interface {name} {{"
        # An answer holds every field, those with a default too.
        answers = name.endswith("Response") or name == "Limits"
        for field, kind in schema["properties"].items():
            mark = "" if answers or field in schema.get("required", ()) else "?"
            yield f"    {field}{mark}: {_type(kind)};"
        yield "  }\n"
    else:
        kinds = f" {_type(schema)}"
        if len(kinds) > 100:
            kinds = "".join(f"\n    | {kind}" for kind in kinds.strip().split(" | "))
        yield f"  type {name} ={kinds};\n"


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": ref}:
            name = ref.rpartition("/")[2]
            return _page(name) if name.startswith("Page_") else name
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " | ".join(dict.fromkeys(_type(kind) for kind in kinds))
        case {"type": "array", "items": items}:
            inner = _type(items)
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        case {"type": "object", "patternProperties": values}:
            inner = " | ".join(_type(value) for value in values.values())
            return f"{{ [name: string]: {inner} }}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"{{ [name: string]: {_type(values)} }}"
        case {"type": "object"}:
            return "{ [name: string]: unknown }"
        case {"type": ("integer" | "number")}:
            return "number"
        case {"type": ("string" | "boolean" | "null") as kind}:
            return str(kind)
    return "unknown"  # any JSON value


def _page(name: str) -> str:
    """`Page_Union_A__B__` as `Page<A | B>`."""
    inner = name.removeprefix("Page_").removesuffix("_")
    models = inner.removeprefix("Union_").removesuffix("_").split("__")
    return f"Page<{' | '.join(models)}>"


def _key(path: str, operation: Schema) -> str:
    numbers = {
        parameter["name"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path" and parameter["schema"].get("type") == "integer"
    }
    template = re.sub(
        r"\{(\w+)\}", lambda found: "${number}" if found[1] in numbers else "${Part}", path
    )
    return f'"{path}"' if template == path else f"[path: `{template}`]"


def _call(operation: Schema) -> str:
    fields = [
        f"{parameter['name']}?: {_type(parameter['schema'])}"
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    ]
    query = f"{{ {'; '.join(fields)} }}" if fields else "Nothing"
    bodies = operation.get("requestBody", {"content": {}})["content"]
    body = _type(bodies[JSON]["schema"]) if JSON in bodies else "string" if bodies else "never"
    answers = [
        _type(answer["content"][JSON]["schema"]) if JSON in answer.get("content", ()) else "null"
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    return f"Call<{query}, {body}, {' | '.join(dict.fromkeys(answers))}>"


def main() -> None:
    """Writes the declarations anew."""
    DECLARATIONS.write_text(declarations(), encoding="utf-8")
    SDK_DECLARATIONS.write_text(sdk_declarations(), encoding="utf-8")


if __name__ == "__main__":
    main()
