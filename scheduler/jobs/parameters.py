"""What the parameters of report and cleanup jobs have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LONGEST_KEPT_DAYS = 3650

KeepDays = Annotated[
    int, Field(ge=1, le=LONGEST_KEPT_DAYS, description="Days for which the files are kept")
]
DryRun = Annotated[bool, Field(description="Delete nothing, and say what would be deleted")]


class Parameters(BaseModel):
    """Parameters are taken as they are: a text is no number, and a name that nobody knows is a
    mistake.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
