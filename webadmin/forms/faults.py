"""The error of a form field that cannot be read."""


class Fault(Exception):
    """A field's name, and a message with the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
