"""An outage is remembered for its seconds, and no longer."""

from webadmin.access.recent_outage import RecentOutage


def test_an_outage_is_remembered_for_its_seconds() -> None:
    now = [100.0]
    outage = RecentOutage(10, monotonic=lambda: now[0])
    assert not outage.is_recent
    outage.begin()
    now[0] = 109.9
    assert outage.is_recent
    now[0] = 110.0
    assert not outage.is_recent
    outage.begin()
    assert outage.is_recent
