"""Users' databases: read-only queries for reports, and the limits of a query."""
