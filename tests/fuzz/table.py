"""All fuzz targets by name, and the modules that parse something and are no target.

A target's name is a module, and perhaps a word to tell its readers apart.
"""

import ast

from tests.architecture.tree import modules, parsed
from tests.fuzz.console_readers import CONSOLE
from tests.fuzz.message_readers import MESSAGES
from tests.fuzz.reader import Reader
from tests.fuzz.rule_readers import RULES
from tests.fuzz.setting_readers import SETTINGS
from tests.fuzz.stored_readers import STORED

READERS: dict[str, Reader] = {**RULES, **STORED, **SETTINGS, **MESSAGES, **CONSOLE}

PARSERS = {
    *("loads", "from_json", "validate_json", "model_validate_json", "validate_python"),
    *("model_validate", "fromisoformat", "urlsplit", "b64decode", "fromhex", "parseaddr"),
    *("ip_address", "ip_network", "fullmatch", "strptime", "rrulestr", "literal_eval"),
}
"""Functions of libraries whose callers read text."""

OUR_ROWS = "reads rows that our own recorder has written to SQL"
CALENDAR_FILES = "part of the target scheduler.rules.calendars.icalendar"
OUR_CODE = "reads what the code of the same process has made"
ELSEWHERE = {
    "scheduler.accounts.passkeys": "tests/integration/accounts/test_passkeys.py sends hostile answers",
    "scheduler.accounts.sealing": "tests/unit/accounts/test_sealing.py opens any other text",
    "scheduler.accounts.sessions": OUR_ROWS,
    "scheduler.beat.fast.prepared_run": OUR_CODE,
    "scheduler.catalogue.secret_rights": "the target scheduler.outgoing.addresses reads such URLs",
    "scheduler.cli.schedules.definition": "the target scheduler.cli.fields reads its texts",
    "scheduler.events.dead_letters": "the target scheduler.events.letter_text reads letters",
    "scheduler.healing.calendar_healer": OUR_ROWS,
    "scheduler.healing.reconcile": OUR_ROWS,
    "scheduler.health.hardening.servers": "the settings' targets read its addresses",
    "scheduler.history.identity": OUR_ROWS,
    "scheduler.history.queries.audit": OUR_ROWS,
    "scheduler.history.queries.definitions": OUR_ROWS,
    "scheduler.history.queries.newest_runs": "the settings' targets read its address",
    "scheduler.history.queries.recent_days": OUR_ROWS,
    "scheduler.history.recording.table_io": OUR_ROWS,
    "scheduler.jobs.http": "tests/integration/jobs/test_http_request.py sends hostile headers",
    "scheduler.jobs.profiling.measuring": "names of types, by the database engine in the process",
    "scheduler.ledger.audit": OUR_ROWS,
    "scheduler.ledger.presence": OUR_ROWS,
    "scheduler.messages.kinds": "the targets scheduler.messages.* judge by it",
    "scheduler.outgoing.http": "tests/integration/outgoing/test_http.py sends hostile headers",
    "scheduler.queues.moving": "the target scheduler.messages.raw reads by it",
    "scheduler.queues.removal": "the target scheduler.messages.raw reads by it",
    "scheduler.runs.approvals": OUR_CODE,
    "scheduler.runs.own_header": "the target scheduler.messages.envelope reads by it",
    "scheduler.redbeat.call": "the target scheduler.redbeat.codec reads the call, too",
    "scheduler.rules.model.difference": OUR_CODE,
    "scheduler.schedules.operations": OUR_ROWS,
    "scheduler.schedules.raw_entry": "the target scheduler.redbeat.codec reads what remains, too",
    "scheduler.schedules.same_call": "the target scheduler.redbeat.codec reads the call, too",
    "scheduler.sets.yaml_calendars": "the target scheduler.sets.yaml_set reads both",
    "scheduler.rules.calendars.ical.events": CALENDAR_FILES,
    "scheduler.rules.calendars.ical.rules": CALENDAR_FILES,
    "scheduler.rules.calendars.ical.zones": CALENDAR_FILES,
    "scheduler.storage.addresses.parts": "part of the other targets of the room",
    "scheduler.storage.records": "the targets of the stored records read by it",
    "scheduler.worker.execution.flask_context": "a setting of whoever starts the worker",
    "scheduler.worker.introspect": OUR_CODE,
    "scheduler.worker.job_decorator": OUR_CODE,
    "scheduler.worker.transport.channel": "the target scheduler.messages.raw judges its texts",
    "scheduler.worker.transport.qos": "tests/integration/runs/test_poison.py plants its texts",
    "webadmin.audit.view": "a day by fromisoformat alone; its errors are refusals",
    "webadmin.views.schedules.previews": "tests/integration/webadmin/test_hostile_values.py asks",
}
"""Modules that parse and are no target, with the reason."""


def parsing_modules() -> set[str]:
    """Return the modules of the product that call one of PARSERS."""
    return {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in modules("scheduler", "webadmin")
        if "migrations" not in path.parts and _calls_a_parser(parsed(path))
    }


def targets() -> set[str]:
    """Return the modules with a target."""
    return {name.partition(" ")[0] for name in READERS}


def _calls_a_parser(tree: ast.Module) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = (
        call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls
    )
    return not PARSERS.isdisjoint(names)
