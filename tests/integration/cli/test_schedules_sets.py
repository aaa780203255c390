"""`schedules export | plan | apply`: the schedules as a text that can be kept in Git."""

import getpass

import pytest

from scheduler.clock import utc_now
from scheduler.errors import StaleRevision
from scheduler.rules.model.edit import Edit
from scheduler.sets.apply import apply, plan_text
from tests.support.builders import a_spec, every

NIGHTLY = (
    "schedules",
    "add",
    "nightly",
    "demo.greet",
    "--cron",
    "0 6 * * mon-fri",
    "--kwargs",
    '{"whom": "Ada"}',
)
ACTOR = f"cli:{getpass.getuser()}"


@pytest.fixture
def stored(beatdesk):
    """Two schedules, one of them tagged."""
    beatdesk.done(*NIGHTLY, "--tag", "reports", "--notes", "call Grace\nthen Ada")
    beatdesk.done("schedules", "add", "often", "demo.plain", "--every", "300")
    return beatdesk


@pytest.fixture
def file(tmp_path):
    return tmp_path / "set.yaml"


def test_an_export_is_a_plan_of_nothing(stored, file):
    said = stored.done("schedules", "export", str(file))
    assert said == f"2 schedules written to {file}\n"
    assert stored.done("schedules", "plan", str(file)) == "= 2 schedules unchanged\n"
    before = stored.written()
    assert stored.json("schedules", "apply", str(file), "--prune")["unchanged"] == [
        "nightly",
        "often",
    ]
    assert stored.written() == before


def test_an_export_brings_everything_back_on_an_empty_server(stored, file):
    stored.done("schedules", "export", str(file))
    specs = {name: stored.services.schedules.get(name).spec() for name in ("nightly", "often")}
    for name in specs:
        stored.done("schedules", "delete", name, "--yes")
    assert stored.json("schedules", "apply", str(file))["created"] == ["nightly", "often"]
    assert {name: stored.services.schedules.get(name).spec() for name in specs} == specs


def test_an_export_without_a_file_is_the_text_itself(stored):
    text = stored.done("schedules", "export", "--tag", "reports")
    assert "name: nightly" in text
    assert "name: often" not in text
    assert "\ntags:\n- reports\n" in text
    assert stored.json("schedules", "export", "--tag", "reports")["yaml"] == text


def test_a_plan_says_what_changes_and_which_runs(stored, file):
    stored.done("schedules", "export", str(file))
    text = (
        file.read_text()
        .replace("0 6 * * mon-fri", "30 6 * * *")
        .replace("name: often", "name: oftener")
    )
    file.write_text(text)
    before = stored.written()
    plan = stored.json("schedules", "plan", str(file))
    assert [item["name"] for item in plan["created"]] == ["oftener"]
    assert 8630 <= plan["created"][0]["runs"]["counts"]["come"] <= 8641
    (changed,) = plan["changed"]
    assert changed["differences"] == [
        {"field": "when.crontab", "old": "0 6 * * mon-fri", "new": "30 6 * * *"}
    ]
    assert changed["revision"] == 1
    assert 20 <= changed["runs"]["counts"]["moved"] <= 23
    assert 7 <= changed["runs"]["counts"]["come"] <= 10
    assert [item["name"] for item in plan["only_stored"]] == ["often"]
    told = stored.done("schedules", "plan", str(file))
    assert "+ oftener: new, " in told
    assert "~ nightly, revision 1; runs of the next 30 days: " in told
    assert "    when.crontab: '0 6 * * mon-fri' -> '30 6 * * *'" in told
    assert "- often: not in the set, deleted with --prune" in told
    assert stored.written() == before


def test_an_apply_changes_and_a_pruning_one_deletes(stored, file, record):
    stored.done("schedules", "export", str(file))
    file.write_text(
        file.read_text()
        .replace("0 6 * * mon-fri", "30 6 * * *")
        .replace("name: often", "name: oftener")
    )
    done = stored.json("schedules", "apply", str(file), "--comment", "from Git")
    assert (done["created"], done["changed"], done["deleted"]) == (["oftener"], ["nightly"], [])
    assert done["kept"] == [{"name": "often", "reason": "--prune was not given"}]
    assert stored.services.schedules.get("nightly").revision == 2
    assert stored.done("schedules", "apply", str(file), "--prune").splitlines() == [
        "often deleted",
        "2 schedules unchanged",
    ]
    record()
    newest = stored.json("schedules", "revisions", "nightly")["items"][0]
    assert (newest["revision"], newest["actor"], newest["comment"]) == (2, ACTOR, "from Git")
    assert stored.services.schedules.names() == ["nightly", "oftener"]


