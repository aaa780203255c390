"""What a Celery message may hold: the judge of options, headers, properties and bodies. Pure.

Whoever reaches the broker or a RedBeat entry writes any JSON there, and Celery's worker ends at
many a value. `options` judges what Beat is about to send, `envelope` what a worker has received.
Both name the field, the value and what is allowed.
"""
