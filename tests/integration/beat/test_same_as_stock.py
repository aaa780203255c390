"""What is held of stock's scheduler with our entries holds of our class: the same tests, with our
Beat as `beat`.
"""

from types import ModuleType

from tests.integration.schedules import (
    test_beat_entry,
    test_foreign_entries,
    test_policies_at_dispatch,
)

OF_STOCK_ONLY = {
    # stock counts a run when it moves the entry on, and again when its message is in the queue:
    # here that is one step
    "test_a_message_that_no_worker_took_in_time_has_expired",
    "test_a_message_in_its_queue_counts_for_days_and_one_that_beat_could_not_send_for_a_minute",
}


def _held_in(module: ModuleType) -> dict[str, object]:
    """The tests of a module, with its fixtures."""
    return {
        name: value
        for name, value in vars(module).items()
        if name not in OF_STOCK_ONLY and name[0] != "_"
    }


for _module in (test_beat_entry, test_foreign_entries, test_policies_at_dispatch):
    globals().update(
        {name: value for name, value in _held_in(_module).items() if name not in globals()}
    )
