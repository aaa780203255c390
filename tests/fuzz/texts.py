"""Feeds whatever atheris thinks of to every reader of text of the table; only documented errors
may come back, each within its time.

`python -m tests.fuzz.texts -max_total_time=60` (atheris is not among the locked packages; `make
fuzz` installs it).
"""

import logging
import sys

import atheris

with atheris.instrument_imports(include=["scheduler", "webadmin", "celery.schedules"]):
    from tests.fuzz.table import READERS
    from tests.fuzz.trying import UndocumentedError, least_seconds

SLOWER = 10
"""How much slower instrumented code may be."""

TARGETS = tuple(READERS.items())


def try_one(data: bytes) -> None:
    """One input: its first byte chooses the reader, the next one whether it begins as a sample."""
    provider = atheris.FuzzedDataProvider(data)
    name, reader = TARGETS[provider.ConsumeIntInRange(0, len(TARGETS) - 1)]
    samples = ("", *reader.samples)
    sample = samples[provider.ConsumeIntInRange(0, len(samples) - 1)]
    begin = sample[: provider.ConsumeIntInRange(0, len(sample))]
    text = (begin + provider.ConsumeUnicode(1000))[: reader.longest]
    try:
        seconds = least_seconds(reader, text)
    except UndocumentedError as error:
        raise RuntimeError(f"{name}: {error}") from error
    if seconds > SLOWER * reader.seconds:
        raise RuntimeError(f"{name} needs {seconds} s for {text!r}")


def main() -> None:
    """Run until libFuzzer is told to stop, or an undocumented error comes out of a reader."""
    logging.disable(logging.CRITICAL)
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
