"""Names of time zones."""

import pytest

from scheduler.errors import UnknownZone
from scheduler.rules.time.zones import zone, zone_names


def test_a_zone_is_found_by_its_name() -> None:
    assert zone("Europe/Berlin").key == "Europe/Berlin"
    assert zone("UTC").key == "UTC"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Europe/Berln", "Europe/Berlin"),
        ("utc", "UTC"),
        ("Amsterdm", "Europe/Amsterdam"),
    ],
)
def test_a_near_miss_is_told_what_was_meant(written: str, meant: str) -> None:
    with pytest.raises(UnknownZone, match=f"did you mean '{meant}'") as refused:
        zone(written)
    assert refused.value.field == "timezone"


@pytest.mark.parametrize(
    "written",
    ["", "localtime", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\0", "x" * 9999],
)
def test_what_is_no_zone_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(UnknownZone):
        zone(written)


def test_every_listed_zone_can_be_used() -> None:
    assert len(zone_names()) > 400
    for name in zone_names():
        assert zone(name).key == name
