"""Files and functions stay small enough to be read at once."""

from statistics import median

from tests.architecture.tree import CODE, PACKAGES, ROOT, functions, modules

LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def lengths(*folders: str) -> dict[str, int]:
    """Lines of each module."""
    return {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in modules(*folders)
    }


def test_every_file_is_shorter_than_400_lines() -> None:
    assert {path: lines for path, lines in lengths(*CODE).items() if lines >= LONGEST_FILE} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{path}:{function.lineno} {function.name}": lines
        for path in modules(*CODE)
        if "versions"
        not in path.parts  # a migration is a list of columns, and is never changed again
        for function in functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_the_usual_file_is_far_below_the_limit() -> None:
    assert median(lengths(*PACKAGES).values()) < 150
