"""Common parameters of report and cleanup jobs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LONGEST_DAYS = 3650

KeepDays = Annotated[
    int, Field(ge=1, le=LONGEST_DAYS, description="Days for which the files are kept")
]
DryRun = Annotated[bool, Field(description="Delete nothing, and report what would be deleted")]


class Parameters(BaseModel):
    """Parameters without conversions: a text is not a number, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
