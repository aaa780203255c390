"""Who calls, and what the caller may do: sessions, tokens, rights by tag, fresh logins.

The guard calls this room before every request; pages about people are in `views.people`.
"""
