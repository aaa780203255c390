"""One text for one reader: how long it took, and an error that the reader does not document."""

from time import thread_time

from tests.fuzz.reader import Reader


class UndocumentedError(AssertionError):
    """A reader has raised something that its documentation does not name."""


def try_text(reader: Reader, text: str) -> float:
    """Read the text. Returns the CPU seconds; raises UndocumentedError."""
    begin = thread_time()
    try:
        reader.read(text)
    except reader.errors:
        pass
    except Exception as error:
        shown = f"{text[:200]!r}{'…' if len(text) > 200 else ''} ({len(text)} characters)"
        raise UndocumentedError(f"{type(error).__name__} for {shown}: {error}") from error
    return thread_time() - begin


def least_seconds(reader: Reader, text: str) -> float:
    """Return the CPU seconds of a text; a slow one is read twice, and its best time counts."""
    first = try_text(reader, text)
    return first if first <= reader.seconds else min(first, try_text(reader, text))
