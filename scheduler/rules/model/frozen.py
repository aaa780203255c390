"""The class of all values that schedules are made of."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable, and unknown fields are refused.

    `defer_build`: a validator is made when it is first used (pydantic locks around it), not when
    its module is imported. Making those of the whole vocabulary takes longer than a command that
    uses three of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
