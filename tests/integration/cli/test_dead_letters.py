"""`beatdesk dead-letters`: what could not be recorded is listed, shown, retried and dropped."""

import json
from collections.abc import Callable

import pytest

from scheduler.events.schema import RunStarted, encode, run_event
from scheduler.storage import keys
from tests.support.builders import NOON
from tests.support.commands import Commands

SECRET = "hunter2hunter2"
POISON = encode(run_event(RunStarted, "r" * 200, 1, NOON))["event"]


@pytest.fixture
def letters(beatdesk: Commands, record: Callable[[], None]) -> list[str]:
    """Three dead letters, newest first: an event whose id fits no row, one with a secret, and
    bytes.
    """
    for event in (
        b"\xff\xfe",
        f'{{"kind": "run.started", "run": "r1", "password": "{SECRET}"}}',
        POISON,
    ):
        beatdesk.services.redis.xadd(keys.EVENTS_STREAM, {"event": event})
        for _ in range(3):
            record()
    return [letter.id for letter in beatdesk.services.dead_letters.page().items]


def test_an_empty_list_has_its_headers_only(beatdesk: Commands) -> None:
    assert beatdesk.json("dead-letters", "list") == {"items": [], "next": None}
    assert beatdesk.done("dead-letters", "list").split() == [
        "ID",
        "SET",
        "ASIDE",
        "KIND",
        "ABOUT",
        "TRIES",
        "WHY",
    ]


def test_the_list_is_paged_newest_first(beatdesk: Commands, letters: list[str]) -> None:
    found, after = [], ()
    for _ in range(3):
        page = beatdesk.json("dead-letters", "list", "--limit", "1", *after)
        found += [item["id"] for item in page["items"]]
        after = ("--after", str(page["next"]))
    assert (found, page["next"]) == (letters, None)
    table = beatdesk.done("dead-letters", "list").splitlines()
    assert [line.split()[0] for line in table[1:]] == letters
    assert "UnfoldableEvent: the id of a run has" in table[1]
    assert all(len(line) < 400 for line in table)


def test_a_letter_is_shown_with_its_reason_and_without_secrets(
    beatdesk: Commands, letters: list[str]
) -> None:
    poison, secret, noise = (beatdesk.json("dead-letters", "show", letter) for letter in letters)
    assert (poison["kind"], poison["tries"], poison["retries"]) == ("run.started", 3, 0)
    assert poison["event"]["run"] == "r" * 200
    assert poison["error"].startswith("UnfoldableEvent: ")
    assert (noise["kind"], noise["event"], noise["tries"]) == (None, None, 1)
    assert noise["fields"] == {"event": "\\xff\\xfe"}
    assert secret["event"]["password"] == "•••••"
    for letter in letters:
        said = beatdesk.done("dead-letters", "show", letter) + json.dumps(
            beatdesk.json("dead-letters", "show", letter)
        )
        assert SECRET not in said
        assert letter in said
    assert SECRET not in beatdesk.done("dead-letters", "list")


def test_what_is_retried_is_given_back_to_the_recorder(
    beatdesk: Commands, letters: list[str], record: Callable[[], None]
) -> None:
    assert beatdesk.done("dead-letters", "retry", letters[0]) == "1 dead letter retried\n"
    result = beatdesk("dead-letters", "retry", *letters[:2])
    assert (result.exit_code, result.stdout) == (0, "1 dead letter retried\n")
    assert f"{letters[0]} no longer exists" in result.stderr
    for _ in range(3):
        record()
    assert beatdesk.json("dead-letters", "retry", "--all", "--comment", "once more") == {
        "retried": 3,
        "gone": [],
    }
    assert beatdesk.json("dead-letters", "retry", "--all") == {"retried": 0, "gone": []}
    for _ in range(3):
        record()
    assert sorted(item["retries"] for item in beatdesk.json("dead-letters", "list")["items"]) == [
        1,
        2,
        2,
    ]
    change = beatdesk.services.history.changes(of="dead_letter").items[0]
    assert (change.action, change.comment, len(change.letters)) == ("retried", "once more", 3)
    assert change.actor.startswith("cli:")


def test_dropping_asks_and_leaves_a_trace(
    beatdesk: Commands, letters: list[str], record: Callable[[], None]
) -> None:
    for words in (letters[:1], ["--all"]):
        refused = beatdesk.refused_json("dead-letters", "drop", *words)
        assert refused["field"] == "yes"
        assert "--yes" in refused["error"]
    assert beatdesk.services.dead_letters.count() == 3
    body = beatdesk.json("dead-letters", "drop", letters[0], "17-0", "--yes", "--comment", "noise")
    assert body == {"dropped": 1, "gone": ["17-0"]}
    assert beatdesk.done("dead-letters", "drop", "--all", "--yes") == "2 dead letters dropped\n"
    assert beatdesk.json("dead-letters", "list")["items"] == []
    record()
    last, first = beatdesk.services.history.changes(of="dead_letter").items
    assert (first.action, first.comment, first.letters[0]["id"]) == ("dropped", "noise", letters[0])
    assert {letter["id"] for letter in last.letters} == set(letters[1:])


@pytest.mark.parametrize(
    "words", [("show", "x"), ("show", "17-0"), ("retry", "17-0"), ("drop", "17-0", "--yes")]
)
def test_a_letter_that_is_not_there_is_refused_with_what_to_do(
    beatdesk: Commands, words: tuple[str, ...]
) -> None:
    refused = beatdesk.refused_json("dead-letters", *words)
    assert refused["field"] == "id"
    assert "beatdesk dead-letters list" in refused["error"]
    assert words[1] in refused["error"]


@pytest.mark.parametrize(
    "words", [("retry",), ("drop", "--yes"), ("retry", "1-0", "--all"), ("list", "--limit", "0")]
)
def test_wrong_usage_is_refused(beatdesk: Commands, words: tuple[str, ...]) -> None:
    assert beatdesk.misused("dead-letters", *words)


def test_a_place_that_no_page_has_given_is_refused(beatdesk: Commands) -> None:
    assert beatdesk.refused_json("dead-letters", "list", "--after", "x")["field"] == "after"


def test_status_and_doctor_name_the_command(beatdesk: Commands, letters: list[str]) -> None:
    from scheduler.clock import utc_now
    from scheduler.health.status import recorder_part

    beatdesk.services.redis.hset(
        keys.RECORDERS_HASH,
        "r1",
        json.dumps({"at": utc_now().isoformat(), "pid": 1, "host": "h", "problem": None}),
    )
    part = recorder_part(beatdesk.services, utc_now())
    assert not part.ok, "the history lacks what they say"
    assert "retry them" in part.remedy
    assert part.facts["dead_letters"] == 3
    assert part.summary.endswith("3 events could not be recorded: see `beatdesk dead-letters list`")


def test_letters_are_listed_and_retried_while_sql_is_away(
    beatdesk: Commands, letters: list[str]
) -> None:
    from scheduler.services.services import Services
    from tests.support.ports import free_port

    address = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    without_sql = Commands(
        Services(beatdesk.services.settings.model_copy(update={"database_url": address}))
    )
    assert len(without_sql.json("dead-letters", "list")["items"]) == 3
    assert without_sql.json("dead-letters", "retry", letters[0]) == {"retried": 1, "gone": []}
    without_sql.services.redis.close()
