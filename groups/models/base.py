"""The base of the models that are validated when made."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """The base of this package's models."""

    model_config = ConfigDict(frozen=True, extra="forbid")
