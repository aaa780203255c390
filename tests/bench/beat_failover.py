"""Seconds without a leader after the leader was killed, or has stopped in order.

Real processes with default settings. Stock RedBeat on a plain app is left out: the lock lives for
1500 s, and a stand-by looks every 300 s.
"""

import signal
from contextlib import suppress
from time import monotonic
from typing import Any

from scheduler.settings.schema import Settings
from tests.bench.beat_stage import Failed, Stage, candidates, report_failure, stage, title
from tests.bench.figures import table
from tests.support.processes import Process, end_all, start_beat
from tests.support.waiting import wait_for

LOCK = "redbeat::lock"
CLASSES = {"ours": "scheduler.beat.Scheduler", "stock-a": "redbeat.RedBeatScheduler"}


def settings_for(here: Stage) -> Settings:
    """Return default settings with the stage's servers."""
    return Settings(
        redis_url=here.server.url, data_dir=here.folder, secret_key="s" * 40, log_level="INFO"
    )


def taken_over(here: Stage, first: Process, second: Process, how: signal.Signals) -> float:
    """Return the seconds from the signal to the leader until the stand-by has the lock."""
    second.wait_for_log("beat: Starting", 60)
    with here.server.client() as redis:
        before: Any = redis.get(LOCK)
        began = monotonic()
        first.popen.send_signal(how)
        wait_for(
            lambda: redis.get(LOCK) not in (None, before), 40, "the other one leads", every=0.005
        )
        return monotonic() - began


def measured(key: str, times: int) -> list[str]:
    """Return one row: the worst of some kills, and of some clean ends."""
    found: dict[signal.Signals, list[float]] = {signal.SIGKILL: [], signal.SIGTERM: []}
    with stage(key) as here:
        settings = settings_for(here)
        settings.data_dir.mkdir(exist_ok=True)
        for how, took in found.items():
            for _ in range(times):
                first = start_beat(settings, scheduler=CLASSES[key])
                second = start_beat(settings, scheduler=CLASSES[key], wait=False)
                try:
                    took.append(taken_over(here, first, second, how))
                finally:
                    end_all()
        killed, ended = (max(took) for took in found.values())
        return [
            title(key),
            f"{settings.beat_lock_timeout} s",
            f"{killed:.2f} s",
            f"{ended:.2f} s",
            str(times),
        ]


def main(*, quick: bool) -> None:
    """Print the table."""
    rows = []
    for key in candidates("ours", "stock-a"):
        with suppress(AssertionError):
            try:
                rows.append(measured(key, 2 if key == "ours" and not quick else 1))
            except (Failed, RuntimeError, AssertionError) as error:
                report_failure(key, "failover", error)
    rows.append(["stock RedBeat", "1500 s", "not waited for", "not waited for", "0"])
    table(
        "until another one leads (worst)",
        ["", "lock lives", "killed", "stopped in order", "times"],
        rows,
    )