def test_a_set_chosen_by_tags_deletes_no_others(stored, file):
    file.write_text("version: 1\ntags: [reports]\nschedules: []\n")
    assert stored.json("schedules", "apply", str(file), "--prune")["deleted"] == ["nightly"]
    assert stored.services.schedules.names() == ["often"]


def test_one_bad_schedule_keeps_all_others_from_being_applied(stored, file):
    file.write_text(
        "version: 1\nschedules:\n"
        "- {name: fine, job: demo.plain, when: {kind: interval, every: 60}}\n"
        "- {name: often, job: demo.plain, when: {kind: interval, every: 0.1}}\n"
        "- name: odd\n  job: demo.plain\n  when:\n    kind: crontab\n    crontab: 61 * * * *\n"
        "- {name: nobody, job: demo.unknown, when: {kind: interval, every: 60}}\n"
        "- {name: wrong, job: demo.greet, when: {kind: interval, every: 60}, kwargs: {who: Ada}}\n"
        "- {name: 'a name', job: demo.plain, when: {kind: interval, every: 60}}\n"
    )
    before = stored.written()
    told = stored.refused("schedules", "apply", str(file), "--prune")
    for said in (
        "the set has 5 faults, so nothing was changed",
        "schedules[1].when.every (line 4): an interval of 0.1 seconds",
        "schedules[2].when.crontab (line 9): minute: '61'",
        "schedules[3].job (line 10): no worker offers",
        "schedules[4].kwargs (line 11): demo.greet has no parameter 'who'",
        "schedules[5].name (line 12): 'a name' cannot be used",
    ):
        assert said in told
    assert stored.refused("schedules", "plan", str(file)) == told
    assert stored.written() == before


def test_what_operators_did_not_make_is_kept(stored, file, settings, services):
    from redbeat import RedBeatSchedulerEntry

    RedBeatSchedulerEntry("plain", "demo.plain", 60, app=services.celery).save()
    file.write_text("version: 1\nschedules: []\n")
    done = stored.json("schedules", "apply", str(file), "--prune")
    assert done["kept"] == [{"name": "plain", "reason": "it belongs to plain RedBeat code"}]
    assert stored.services.schedules.names() == ["plain"]


def test_an_interval_without_an_anchor_keeps_the_one_it_has(stored, file):
    anchor = stored.services.schedules.get("often").when.anchor
    file.write_text(
        "version: 1\nschedules:\n- {name: often, job: demo.plain, when: {kind: interval, every: "
        "300}, owner: a}\n"
    )
    differences = stored.json("schedules", "plan", str(file))["changed"][0]["differences"]
    assert differences == [{"field": "owner", "old": "", "new": "a"}]
    stored.done("schedules", "apply", str(file))
    assert stored.services.schedules.get("often").when == every(300, anchor)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version: 1\nschedules: [", "line"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"a: &a 1", "anchors"),
    ],
)
def test_a_file_that_is_no_set_is_refused(beatdesk, file, content, said):
    file.write_bytes(content)
    before = beatdesk.written()
    assert said in beatdesk.refused("schedules", "apply", str(file))
    assert beatdesk.written() == before


def test_a_file_that_is_not_there_is_named(beatdesk, tmp_path):
    assert "No such file" in beatdesk.refused("schedules", "plan", str(tmp_path / "none"))
    assert "cannot be written" in beatdesk.refused(
        "schedules", "export", str(tmp_path / "no" / "file")
    )


def test_a_set_is_read_from_standard_input(stored, file):
    text = stored.done("schedules", "export")
    assert stored.done("schedules", "plan", "-", typed=text) == "= 2 schedules unchanged\n"
    assert a_spec().name not in text


def test_runs_of_a_new_schedule_with_an_h_are_counted_at_the_place_that_it_gets(stored, file):
    file.write_text(
        "version: 1\nschedules:\n"
        "- name: hashed\n  job: demo.plain\n  when: {kind: crontab, crontab: 'H H(2-4) * * *'}\n"
    )
    plan = stored.json("schedules", "plan", str(file))
    assert plan["created"][0]["runs"]["counts"] == {"gone": 0, "come": 30, "moved": 0, "same": 0}
    assert "H H(2-4) * * * (H gets its place when it is made, such as " in stored.done(
        "schedules", "plan", str(file)
    )
    text, store = file.read_text(), stored.services.schedules
    seen = plan_text(text, store, stored.services.calendars, stored.services.catalogue, utc_now())
    apply(seen, store, edit=Edit(actor="ada", now=utc_now()))
    made = store.get("hashed")
    assert (made.uid, made.when) == (seen.created[0].uid, seen.created[0].spec.when)


