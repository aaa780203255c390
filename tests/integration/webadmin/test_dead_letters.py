"""Dead letters in the console: seen by all, retried by operators, dropped by admins after a
question.
"""

from collections.abc import Callable

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.events.schema import RunStarted, encode, run_event
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON
from tests.support.webadmin.visitor import Visitor

SECRET = "hunter2hunter2"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def record(services: Services) -> Callable[[], None]:
    """Fold all that is in the stream."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")

    def fold() -> None:
        while recorder.run_once(utc_now(), 1):
            pass

    return fold


@pytest.fixture
def letters(services: Services, record: Callable[[], None]) -> list[str]:
    """Dead letters, newest first: one whose id fits no row, and a hostile one with a secret."""
    hostile = f'{{"kind": "{HOSTILE}", "run": "{HOSTILE}", "password": "{SECRET}", "result": "token={SECRET}"}}'
    for event in (hostile, encode(run_event(RunStarted, "r" * 200, 1, NOON))["event"]):
        services.redis.xadd(keys.EVENTS_STREAM, {"event": event})
        record()
    return [letter.id for letter in services.dead_letters.page().items]


def test_without_letters_the_page_says_so_and_the_overview_nothing(admin: Visitor) -> None:
    page = admin.get("/dead-letters/").text
    assert "No dead letters" in page
    assert "Retry all" not in page
    assert "dead-letters" not in admin.get("/").text
    assert "There is none" in admin.get("/dead-letters/drop-all").text


def test_the_overview_leads_to_the_letters(viewer: Visitor, letters: list[str]) -> None:
    page = viewer.get("/").text
    assert "2 events could not be recorded" in page
    assert 'href="/dead-letters/"' in page
    assert "/dead-letters/" not in page[page.index('<nav class="menu"') : page.index("</nav>")]


def test_list_and_page_tell_why_and_hide_secrets_and_markup(
    viewer: Visitor, letters: list[str]
) -> None:
    listed = viewer.get("/dead-letters/").text
    first, second = (viewer.get(f"/dead-letters/{letter}").text for letter in letters)
    assert "UnfoldableEvent: the id of a run has" in first
    assert "3 times" in first
    assert letters[0] in first
    for page in (listed, first, second):
        assert SECRET not in page
        assert HOSTILE not in page
    assert "••••" in second


def test_a_refused_message_is_called_one_and_can_only_be_dropped(
    admin: Visitor, services: Services
) -> None:
    services.dead_letters.add_message(b"plain text", error="it is no message", queue="bulk")
    (letter,) = services.dead_letters.page().items
    for path in ("/dead-letters/", f"/dead-letters/{letter.id}"):
        page = admin.get(path).text
        assert "Refused message" in page
        assert "queue bulk" in page
        assert "it is no message" in page
        assert f"{letter.id}/retry" not in page
    assert "/drop" in page


def test_a_viewer_is_offered_nothing_an_operator_the_retry_and_an_admin_the_drop_too(
    viewer: Visitor, operator: Visitor, admin: Visitor, letters: list[str]
) -> None:
    for visitor, retries, drops in (
        (viewer, False, False),
        (operator, True, False),
        (admin, True, True),
    ):
        for path in ("/dead-letters/", f"/dead-letters/{letters[0]}"):
            page = visitor.get(path).text
            assert ("/retry" in page, "/drop" in page) == (retries, drops), path


def test_an_operator_retries_one_and_the_second_to_press_is_told(
    operator: Visitor, services: Services, letters: list[str], record: Callable[[], None]
) -> None:
    path = f"/dead-letters/{letters[0]}/retry"
    answer = operator.post(path, follow_redirects=True)
    assert "on its way to the history" in answer.text
    assert "no longer exists" in operator.post(path, follow_redirects=True).text
    assert services.dead_letters.count() == 1
    record()
    (again, _) = services.dead_letters.page().items
    assert again.retries == 1
    changes = operator.get("/changes/?of=dead_letter").text
    assert "Retried" in changes
    assert "operator@example.org" in changes
    assert "1 dead letter<" in changes


def test_all_that_were_on_the_page_are_retried_and_no_later_one(
    operator: Visitor, services: Services, redis: Redis, letters: list[str]
) -> None:
    later = redis.xadd(
        keys.DEAD_LETTERS_STREAM, {"entry": "1-0", "error": "no", "field:event": "x"}
    )
    answer = operator.post("/dead-letters/retry-all", {"until": letters[0]}, follow_redirects=True)
    assert "2 dead letters are on the way" in answer.text
    assert [letter.id for letter in services.dead_letters.page().items] == [later]
    assert operator.post("/dead-letters/retry-all", {"until": "x"}).status_code == 400
    assert operator.post("/dead-letters/retry-all").status_code == 400


def test_dropping_asks_first_and_stands_among_the_changes_with_the_reason(
    admin: Visitor, services: Services, letters: list[str], record: Callable[[], None]
) -> None:
    path = f"/dead-letters/{letters[0]}/drop"
    question = admin.get(path).text
    assert "deleted for good" in question
    assert services.dead_letters.count() == 2
    admin.post(path, {"comment": "of a test"}, page=path)
    assert [letter.id for letter in services.dead_letters.page().items] == letters[1:]
    record()
    changes = admin.get("/changes/").text
    assert "Dropped" in changes
    assert "of a test" in changes
    assert "run.started" in changes
    assert "no longer exists" in admin.post(path, follow_redirects=True).text


def test_all_that_were_counted_are_dropped_and_no_later_one(
    admin: Visitor, services: Services, redis: Redis, letters: list[str]
) -> None:
    question = admin.get("/dead-letters/drop-all").text
    assert f'name="until" value="{letters[0]}"' in question
    assert "Drop 2 letters" in question
    later = redis.xadd(
        keys.DEAD_LETTERS_STREAM, {"entry": "1-0", "error": "no", "field:event": "x"}
    )
    answer = admin.post("/dead-letters/drop-all", {"until": letters[0]}, follow_redirects=True)
    assert "2 dead letters are dropped" in answer.text
    assert [letter.id for letter in services.dead_letters.page().items] == [later]


def test_thousands_are_paged_and_no_page_is_large(admin: Visitor, redis: Redis) -> None:
    with redis.pipeline() as pipe:
        for number in range(3_000):
            event = f'{{"kind": "run.started", "run": "run-{number}"}}'
            pipe.xadd(
                keys.DEAD_LETTERS_STREAM,
                {"entry": "1-0", "error": "no " * 500, "field:event": event},
            )
        pipe.execute()
    page = admin.get("/dead-letters/")
    assert len(page.data) < 100_000
    assert "run-2999" in page.text
    after = page.text.partition("/dead-letters/?after=")[2].partition('"')[0]
    second = admin.get(f"/dead-letters/?after={after}").text
    assert "run-2949" in second
    assert "run-2950<" not in second
    assert "First page" in second


@pytest.mark.parametrize(
    "path", ["/dead-letters/x", "/dead-letters/17-0", "/dead-letters/17-0/drop"]
)
def test_a_letter_that_is_not_there_is_not_found(admin: Visitor, path: str) -> None:
    assert admin.get(path).status_code == 404


def test_a_place_that_no_page_has_given_is_refused(viewer: Visitor) -> None:
    assert viewer.get("/dead-letters/?after=x").status_code == 400
