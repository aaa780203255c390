"""Lengths of requests: every limit has its refusal, which names the field."""

import json
import time

import pytest
from flask import Flask, jsonify, request
from hypothesis import given
from hypothesis import strategies as st

from webadmin.front.lengths import (
    BUTTON,
    DEEPEST_JSON,
    HEADERS,
    LONG_TEXTS,
    MOST_FIELDS,
    PATH,
    QUERY,
    QUERY_VALUE,
    TEXT,
    Lengths,
    bound_json,
    install,
    is_too_deep,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{}', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)


@pytest.fixture
def app() -> Flask:
    app = Flask("console")
    install(app)
    bound_json(app)
    app.wsgi_app = Lengths(app.wsgi_app)  # type: ignore[method-assign]
    app.add_url_rule("/<path:name>", "show", lambda name: "shown", methods=["GET", "POST"])
    app.add_url_rule("/json", "json", lambda: jsonify(request.get_json()), methods=["POST"])
    return app


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(JSON, st.integers(min_value=0, max_value=4))
def test_the_depth_of_json_is_that_of_its_brackets(value: object, deepest: int) -> None:
    assert is_too_deep(json.dumps(value), deepest) == (depth(value) > deepest)


@pytest.mark.parametrize("text", ["[" * 10**6, '"' * 10**6, '\\"' * 10**6, '"[' * 10**6])
def test_the_depth_is_found_in_linear_time(text: str) -> None:
    began = time.process_time()
    is_too_deep(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        (f"/{'a' * PATH}", 414, "The address is too long"),
        (f"/a?q={'a' * QUERY}", 414, "The address is too long"),
        (f"/a?q={'a' * (QUERY_VALUE + 1)}", 400, "q has 2,001 characters"),
        (f"/a?{'q' * (QUERY_VALUE + 1)}=1", 400, "The name of a field"),
    ],
)
def test_a_long_address_is_refused(app: Flask, address: str, code: int, words: str) -> None:
    answer = app.test_client().get(address)
    assert (answer.status_code, words in answer.text) == (code, True)


def test_a_body_is_refused_by_its_announced_length(app: Flask) -> None:
    answer = app.test_client().post("/a", data={"comment": "x" * BUTTON})
    assert answer.status_code == 413
    assert f"at most {BUTTON:,} are read" in answer.text


def test_long_headers_are_refused(app: Flask) -> None:
    answer = app.test_client().get("/a", headers={"X-Long": "a" * HEADERS})
    assert answer.status_code == 431


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"comment": "x" * TEXT}, 200),
        ({"comment": "x" * (TEXT + 1)}, 400),
        ({"p.days": "x" * (TEXT + 1)}, 413),
        ({"kwargs": "x" * (TEXT + 1)}, 200),
        ({f"n{number}": "" for number in range(MOST_FIELDS + 1)}, 413),
        ({"comment": "x" * 200_000}, 413),
    ],
)
def test_a_form_is_refused_by_its_length(app: Flask, form: dict[str, str], code: int) -> None:
    if "p.days" in form:
        form["p.days"] *= 6
    assert app.test_client().post("/a", data=form).status_code == code
    assert LONG_TEXTS["kwargs"] > TEXT


@pytest.mark.parametrize("levels", [DEEPEST_JSON, DEEPEST_JSON + 1])
def test_deep_json_is_refused(app: Flask, levels: int) -> None:
    body = "[" * levels + "]" * levels
    answer = app.test_client().post("/json", data=body, content_type="application/json")
    assert answer.status_code == (200 if levels == DEEPEST_JSON else 400)
