"""Settings: one frozen, validated object.

`schema` defines the settings, and is pure; `environment` reads environment variables, `.env`,
secret files and the running server's address, and is imported by the roots of processes only.
"""
