"""Seconds of a Beat's start with many static entries (`beat_schedule`) in the code.

From making the scheduler to the end of the first turn, without imports. Cold: no entry is stored
yet. Warm: all entries are stored and unchanged. APScheduler has no static entries.
"""

from tests.bench.beat_stage import Failed, candidates, report_failure, stage, title
from tests.bench.figures import table

PATIENCE = 30.0
"""Seconds for one start; slower contenders are reported."""


def main(*, quick: bool) -> None:
    """Print the table."""
    count, rows = 500 if quick else 10_000, []
    for key in candidates("ours", "stock", "stock-a", "django"):
        try:
            with stage(key) as here:
                cold, warm = (
                    here.ask("static", PATIENCE, count=count)["seconds"] for _ in range(2)
                )
        except Failed as error:
            report_failure(key, "start", error)
            continue
        rows.append([title(key), f"{cold:.2f} s", f"{warm:.2f} s"])
    table(f"start with {count:,} static entries", ["", "cold", "warm"], rows)
