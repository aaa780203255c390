"""Redis: the client, the names of all keys, and the scripts that run on the server."""
