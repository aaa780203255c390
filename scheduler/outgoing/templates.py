"""Letters from templates: `NAME.txt` with `Subject: …` as the first line, and optionally
`NAME.html`.

Templates are Jinja's, in its sandbox: files of the operator's folder or of Beatdesk's. A job gives
data to templates, and data are never read as a template. HTML is escaped. A name used by a template
and missing from the data is an error, not a gap in the mail.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scheduler.errors import Refused
from scheduler.outgoing.letters import Attachment, Letter

BUILT_IN = Path(__file__).with_name("mails")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SUBJECT = re.compile(r"Subject:[ \t]*(?P<subject>[^\r\n]*)\r?\n(?:\r?\n)?(?P<text>.*)", re.DOTALL)


def from_template(
    name: str,
    context: Mapping[str, Any],
    *,
    to: list[str],
    folder: Path | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Letter:
    """The letter of a template filled with `context`, for the recipients `to`.

    Templates in `folder` go before the built-in ones. Raises Refused for a name without a template,
    and for a template that cannot be filled in.
    """
    if not _NAME.fullmatch(name):
        raise Refused(f"template: {name[:80]!r} is not the name of a template", field="template")
    folders = [BUILT_IN] if folder is None else [folder, BUILT_IN]
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        autoescape=lambda file: file is not None and file.endswith(".html"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    try:
        plain = environment.get_template(f"{name}.txt").render(context)
    except TemplateNotFound as error:
        names = ", ".join(sorted({file.stem for place in folders for file in place.glob("*.txt")}))
        raise Refused(
            f"template: {error.name!r} does not exist; use one of {names}", field="template"
        ) from None
    except (TemplateError, TypeError) as error:
        raise _unusable(name, error) from error
    found = _SUBJECT.fullmatch(plain)
    if found is None:
        raise Refused(
            f"template: the first line of {name}.txt is not 'Subject: …'", field="template"
        )
    return Letter(
        to, found["subject"], found["text"], _html(environment, name, context), attachments
    )


def _html(
    environment: ImmutableSandboxedEnvironment, name: str, context: Mapping[str, Any]
) -> str | None:
    try:
        template = environment.get_template(f"{name}.html")
    except TemplateNotFound:
        return None
    except TemplateError as error:
        raise _unusable(name, error) from error
    try:
        return template.render(context)
    except (TemplateError, TypeError) as error:
        raise _unusable(name, error) from error


def _unusable(name: str, error: Exception) -> Refused:
    return Refused(f"context: the template {name!r} cannot be filled in: {error}", field="context")
