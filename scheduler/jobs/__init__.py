"""The jobs that come with Beatdesk, one file per kind."""
