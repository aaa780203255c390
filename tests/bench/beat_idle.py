"""The cost of a turn without a due schedule, among many future and many disabled schedules."""

from tests.bench.beat_stage import Failed, candidates, report_failure, stage, title
from tests.bench.figures import shown, table


def main(*, quick: bool) -> None:
    """Print the table."""
    each, rows = 500 if quick else 10_000, []
    for key in candidates():
        try:
            with stage(key) as here:
                here.ask("fill", plans="idle", future=each, disabled=each, at=here.at.isoformat())
                found = here.ask("idle", turns=200, longest=4)
        except Failed as error:
            report_failure(key, "idle", error)
            continue
        rows.append(
            [title(key), shown(found["median"]), shown(found["worst"]), str(found["turns"])]
        )
    table(
        f"a turn in which nothing is due: {each:,} schedules in the future, {each:,} switched off",
        ["", "median", "worst", "turns"],
        rows,
    )
