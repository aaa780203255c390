"""Our states as Celery names them."""

from celery import states

from scheduler.rules.model.run_states import FINAL, STATES
from scheduler.runs.celery_states import CELERY_STATES, celery_state


def test_every_state_has_a_name_that_celery_knows() -> None:
    assert set(CELERY_STATES) == set(STATES)
    assert set(CELERY_STATES.values()) <= states.ALL_STATES


def test_what_has_ended_for_us_has_ended_for_celery_but_for_what_is_lost_and_comes_back() -> None:
    assert {state for state in STATES if celery_state(state) in states.READY_STATES} == FINAL - {
        "lost"
    }
    assert celery_state("lost") == states.STARTED


def test_what_nobody_has_heard_of_is_pending() -> None:
    assert celery_state(None) == states.PENDING
