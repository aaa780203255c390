"""What everything that is stored in Redis shares.

availability   which errors mean that a server cannot serve, and the refusal that says so
server_time    the server's clock
lua            scripts, each behind the preludes that it names
lease.lua      prelude: the record of a lease
entry.lua      prelude: an entry's fields, and whether they are as they were read
entry_fields   the same fields as arguments
"""
