"""A schedule that goes to another queue takes what waits with it, if that is wanted."""

from tests.support.commands import Commands


def queued(beatdesk: Commands, queue: str) -> int:
    return int(beatdesk.services.redis.llen(queue))


def told(beatdesk: Commands, *words: str) -> str:
    """What a command that succeeds tells beside its output."""
    result = beatdesk(*words)
    assert result.exit_code == 0, result.output
    return result.stderr


def test_an_edit_of_the_queue_moves_what_waits_or_says_how(beatdesk: Commands) -> None:
    every = ("--cron", "0 6 * * *", "--kwargs", '{"whom": "Ada"}', "--queue", "later")
    beatdesk.done("schedules", "add", "n", "demo.greet", *every)
    for _ in range(2):
        beatdesk.done("schedules", "run", "n")
    assert queued(beatdesk, "later") == 2
    answer = told(beatdesk, "schedules", "edit", "n", "--queue", "bulk")
    assert "2 runs of n still in later" in answer
    assert "beatdesk schedules move-waiting n" in answer
    assert (queued(beatdesk, "later"), queued(beatdesk, "bulk")) == (2, 0)
    answer = beatdesk.done("schedules", "move-waiting", "n")
    assert "2 waiting runs of n moved to the queue bulk" in answer
    assert (queued(beatdesk, "later"), queued(beatdesk, "bulk")) == (0, 2)
    edit = ("schedules", "edit", "n", "--queue")
    assert "2 waiting runs moved to" in told(beatdesk, *edit, "critical", "--move-waiting")
    assert queued(beatdesk, "critical") == 2
    assert "still in" not in told(beatdesk, *edit, "bulk", "--leave-waiting")
    assert queued(beatdesk, "critical") == 2
    moved = beatdesk.json("schedules", "move-waiting", "n", "--from", "default")
    assert moved == {"name": "n", "queue": "bulk", "moved": 0}
