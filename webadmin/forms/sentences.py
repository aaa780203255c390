"""The engine's messages as sentences of the console. Pure."""


def sentence(text: str) -> str:
    """Return a message as a sentence: capital first, full stop last."""
    text = text.strip()
    return (
        f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
        if text
        else text
    )
