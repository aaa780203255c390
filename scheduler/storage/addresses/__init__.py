"""Addresses of servers, read by one parser. Pure: nothing is looked up or connected to.

    parts           an address in its parts, and the faults of a login that is not percent-encoded
    redis_address   Redis by network, TLS or socket, in the form of each library that connects
    sentinels       Redis Sentinel
    broker          Celery's broker, and its result back end
    sql_address     PostgreSQL and SQLite
    tls             the options of TLS, in every library's spelling
    masking         an address without its password, for people

No message shows a password, nor a part of one: in an address whose password is not percent-encoded,
host, port, path and options may be parts of the password.
"""
