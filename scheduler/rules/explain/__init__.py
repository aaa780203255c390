"""A schedule in words: sentences, warnings, previews, and what an edit would change."""
