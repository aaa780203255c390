"""The engine's messages as the console prints them. Pure."""


def sentence(text: str) -> str:
    """A message as it stands beside a field: capital first, full stop last."""
    text = text.strip()
    return (
        f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
        if text
        else text
    )
