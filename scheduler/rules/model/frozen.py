"""The base class of all values in a schedule."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable model without unknown fields.

    `defer_build`: a validator is built on first use (pydantic takes a lock for the build), not at
    the module's import. Building the validators of all models takes longer than a command with
    three of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
