"""Help texts of a job's parameters, read from the job's docstring. Pure.

The library docstring-parser reads the four styles: fields (`:param days: ...`), Google's `Args:`,
NumPy's underlined `Parameters` and Epydoc's `@param`. The module meets two further needs of a form:
a docstring may mix styles, so every style is read and the results are merged; and no docstring may
end a worker's start, so a text that a style cannot read is tidied, read once more, and then left
out.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docstring_parser import DocstringParam

UNREADABLE = (RuntimeError, LookupError, ValueError)
"""Errors of the library: ParseError is a RuntimeError, `:::` ends in an IndexError."""

_TYPED_FIELD = re.compile(r"^:param\s[^:\n]*\s(?=[^\s:]+\s*:)", re.MULTILINE)
_COLON_WITHOUT_FIELD = re.compile(r"^(?=:(?!\w[^:\n]*:))", re.MULTILINE)
_FIELD = re.compile(r"^:\w", re.MULTILINE)
_EPYDOC_FIELD = re.compile(r"^@\w", re.MULTILINE)
_WRAPPED_LINE = re.compile(r"^(?=[ \t]+[^:\n]*$)", re.MULTILINE)

Parameters = list["DocstringParam"]


def parameter_docs(doc: str) -> dict[str, str]:
    """Return the help text by parameter, each on one line; names without stars.

    Empty where the docstring describes no parameter. Where two styles describe a parameter, fields
    win over Epydoc, Epydoc over Google, Google over NumPy.
    """
    text = inspect.cleandoc(doc)
    styles: list[Callable[[str], Parameters]] = [_numpy, _google, _epydoc, _fields]
    return {
        name: " ".join(words.split())
        for style in styles
        for parameter in _read(style, text)
        for name, words in _help_of(parameter)
    }


def _read(style: Callable[[str], Parameters], doc: str) -> Parameters:
    """Return the parameters in a style: of the docstring as written, or of the tidied docstring."""
    for text in (doc, _tidied(doc)):
        try:
            return style(text)
        except UNREADABLE:
            continue
    return []


def _help_of(parameter: "DocstringParam") -> Iterator[tuple[str, str]]:
    """Names and help text; NumPy's style describes several parameters at once (`x, y : int`)."""
    for name in parameter.arg_name.split(","):
        yield name.strip(" \\*"), parameter.description or ""


def _tidied(doc: str) -> str:
    """Return the docstring without the lines that make the library give up on the whole docstring.

    `:param dict[str, int] counts:` loses the type, which has too many words for the library. A line
    that begins with a colon and is not a field is indented. Further lines of a description are
    indented where they stand as far left as the first.
    """
    fields = _TYPED_FIELD.sub(":param ", doc)
    return _WRAPPED_LINE.sub("    ", _COLON_WITHOUT_FIELD.sub(" ", fields))


def _numpy(doc: str) -> Parameters:
    from docstring_parser import numpydoc

    return numpydoc.parse(doc).params


def _google(doc: str) -> Parameters:
    """Return the parameters in Google's style.

    Other sections are not read: a fault in `Raises:` is not a reason to lose the parameters.
    """
    from docstring_parser.google import DEFAULT_SECTIONS, GoogleParser

    sections = [section for section in DEFAULT_SECTIONS if section.key == "param"]
    return GoogleParser(sections).parse(doc).params


def _epydoc(doc: str) -> Parameters:
    from docstring_parser import epydoc

    return epydoc.parse(_paragraphs_with(_EPYDOC_FIELD, doc)).params


def _fields(doc: str) -> Parameters:
    from docstring_parser import rest

    return rest.parse(_paragraphs_with(_FIELD, doc)).params


def _paragraphs_with(field: re.Pattern[str], doc: str) -> str:
    """Paragraphs with a field; the library would add other paragraphs to the field before."""
    return "\n\n".join(part for part in re.split(r"\n\s*\n", doc) if field.search(part))
