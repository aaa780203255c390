"""The documents of `docs/` as pages of the console: `pages` reads them, `rendering` makes HTML,
`addresses` links.
"""
