"""The table of settings."""

from typing import Any, Final, get_args

from pydantic.fields import FieldInfo

from channels.docs_site.generated.tables import bound_of, table
from channels.server.settings import Settings, Unset

_OF_PROCESSES: Final = {"is_worker", "is_beside_data"}
"""The server sets them for its own processes."""
_IN_ITS_OWN_TABLE: Final = {"limits"}
_FLAGS: Final = {"host", "port", "workers", "data_dir"}
"""The settings that `channels serve` takes as options, too."""


def settings() -> str:
    """Every setting: variable, default, values, meaning."""
    return table(
        ["Variable", "Default", "Meaning"],
        [
            [f"`CHANNELS_{name.upper()}`", _default(field), _meaning(name, field)]
            for name, field in Settings.model_fields.items()
            if name not in _OF_PROCESSES | _IN_ITS_OWN_TABLE
        ],
    )


def _default(field: FieldInfo) -> str:
    for mark in field.metadata:
        if isinstance(mark, Unset):
            return f"not set: {mark.meaning}"
    return f"`{field.default}`"


def _meaning(name: str, field: FieldInfo) -> str:
    parts = [field.description or ""]
    choices = get_args(field.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        parts.append(f"One of {', '.join(f'`{choice}`' for choice in choices)}.")
    least, most = bound_of(field, "ge"), bound_of(field, "le")
    if least is not None and most is not None:
        parts.append(f"From {_number(least)} to {_number(most)}.")
    if name in _FLAGS:
        parts.append(f"Also `--{name.replace('_', '-')}` of `channels serve`.")
    return " ".join(parts)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