@pytest.fixture
def with_calendar(stored):
    """The two schedules, one of which names a calendar; and a calendar that none names."""
    stored.done(
        "calendars",
        "set",
        "holidays",
        "--tz",
        "Europe/Berlin",
        "--weekly",
        "sat-sun",
        "--date",
        "2026-12-24 Eve",
    )
    stored.done("calendars", "set", "unused", "--weekly", "mon")
    stored.done("schedules", "edit", "often", "--calendar", "holidays")
    return stored


def test_an_export_carries_the_calendars_that_its_schedules_name(with_calendar, file):
    assert (
        with_calendar.done("schedules", "export", str(file))
        == f"2 schedules and 1 calendar written to {file}\n"
    )
    text = file.read_text()
    assert (
        "calendars:\n- name: holidays\n  timezone: Europe/Berlin\n  excluded:\n  - sat-sun\n"
        in text
    )
    assert "unused" not in text
    assert "calendars:" not in with_calendar.done("schedules", "export", "--tag", "reports")
    before = with_calendar.written()
    assert with_calendar.json("schedules", "plan", str(file))["unchanged_calendars"] == ["holidays"]
    with_calendar.done("schedules", "apply", str(file), "--prune")
    assert with_calendar.written() == before


def test_an_apply_makes_calendars_with_the_schedules_that_name_them(with_calendar, file):
    with_calendar.done("schedules", "export", str(file))
    wanted = with_calendar.services.calendars.get("holidays").calendar()
    with_calendar.done("schedules", "delete", "often", "--yes")
    with_calendar.done("calendars", "delete", "holidays", "--yes")
    before = with_calendar.written()
    assert "+ calendar holidays: new, 2 lines of what it excludes" in with_calendar.done(
        "schedules", "plan", str(file)
    )
    assert with_calendar.written() == before
    told = with_calendar.done("schedules", "apply", str(file)).splitlines()
    assert told[:2] == ["calendar holidays made", "often made"]
    assert with_calendar.services.calendars.get("holidays").calendar() == wanted
    assert with_calendar.services.schedules.get("often").window.calendar == "holidays"


def test_a_calendar_that_changes_is_planned_and_saved_as_a_revision_with_the_reason(
    with_calendar, file, record
):
    with_calendar.done("schedules", "export", str(file))
    file.write_text(file.read_text().replace("sat-sun", "sun").replace("every: 300", "every: 600"))
    plan = with_calendar.json("schedules", "plan", str(file))
    (calendar,) = plan["calendars"]
    assert (calendar["name"], calendar["revision"], calendar["used_by"]) == (
        "holidays",
        1,
        ["often"],
    )
    assert calendar["differences"] == [{"field": "excluded", "old": ["sat-sun"], "new": ["sun"]}]
    assert (
        "~ calendar holidays, revision 1; 1 schedule here named it already"
        in with_calendar.done("schedules", "plan", str(file))
    )
    done = with_calendar.json("schedules", "apply", str(file), "--comment", "from Git")
    assert (done["calendars"], done["changed"]) == (
        {"created": [], "changed": ["holidays"]},
        ["often"],
    )
    assert with_calendar.services.calendars.get("holidays").revision == 2
    record()
    newest = with_calendar.services.calendar_history.revisions("holidays")[0]
    assert (newest.revision, newest.actor, newest.comment) == (2, ACTOR, "from Git")


