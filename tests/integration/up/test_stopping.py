"""How `beatdesk up` ends: in order, with nothing lost; and how it begins again."""

import json
import os
import re
import signal
from pathlib import Path

from tests.support.processes import Process
from tests.support.up.house import House
from tests.support.waiting import wait_for


def start_long_run(house: House, seconds: int) -> str:
    """A run that a worker is busy with now."""
    added = house.command(
        *("schedules", "add", "long", "demo.long_task", "--cron", "0 0 1 1 *"),
        *("--kwargs", json.dumps({"duration": seconds}), "--json"),
    )
    assert added.returncode == 0, added.stderr
    started = house.command("schedules", "run", "long", "--json")
    assert started.returncode == 0, started.stderr
    run: str = json.loads(started.stdout)["id"]
    wait_for(lambda: state(house, run) == "running", 30, "the run is running")
    return run


def state(house: House, run: str) -> str | None:
    """The state of a run in the history."""
    found = house.run(run)
    return found["state"] if found else None


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def all_pids(house: House) -> list[int]:
    return [house.pids(name)[-1] for name in ("valkey", "recorder", "worker", "beat", "web")]


def test_a_stop_lets_the_running_job_finish_and_the_next_start_finds_everything_on_another_port_if_need_be(
    house: House,
) -> None:
    first = house.start()
    children = all_pids(house)
    run = start_long_run(house, 6)

    first.terminate()
    assert first.wait(60) == 0

    stopped = re.findall(r"(\w+) has stopped \(exit code (-?\d+)", first.log)
    assert stopped == [
        ("beat", "0"),
        ("web", "0"),
        ("worker", "0"),
        ("recorder", "0"),
        ("valkey", "0"),
    ]
    assert not [pid for pid in children if is_alive(pid)]
    assert not (house.folder / "data/server.json").exists()
    assert state(house, run) == "succeeded", "the end of the run is in SQL, with no server running"

    port = int(house.env["BEATDESK_WEB_PORT"])
    squatter = Process(
        "python3",
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        env=house.env,
        cwd=house.folder,
    )
    squatter.wait_for_log("Serving HTTP")
    second = house.start()
    assert "password" not in second.log
    assert f"port {port} is taken" in second.log
    assert f":{port}" not in house.web
    assert json.loads(house.command("schedules", "show", "long", "--json").stdout)["name"] == "long"
    assert state(house, run) == "succeeded"
    assert house.page("/login")[0] == 200


def test_a_killed_supervisor_leaves_nothing_running_and_the_next_one_takes_over(
    house: House,
) -> None:
    first = house.start()
    children = all_pids(house)
    first.kill_alone()

    again = house.start()

    assert not [pid for pid in children if is_alive(pid)]
    assert again.log.count("is ready") == 5
    assert house.command("schedules", "show", "heartbeat-demo").returncode == 0


def test_a_stop_during_the_start_ends_what_has_been_started(house: House) -> None:
    up = house.launch()
    up.wait_for_log("valkey is ready", timeout=30)
    os.kill(up.pid, signal.SIGINT)
    assert up.wait(60) == 0
    assert not [pid for pid in house.pids("valkey") if is_alive(pid)]
    assert "Beatdesk is running" not in up.log


def test_a_server_that_is_set_wins_over_the_embedded_one(house: House, valkey: object) -> None:
    house.env["BEATDESK_REDIS_URL"] = valkey.url  # type: ignore[attr-defined]
    house.start()
    assert "valkey" not in house.up.log
    assert not (house.folder / "data/valkey").exists()
    assert house.command("status").returncode == 0
