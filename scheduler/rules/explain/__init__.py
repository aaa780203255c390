"""A schedule in words: sentences, warnings, previews, and the effect of an edit."""
