"""Settings: one frozen, validated object.

`schema` is pure and says what a setting means; `live` reads the environment, `.env`, secret files
and the running server's address, and is imported by the roots of processes only.
"""
