"""The steps that build the tables, for alembic. Applied by `history.schema_version`; a new one is
made with

    alembic -x url=sqlite:////tmp/new.sqlite3 upgrade head
    alembic -x url=sqlite:////tmp/new.sqlite3 revision --autogenerate -m "what it is for"

A step never imports the models: they change, and it must go on building what it built on its day.
"""
