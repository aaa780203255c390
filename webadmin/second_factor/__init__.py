"""Second factors at the login: the step after the password, and passkeys in its place.

challenges  random bytes that a passkey signs, once
step        who waits for the second step, and whether a code holds
"""
