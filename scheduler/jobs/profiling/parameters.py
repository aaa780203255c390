"""Parameters of a dataset's profile."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from scheduler.jobs.parameters import KeepDays, Parameters


class DatasetProfile(Parameters):
    """Parameters of `datasets.profile`."""

    root: Annotated[str, Field(min_length=1)] = Field(
        description="One folder of BEATDESK_FILE_ROOTS, by its path or its last name"
    )
    path: str = Field(
        default="", description="A file or a folder below it; the root itself where left out"
    )
    pattern: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        default="*",
        description="Names of the files of a folder: * stands for anything, ? for one character",
    )
    format: Literal["csv", "parquet"] | None = Field(
        default=None,
        description="What the files are; told by the ends of their names where left out",
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=4)] | None = Field(
        default=None,
        description="What stands between the values of a CSV; found out where left out",
    )
    header: bool | None = Field(
        default=None,
        description="Whether the first line of a CSV has the names; found out where left out",
    )
    encoding: Literal["utf-8", "latin-1", "utf-16"] = Field(
        default="utf-8", description="Encoding of a CSV"
    )
    sample_rows: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=20_480,
        description="Rows of a CSV from which its types are found out; others must fit, or are "
        "bad rows",
    )
    keep_days: KeepDays = 90

    @field_validator("delimiter")
    @classmethod
    def _is_no_quote(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and set(delimiter) & set('"\r\n\0'):
            raise ValueError("a delimiter has no quotes and no line breaks")
        return delimiter
