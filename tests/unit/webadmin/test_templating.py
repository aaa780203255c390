"""What templates make of texts."""

import pytest

from webadmin.templating import coded


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("run `beatdesk doctor` now", "run <code>beatdesk doctor</code> now"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
        ("one ` sign <b>", "one ` sign &lt;b&gt;"),
        ("", ""),
    ],
)
def test_commands_are_set_as_code_and_everything_is_escaped(text: str, html: str) -> None:
    assert str(coded(text)) == html
