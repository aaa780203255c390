"""The jobs that come with Beatdesk, on a real worker."""
