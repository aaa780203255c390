"""When a Beat warns of what waits in its outbox."""

from scheduler.publishing.outbox import LONG_SECONDS, Backlog, BacklogWarnings

LONG = LONG_SECONDS + 1


def test_what_waits_for_a_short_while_is_no_news() -> None:
    assert not BacklogWarnings().record(Backlog(10_000, LONG_SECONDS))


def test_an_empty_outbox_is_no_news() -> None:
    assert not BacklogWarnings().record(Backlog())


def test_it_is_told_when_the_first_has_waited_long_and_again_each_time_that_it_has_doubled() -> (
    None
):
    warnings = BacklogWarnings()
    warned = [count for count in range(3, 30) if warnings.record(Backlog(count, LONG))]
    assert warned == [3, 6, 12, 24]


def test_once_it_was_published_the_next_one_is_news_again() -> None:
    warnings = BacklogWarnings()
    assert warnings.record(Backlog(50, LONG))
    assert not warnings.record(Backlog(1, 0.1))
    assert warnings.record(Backlog(1, LONG))
