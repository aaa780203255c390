"""The sockets of the console: a gunicorn worker that no slow or silent client can hold up.

arrival     bytes of a request that is arriving, and whether it is whole
outgoing    bytes of a response that the client has not taken yet
connection  a client's connection: its phase, and until when it may stay in it
worker      the worker class: one loop reads and sends, threads only compute
trust       gunicorn believes no header about proxies; `webadmin.front` reads them
"""
