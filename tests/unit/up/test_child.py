"""How long to wait, who is stopped first, what is said."""

import io

from scheduler.settings.server_file import RunningServer
from scheduler.up import announce
from scheduler.up.child import ending, pause
from scheduler.up.console import Console
from scheduler.up.orphan_reaper import keep_watch


def test_pauses_double_up_to_half_a_minute() -> None:
    assert [pause(deaths) for deaths in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause(10_000) == 30


def test_an_ending_is_told_with_its_signal() -> None:
    assert ending(1) == "exit code 1"
    assert ending(-9) == "exit code -9, SIGKILL"
    assert ending(-250) == "exit code -250"


def test_the_orphan_reaper_has_the_living_children_in_the_order_of_their_stop() -> None:
    said = io.StringIO("+ 10 4 30\n+ 11 3 30\n+ 12 0 10\n- 12\n+ 13 0 10\n")
    assert keep_watch(said) == [(0, 13, 10.0), (3, 11, 30.0), (4, 10, 30.0)]


def test_the_orphan_reaper_stops_nobody_when_all_have_been_stopped() -> None:
    assert keep_watch(io.StringIO("+ 10 4 30\ndone\n")) == []


def test_each_line_has_its_childs_name_and_no_colour_in_a_file() -> None:
    out = io.StringIO()
    console = Console(out)
    console.line("beat", "tick")
    console.stream("up").write("one\ntwo\n")
    assert out.getvalue() == "beat     │ tick\nup       │ one\nup       │ two\n"


def test_lines_of_json_stay_json() -> None:
    out = io.StringIO()
    Console(out, names=False).line("beat", '{"a": 1}')
    assert out.getvalue() == '{"a": 1}\n'


def test_a_terminal_that_has_gone_away_stops_nothing() -> None:
    out = io.StringIO()
    console = Console(out)
    out.close()
    console.line("beat", "tick")
    console.line("beat", "tock")


def test_the_second_start_says_no_password() -> None:
    assert "password" not in announce.ready("http://127.0.0.1:8000", None, 8000, 8000)


def test_another_port_is_explained_and_the_wished_one_is_not() -> None:
    assert "port 8000 is taken, so it is 8001" in announce.ready(
        "http://127.0.0.1:8001", None, 8000, 8001
    )
    assert "taken" not in announce.ready("http://127.0.0.1:8000", None, 8000, 8000)


def test_the_first_one_is_named_to_the_second() -> None:
    said = announce.runs_already(RunningServer(pid=42, web="http://127.0.0.1:8000"))
    assert "http://127.0.0.1:8000" in said
    assert "42" in said


def test_an_address_can_be_opened_in_a_browser() -> None:
    assert announce.address("0.0.0.0", 1) == "http://127.0.0.1:1"  # noqa: S104 - shown, not bound
    assert announce.address("::1", 1) == "http://[::1]:1"


def test_an_ending_by_an_exit_code_names_no_signal() -> None:
    assert ending(0) == "exit code 0"
    assert ending(9) == "exit code 9"
