"""A field that cannot be read."""


class Fault(Exception):
    """The field's name and what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
