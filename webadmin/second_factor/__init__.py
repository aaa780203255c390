"""Second factors at the login: the step after the password, by form and by JSON.

step        who waits for the second step, and whether a code holds
"""
