"""The documents of `docs/` as pages of the console.

`pages` reads the documents, `rendering` makes HTML, `addresses` makes links.
"""
