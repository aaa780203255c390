"""The JSON that other programs may rely on: schedules, runs, calendars and sets as the interface
publishes them.
"""
