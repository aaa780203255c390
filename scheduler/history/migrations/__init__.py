"""The steps that build the tables, for alembic. `history.schema_version` applies them; a new step
is made with

    alembic -x url=sqlite:////tmp/new.sqlite3 upgrade head
    alembic -x url=sqlite:////tmp/new.sqlite3 revision --autogenerate -m "what it is for"

A step never imports the models: models change, and a step must always build the same tables.
"""
