"""The zone of a rule."""

from scheduler.rules.model.spec import CrontabWhen, RruleWhen, When


def zone_of(when: When) -> str:
    """Return the zone of a rule; UTC for a rule without a zone."""
    return when.timezone if isinstance(when, CrontabWhen | RruleWhen) else "UTC"
