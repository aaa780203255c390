"""Seconds from an edit in another process to the message: a new schedule is due at once.

Stock RedBeat waits for the next look; the default is 300 s, here a second, as in Beatdesk's app.
APScheduler does not notice schedules of another process.
"""

from statistics import median

from tests.bench.beat_stage import Failed, answer_of, candidates, report_failure, stage, title
from tests.bench.figures import shown, table


def main(*, quick: bool) -> None:
    """Print the table."""
    rows = []
    for key in candidates("ours", "stock", "stock-a", "django"):
        count = 10 if quick else 200 if key == "ours" else 10
        try:
            with stage(key) as here:
                here.ask(
                    "fill", plans="due", count=0, at=here.at.isoformat()
                )  # tables, where there are any
                running = here.start("steady", seconds=90)
                found = here.ask("edits", count=count, pause=0.05 if key == "ours" else 1.0)
                running.terminate()
                answer_of(running)
        except Failed as error:
            report_failure(key, "edits", error)
            continue
        taken = found["taken"]
        if not taken:
            rows.append([title(key), "no message within 10 s", "", "", ""])
            continue
        p99 = taken[min(int(len(taken) * 0.99), len(taken) - 1)]
        more = f", then none within 10 s for edit {found['lost']}" if "lost" in found else ""
        rows.append(
            [title(key), f"{len(taken)}{more}", shown(median(taken)), shown(p99), shown(taken[-1])]
        )
    table("from an edit to its message", ["", "edits", "median", "p99", "worst"], rows)
