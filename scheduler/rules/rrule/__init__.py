"""Recurrence rules (RFC 5545, section 3.3.10): their text, their wall times, their words."""
