"""The supervisor with small children: what it does when they die, hang, or never get ready.

Each test runs it in a process of its own, because it takes over the signals of its process.
"""

import os
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import ROOT, Process
from tests.support.waiting import stays, wait_for

Start = Callable[[str], Process]

PROLOGUE = """
import logging, os, signal, sys
from pathlib import Path
from scheduler.settings import server_file
from scheduler.process_logs import configure
from scheduler.up.child import Child, Stop
from scheduler.up.console import Console
from scheduler.up.interrupts import Interrupts
from scheduler.up.supervisor import Supervisor

console = Console()
configure("INFO", "text", console.stream("up"))

def child(name, code, ready=lambda pid: True, stops=((signal.SIGTERM, 5),)):
    stops = [Stop(*stop) for stop in stops]
    return Child(name=name, command=[sys.executable, "-u", "-c", code], is_ready=ready, stops=stops)

def told(name):
    return lambda pid: Path(name).exists()

def supervise(*children):
    lock = server_file.take_lock(Path("."))
    with Interrupts() as interrupts:
        supervisor = Supervisor(children, [c.name for c in reversed(children)], interrupts, console, lock)
        try:
            if supervisor.start():
                print("all are ready", flush=True)
                supervisor.watch()
        finally:
            supervisor.stop()
    print("the end", flush=True)

IDLE = "import signal; signal.pause()"
DEAF = '''
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("hears nothing")
while True:
    signal.pause()
'''
"""


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Run a supervisor's script in a folder of its own."""

    def run(script: str) -> Process:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        code = PROLOGUE + textwrap.dedent(script)
        return Process(sys.executable, "-c", code, env=env, name="supervisor", cwd=tmp_path)

    return run


def pid_of(process: Process, name: str) -> int:
    for line in process.log.splitlines():
        if f"{name} is ready (process " in line:
            return int(line.rpartition("(process ")[2].rstrip(")"))
    raise AssertionError(f"{name} is not ready")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_child_that_is_never_ready_is_given_up_with_the_reason_and_the_others_are_stopped(
    start: Start,
) -> None:
    process = start(
        "supervise(child('good', IDLE), child('bad', 'print(1/0)', ready=lambda pid: False))"
    )
    assert process.wait(40) == 1
    assert "ZeroDivisionError" in process.log
    assert process.log.count("bad (process") == 5
    assert "bad has died 5 times and was never ready" in process.log
    assert "good has stopped" in process.log


def test_the_next_child_waits_for_the_one_before(start: Start, tmp_path: Path) -> None:
    script = """
        first, second = (f"print('{name} runs')\\n{IDLE}" for name in ("first", "second"))
        supervise(child("first", first, ready=told("go")), child("second", second))
    """
    process = start(script)
    process.wait_for_log("first runs")
    stays(lambda: "second runs" not in process.log, 0.5, "the second waits")
    (tmp_path / "go").touch()
    process.wait_for_log("all are ready")
    process.terminate()
    assert process.wait(20) == 0
    assert process.log.index("second has stopped") < process.log.index("first has stopped")


def test_a_second_interrupt_hurries_a_child_that_takes_its_time(start: Start) -> None:
    process = start(
        "supervise(child('slow', DEAF, stops=[(signal.SIGTERM, 120), (signal.SIGQUIT, 120)]))"
    )
    process.wait_for_log("hears nothing")
    process.wait_for_log("all are ready")
    os.kill(process.pid, signal.SIGINT)
    process.wait_for_log("stopping slow")
    os.kill(process.pid, signal.SIGINT)
    process.wait_for_log("slow is still there, now SIGQUIT")
    assert process.wait(20) == 0
    assert "slow has stopped (exit code -3, SIGQUIT)" in process.log


def test_a_child_that_hears_nothing_is_killed_when_its_time_is_over(start: Start) -> None:
    process = start("supervise(child('deaf', DEAF, stops=[(signal.SIGTERM, 0.3)]))")
    process.wait_for_log("hears nothing")
    process.wait_for_log("all are ready")
    process.terminate()
    assert process.wait(20) == 0
    assert "deaf has stopped (exit code -9, SIGKILL)" in process.log


def test_what_a_dead_child_leaves_in_its_group_dies_too(start: Start, tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print('has', p.pid, "
        "flush=True); p.wait()"
    )
    process = start(f"supervise(child('parent', {script!r}))")
    process.wait_for_log("has ")
    grandchild = int(process.log.partition("has ")[2].split()[0])
    process.wait_for_log("parent is ready")
    os.kill(pid_of(process, "parent"), signal.SIGKILL)
    process.wait_for_log("died: exit code -9, SIGKILL; started again in 0.5 s")
    wait_for(lambda: is_gone(grandchild), 10, "the grandchild is gone")


def test_the_orphan_reaper_stops_all_of_them_in_order_when_the_supervisor_is_killed(
    start: Start, tmp_path: Path
) -> None:
    script = """
        def dutiful(name):
            last_words = f"(open('order', 'a').write('{name} '), sys.exit())"
            code = f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: {last_words})"
            return child(name, f"{code}\\nopen('{name}', 'w'); signal.pause()", ready=told(name))

        supervise(dutiful("one"), dutiful("two"))
    """
    process = start(script)
    process.wait_for_log("all are ready")
    pids = [pid_of(process, name) for name in ("one", "two")]
    process.kill_alone()
    wait_for(lambda: all(is_gone(pid) for pid in pids), 20, "both are gone")
    assert (tmp_path / "order").read_text().split() == ["two", "one"]


def test_the_folder_stays_locked_until_the_last_child_of_a_killed_supervisor_is_gone(
    start: Start,
) -> None:
    process = start("supervise(child('deaf', DEAF, stops=[(signal.SIGTERM, 2)]))")
    process.wait_for_log("hears nothing")
    process.wait_for_log("all are ready")
    child = pid_of(process, "deaf")
    process.kill_alone()
    again = start("print('locked', server_file.take_lock(Path('.')) is None, flush=True)")
    again.wait(20)
    locked, gone = "locked True" in again.log, is_gone(child)
    assert locked or gone
    wait_for(lambda: is_gone(child), 20, "the child is gone")
    free = start("print('locked', server_file.take_lock(Path('.')) is None, flush=True)")
    free.wait(20)
    assert locked
    assert "locked False" in free.log


def test_an_orphan_reaper_that_dies_is_replaced(start: Start) -> None:
    process = start("supervise(child('idle', IDLE))")
    process.wait_for_log("all are ready")
    before = reapers_of(process.pid)
    assert len(before) == 1
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: reapers_of(process.pid) not in ([], before), 10, "another orphan reaper")


def reapers_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    alive = [int(child) for child in children if not is_gone(int(child))]
    return [
        child
        for child in alive
        if "scheduler.up.orphan_reaper" in Path(f"/proc/{child}/cmdline").read_text()
    ]
