"""The zone of a rule."""

from scheduler.rules.model.spec import CrontabWhen, RruleWhen, When


def zone_of(when: When) -> str:
    """The zone whose clock is shown beside a rule; UTC where it has none."""
    return when.timezone if isinstance(when, CrontabWhen | RruleWhen) else "UTC"
