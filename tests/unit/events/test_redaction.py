"""What of running text is a secret, and what is not."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.events.bounds import bounded_text
from scheduler.events.redaction import without_secrets
from scheduler.events.secret_names import MASK


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("login with password=hunter2 failed", "login with password=# failed"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=#"),
        ("GET /x?token=abc123&page=2 answered 500", "GET /x?token=#&page=2 answered 500"),
        ("connect(host='db', password='two words')", "connect(host='db', password='#')"),
        ('{"user": "ada", "password": "hunt\\"er2"}', '{"user": "ada", "password": "#"}'),
        ("{'api_key': 'k-12345', 'n': 1}", "{'api_key': '#', 'n': 1}"),
        ('said "{\\"access_token\\": \\"abc.def\\"}"', 'said "{\\"access_token\\": \\"#\\"}"'),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer #"),
        ("{'Authorization': 'Basic dXNlcjpwdw=='}", "{'Authorization': '#'}"),
        ("client_secret=s3cr3t;x=1", "client_secret=#;x=1"),
        ("password=abcd, token=efgh", "password=#, token=#"),
        (f"token={'x' * 5000} and 'password': '{'y' * 5000}'", "token=# and 'password': '#'"),
        ("password=$ecret1 and token=%41bcdef", "password=# and token=#"),
        ("cut: {'password': 'hunter", "cut: {'password': '#"),
    ],
)
def test_a_value_behind_the_name_of_a_secret_is_hidden(text: str, told: str) -> None:
    assert without_secrets(text, "#") == told


@pytest.mark.parametrize(
    "text",
    [
        "the password is wrong: try again",
        "password: it has to have 12 characters",
        "unexpected token: '}' at line 3",
        "parse error at token=EOF",
        "max_tokens=4096, tokens=1200",
        "12 passed, pass=1234, author=ada@example.org",
        "token=None password=null secret=False",
        "password=settings.db_password",
        "    client.login(user, password=password)",
        "token=os.environ['TOKEN']",
        "token=get_the_token()",
        "password=%(password)s token={token} secret=${SECRET} api_key=$KEY123 where token=:token",
        "token=secret://shop-token",
        "Authorization: Bearer secret://shop-token",
        '{"Authorization": "Bearer secret://shop-token"}',
        f"password={MASK}",
        "the secretary=Ada Lovelace",
        "Basic information: bearer of news",
        "see https://example.org/tokens?page=2",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert without_secrets(text, "#") == text


def test_log_lines_and_errors_go_through_it() -> None:
    assert bounded_text("ValueError: password=hunter2", 1000) == f"ValueError: password={MASK}"


@given(st.text(alphabet="password=token\"':\\ \n&abc", max_size=200))
def test_it_ends_whatever_is_written_and_hides_nothing_twice(text: str) -> None:
    once = without_secrets(text, MASK)
    assert without_secrets(once, MASK) == once


@pytest.mark.parametrize(
    "text",
    ["password='" * 20_000, "token=" * 30_000, "\\" * 100_000 + ":", '"token": "' + "\\a" * 50_000],
)
def test_long_text_takes_no_long_time(text: str) -> None:
    begun = perf_counter()
    without_secrets(text, MASK)
    assert perf_counter() - begun < 5


WITH_SECRET = (
    *("password=hunter2", "passwd=hunter2", "passphrase=hunter2", "pwd=hunter2", "secret=hunter2"),
    *("token=hunter2", "apikey=hunter2", "access-key=hunter2", "private_key=hunter2"),
    *("credential=hunter2", "authorisation=hunter2", "--pwd hunter2", "Cookie: a=hunter2"),
    *("X-Hub-Signature: hunter2", "Proxy-Authorization: hunter2", "X-Api-Key: hunter2"),
    *("Bearer hunter2hunter2", "BASIC aHVudGVyMg==", "ftp://ada:hunter2@host"),
    *("jdbc:oracle:thin:a/hunter2@host", "-----BEGIN RSA PRIVATE KEY-----hunter2"),
    *(f"{start}ABCDEFGHIJ234567" for start in ("AKIA", "ASIA", "ABIA", "ACCA", "AIDA", "AROA")),
    *(f"gh{letter}_abcdefghij0123456789" for letter in "opsur"),
    *(f"{start}abcdefghij0123456789" for start in ("github_pat_", "glpat-", "SG.", "sk-")),
    *("xoxb-1234567890abc", "sk_live_0123456789ab", "rk_test_0123456789ab"),
    *(f"{start}{'abcd0123' * 6}" for start in ("AIza", "bd_", "npm_")),
    *("eyJhbGciOiJI.eyJzdWIiOiIx", "https://hooks.slack.com/services/T0000/B0000abc"),
)


@pytest.mark.parametrize("secret", WITH_SECRET)
def test_a_quick_look_at_a_text_misses_no_secret(secret: str) -> None:
    # A letter outside ASCII switches the quick look off.
    masked = without_secrets(f"now {secret}", "#")
    assert without_secrets(f"ü now {secret}", "#") == f"ü {masked}"
    assert "#" in masked
