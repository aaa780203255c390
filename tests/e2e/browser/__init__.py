"""Journeys of an operator through the console of a running `beatdesk up`, in a real Chromium."""
