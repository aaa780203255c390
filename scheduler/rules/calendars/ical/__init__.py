"""Parsing of iCalendar files, for `scheduler.rules.calendars.icalendar`. Pure.

A file is a text of content lines (`lines`). Each VEVENT becomes an `events.Event`, with zones from
`zones`. The events of one UID are a `series`: `rules` expands each RRULE, and the libraries behind
`library` do the rest (moved and cancelled instances, added and left-out dates).
"""
