"""Shared code for all data in Redis.

availability   errors that mean an outage of a server, and the refusal for operators
server_time    the server's clock
lua            scripts, each behind the preludes named in the script
lease.lua      prelude: the record of a lease
entry.lua      prelude: an entry's fields, and the check for changes since reading
entry_fields   the same fields as arguments
"""
