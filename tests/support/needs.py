"""The needs of tests: a missing program skips the test with the reason, or fails it where
`CI=true`.
"""

import os
from typing import NoReturn

import pytest


def on_ci() -> bool:
    """Whether nothing may be skipped."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(reason: str) -> NoReturn:
    """End the test: the machine lacks something."""
    if on_ci():
        pytest.fail(f"with CI=true nothing is skipped, but {reason}", pytrace=False)
    pytest.skip(reason)
