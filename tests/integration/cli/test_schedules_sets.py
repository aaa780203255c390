"""`schedules export | plan | apply`: the schedules as a text that can be kept in Git."""

import pytest

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.sets.apply import apply, plan_text
from tests.support.builders import a_spec, every
from tests.support.sets.operators import ACTOR


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
