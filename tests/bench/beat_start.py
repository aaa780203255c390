"""How long a Beat takes to start where the code has many static entries (`beat_schedule`).

From making the scheduler to the end of its first turn, without the imports. Cold: none of them is
stored yet. Warm: all of them are, as they are in the code. APScheduler knows no such thing.
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
