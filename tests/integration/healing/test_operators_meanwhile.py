"""Operators work while entries are lost under their hands: what they did last is what is there in
the end.
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.rules.model.edit import Edit
from scheduler.schedules.store import ScheduleStore
from scheduler.storage import keys
from tests.support.builders import a_spec, every
from tests.support.healing.house import House
from tests.support.processes import start_recorder
from tests.support.waiting import stays, wait_for

SECONDS = 8
OPERATORS = 3


def work(store: ScheduleStore, operator: int, over: threading.Event) -> dict[str, str | None]:
    """Make, edit and delete schedules of one's own; what each is to be in the end, none where it
    was deleted.
    """
    chance = random.Random(operator)  # noqa: S311 - the same work every time
    wanted: dict[str, str | None] = {}
    while not over.wait(0.01):
        name, notes = f"op{operator}-{chance.randrange(6)}", str(chance.random())
        try:
            what = chance.choice(["make", "edit", "edit", "delete"])
            if what == "make":
                store.create(
                    a_spec(name, when=every(3600), notes=notes),
                    edit=Edit(actor=str(operator), now=utc_now()),
                )
                wanted[name] = notes
            elif what == "edit":
                old = store.get(name)
                spec = old.spec().model_copy(update={"notes": notes})
                store.edit(
                    name, spec, revision=old.revision, edit=Edit(actor=str(operator), now=utc_now())
                )
                wanted[name] = notes
            else:
                store.delete(name, edit=Edit(actor=str(operator), now=utc_now()))
                wanted[name] = None
        except BeatdeskError:
            continue  # it is not there, or is lost at the moment
    return wanted


def lose(house: House, over: threading.Event) -> int:
    """Lose entries: whole, or in part."""
    chance = random.Random("loss")  # noqa: S311 - the same losses every time
    redis, lost = house.services.redis, 0
    while not over.wait(0.15):
        key = keys.entry(f"op{chance.randrange(OPERATORS)}-{chance.randrange(6)}")
        lost += int(redis.delete(key))
        if chance.random() < 0.5:
            redis.zrem(keys.SCHEDULE_ZSET, key)
    return lost


def test_no_edit_and_no_deletion_is_undone(house: House, settings) -> None:
    store = house.services.schedules
    start_recorder(settings)
    wait_for(lambda: house.services.redis.get(keys.HEALER_LOCK), 20, "somebody watches")
    over = threading.Event()
    with ThreadPoolExecutor() as pool:
        losing = pool.submit(lose, house, over)
        working = [pool.submit(work, store, operator, over) for operator in range(OPERATORS)]
        threading.Timer(SECONDS, over.set).start()
        wanted = {
            name: notes
            for one in working
            for name, notes in one.result().items()
            if notes is not None
        }
        assert losing.result() > 5

    def as_wanted() -> bool:
        return {
            line.name: line.schedule and line.schedule.notes for line in store.page(limit=100).items
        } == wanted

    wait_for(as_wanted, 10, f"{wanted} is there")
    stays(as_wanted, 5, "it stays so")
