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
        default="", description="A file or folder below the root; by default the root itself"
    )
    pattern: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        default="*",
        description="Names of the files of a folder: * stands for anything, ? for one character",
    )
    format: Literal["csv", "parquet"] | None = Field(
        default=None,
        description="Format of the files; by default from the ends of their names",
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=4)] | None = Field(
        default=None,
        description="Separator of the values of a CSV; by default detected",
    )
    header: bool | None = Field(
        default=None,
        description="Whether the first line of a CSV has the names; by default detected",
    )
    encoding: Literal["utf-8", "latin-1", "utf-16"] = Field(
        default="utf-8", description="Encoding of a CSV"
    )
    sample_rows: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=20_480,
        description="Rows of a CSV from which the types are detected; later rows must fit, "
        "or count as bad",
    )
    keep_days: KeepDays = 90

    @field_validator("delimiter")
    @classmethod
    def _is_no_quote(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and set(delimiter) & set('"\r\n\0'):
            raise ValueError("a delimiter has no quotes and no line breaks")
        return delimiter
