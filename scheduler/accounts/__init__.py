"""Accounts of the console: logins and their roles."""
