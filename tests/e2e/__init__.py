"""The whole product at once: the road with the two Celery commands, and journeys in a real
browser.
"""
