"""Addresses of the console, with its path prefix."""

from flask import request


def requested_address() -> str:
    """Return the path and query of the request, with the path prefix."""
    return request.script_root + request.full_path.removesuffix("?")