def test_runs_that_a_changed_calendar_gives_to_unchanged_schedules_are_counted(with_calendar, file):
    with_calendar.done(
        "schedules", "add", "elsewhere", "demo.plain", "--every", "3600", "--calendar", "holidays"
    )
    with_calendar.done(
        "schedules",
        "add",
        "off",
        "demo.plain",
        "--every",
        "60",
        "--calendar",
        "holidays",
        "--disabled",
    )
    with_calendar.done("schedules", "export", str(file))
    whole = file.read_text().replace("- sat-sun", "- sun")
    file.write_text(
        whole[: whole.index("- name: elsewhere")] + whole[whole.index("- name: nightly") :]
    )
    plan = with_calendar.json("schedules", "plan", str(file))
    assert (plan["changed"], plan["unchanged"]) == ([], ["nightly", "off", "often"])
    affected = {item["name"]: item["runs"]["counts"] for item in plan["affected"]}
    assert list(affected) == ["elsewhere", "often"]
    for name, of_a_day in (("elsewhere", 24), ("often", 288)):
        assert 3 * of_a_day < affected[name]["come"] <= 5 * of_a_day
        assert (affected[name]["gone"], affected[name]["moved"]) == (0, 0)
    told = with_calendar.done("schedules", "plan", str(file))
    come = affected["often"]["come"]
    assert (
        "~ often, unchanged itself: its calendar holidays changes; runs of the next 30 days: "
        f"{come} come\n" in told
    )


def test_a_schedule_that_changes_with_its_calendar_is_told_once_and_words_move_no_run(
    with_calendar, file
):
    with_calendar.done("schedules", "export", str(file))
    text = file.read_text()
    file.write_text(text.replace("- sat-sun", "- sun").replace("every: 300", "every: 600"))
    plan = with_calendar.json("schedules", "plan", str(file))
    assert ([item["name"] for item in plan["changed"]], plan["affected"]) == (["often"], [])
    file.write_text(
        text.replace("  timezone: Europe/Berlin", "  timezone: Europe/Berlin\n  description: ours")
    )
    plan = with_calendar.json("schedules", "plan", str(file))
    assert ([item["name"] for item in plan["calendars"]], plan["affected"]) == (["holidays"], [])


def test_calendars_that_a_set_does_not_have_are_never_pruned(with_calendar, file):
    file.write_text("version: 1\nschedules: []\n")
    with_calendar.done("schedules", "apply", str(file), "--prune")
    assert with_calendar.services.schedules.names() == []
    assert with_calendar.services.calendars.names() == ["holidays", "unused"]


@pytest.mark.parametrize(
    ("calendars", "schedule", "said"),
    [
        (
            "[{name: new, excluded: [someday]}]",
            "every: 60",
            "calendars[0].excluded[0] (line 2): 'someday' is neither",
        ),
        (
            "[{name: new, excluded: [sun]}]",
            "every: 0.1",
            "schedules[0].when.every (line 4): an interval of 0.1",
        ),
        (
            "[{name: other, excluded: [sun]}]",
            "every: 60",
            "schedules[0].window.calendar (line 4): calendar 'new' is unk",
        ),
    ],
)
def test_a_fault_in_calendars_or_schedules_saves_neither(stored, file, calendars, schedule, said):
    file.write_text(
        f"version: 1\ncalendars: {calendars}\nschedules:\n"
        f"- {{name: a, job: demo.plain, when: {{kind: interval, {schedule}}}, window: {{calendar: "
        f"new}}}}\n"
    )
    before = stored.written()
    assert said in stored.refused("schedules", "apply", str(file))
    assert stored.written() == before


@pytest.mark.parametrize("moved", ["calendar", "schedule"])
def test_what_somebody_has_changed_since_the_plan_keeps_calendars_and_schedules_as_they_are(
    with_calendar, file, moved
):
    with_calendar.done("schedules", "export", str(file))
    text = file.read_text().replace("sat-sun", "sun").replace("every: 300", "every: 600")
    services = with_calendar.services
    seen = plan_text(text, services.schedules, services.calendars, services.catalogue, utc_now())
    if moved == "calendar":
        with_calendar.done("calendars", "set", "holidays", "--add", "--weekly", "mon")
    else:
        with_calendar.done("schedules", "edit", "often", "--owner", "grace")
    before = with_calendar.written()
    with pytest.raises(StaleRevision):
        apply(seen, services.schedules, edit=Edit(actor="ada", now=utc_now()))
    assert with_calendar.written() == before


def test_an_import_of_a_set_replaces_calendars_only_when_asked(with_calendar, file):
    with_calendar.done("schedules", "export", str(file))
    file.write_text(file.read_text().replace("sat-sun", "sun"))
    assert with_calendar("schedules", "import", str(file)).exit_code == 1
    assert with_calendar.services.calendars.get("holidays").revision == 1
    told = with_calendar.json("schedules", "import", str(file), "--replace")
    assert told["calendars"] == [{"name": "holidays", "outcome": "replaced"}]
    assert with_calendar.services.calendars.get("holidays").revision == 2
