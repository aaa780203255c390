"""The screens about people: accounts, one's own account, tokens, and links that set a password."""
