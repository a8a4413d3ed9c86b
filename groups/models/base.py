"""The base of the models that are validated when made."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """The base of this package's models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_stored(cls, document: Mapping[str, Any]) -> Self:
        """The model that a stored document holds.

        Fields that the model does not have are ignored: the store's own, and those that a newer version added.
        """
        return cls.model_validate(document, extra="ignore")
