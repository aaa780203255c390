"""The work of a profile: find and open the files, read the data, measure the columns."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from scheduler.errors import Refused
from scheduler.jobs.profiling.dataset import Dataset, dataset
from scheduler.jobs.profiling.engine import Engine, engine
from scheduler.jobs.profiling.measuring import measured
from scheduler.jobs.profiling.page import Profile
from scheduler.jobs.profiling.parameters import DatasetProfile
from scheduler.jobs.profiling.reading import CsvForm, Table, csv_table, parquet_table
from scheduler.jobs.profiling.workplace import workplace
from scheduler.settings.schema import Settings

READING_SHARE = 0.5
"""Share of reading in the reported progress, for files read before the measuring."""

Tell = Callable[[float, str], None]


def profiled(
    params: DatasetProfile, root: Path, settings: Settings, now: datetime, tell: Tell
) -> Profile:
    """The profile of the files that the parameters choose below `root`.

    `tell` gets the done share and the file or column. Raises Refused, DatasetUnreadable,
    TooLittleMemory or NoRoom.
    """
    most = settings.dataset_max_megabytes * 1_000_000
    with (
        dataset(root, params.path, params.pattern, params.format) as files,
        workplace(settings.data_dir, most) as place,
    ):
        if files.size > most:
            raise Refused(
                f"path: the files have {files.size / 1e6:,.0f} MB, and "
                f"BEATDESK_DATASET_MAX_MEGABYTES allows {settings.dataset_max_megabytes:,}; "
                "choose fewer by the pattern",
                field="path",
            )
        names = {file.address: file.shown for file in files.files}
        with engine(place, names, settings.dataset_memory_megabytes) as database:
            begun = READING_SHARE if files.kind == "csv" else 0.0
            table = _table(database, files, params, lambda share, text: tell(begun * share, text))
            columns = measured(
                database, table, lambda share, text: tell(begun + (1 - begun) * share, text)
            )
        title = f"Profile of {params.path or root.name}, {now:%Y-%m-%d}"
        sizes = [(file.shown, file.size) for file in files.files]
        return Profile(title, now, files.kind, sizes, columns[0].rows, table.bad, columns)


def _table(database: Engine, files: Dataset, params: DatasetProfile, tell: Tell) -> Table:
    if files.kind == "parquet":
        return parquet_table(database, files)
    return csv_table(
        database,
        files,
        CsvForm(params.delimiter, params.header, params.encoding, params.sample_rows),
        tell,
    )
