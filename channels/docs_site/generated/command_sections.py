"""The commands, as the command line declares them."""

import re
from collections.abc import Iterator
from typing import Any, Final

import typer

from channels.cli import app
from channels.docs_site.generated.tables import one_line, table

_HELP: Final = {"help"}
_VARIABLE: Final = re.compile(r" \[(CHANNELS_\w+); (.+)\]$")
"""How the help names the variable of an option, and its default."""
_CODE: Final = re.compile(r"\b(CHANNELS_\w+)\b")
_EXAMPLE: Final = re.compile(r"Example: (.+?)(?=\. |, or |\.?$)")


def commands() -> str:
    """A section for each command: what it does, its arguments and options, an example."""
    group: Any = typer.main.get_command(app)
    return "\n\n".join(_section(name, command) for name, command in group.commands.items())


def _section(name: str, command: Any) -> str:
    usage = " ".join(["channels", name, *(_usage_of(each) for each in command.params)])
    parts = [f"## `channels {name}`", f"```text\n{usage}\n```", *_paragraphs(command.help)]
    rows = [[_names_of(each), _default_of(each), _meaning_of(each)] for each in _shown(command)]
    parts.append(table(["Argument or option", "Default", "Meaning"], rows))
    if command.epilog:
        parts.append(_EXAMPLE.sub(r"Example: `\1`", one_line(command.epilog)))
    return "\n\n".join(parts)


def _shown(command: Any) -> Iterator[Any]:
    return (each for each in command.params if each.name not in _HELP)


def _paragraphs(text: str) -> list[str]:
    return [_CODE.sub(r"`\1`", one_line(part)) for part in text.split("\n\n")]


def _meaning_of(parameter: Any) -> str:
    return _CODE.sub(r"`\1`", _VARIABLE.sub("", one_line(parameter.help or "")))


def _usage_of(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    name = parameter.opts[0]
    return f"[{name}]" if parameter.is_flag else f"[{name} {_value_of(parameter)}]"


def _value_of(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _names_of(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    name = parameter.opts[0]
    return f"`{name}`" if parameter.is_flag else f"`{name} {_value_of(parameter)}`"


def _default_of(parameter: Any) -> str:
    if parameter.required:
        return "required"
    named = _VARIABLE.search(one_line(parameter.help or ""))
    if named is not None:
        default = named[2] if " " in named[2] else f"`{named[2]}`"
        return f"`{named[1]}`, else {default.removeprefix('by default ')}"
    if parameter.default is None or parameter.is_flag:
        return ""
    return f"`{parameter.default}`"
