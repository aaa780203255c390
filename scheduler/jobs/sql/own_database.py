"""The recognition of Beatdesk's own database, by its tables and not by its address. Pure.

One database has many addresses: relative paths, `file:` URIs, links, aliases of hosts, other names
of the scheme, a proxy. So the database that answers is looked at: with the history's identity and
the accounts' roles in one schema it is a database of Beatdesk, with hashes of passwords, whatever
its address and whichever installation it belongs to.
"""

MARKS = ("history_identity", "users_roles")

IN_SQLITE = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)"

IN_POSTGRES = """
    SELECT count(*) FROM pg_catalog.pg_class identity
    JOIN pg_catalog.pg_class roles ON roles.relnamespace = identity.relnamespace
    WHERE identity.relname = %s AND roles.relname = %s
      AND identity.relkind IN ('r', 'p') AND roles.relkind IN ('r', 'p')
"""

REFUSAL = (
    "BEATDESK_REPORT_DSN leads to a database of Beatdesk, with the accounts and the history. Name "
    "another database, or copy what reports are to show into one"
)
