"""Outgoing traffic of jobs: requests to other servers, and mails.

addresses   the permitted addresses of requests (pure)
deadline    the moment at which a request is cut off
connection  urllib3's connection, over a socket to a permitted address
http        one request: a permitted address, a deadline, a limit on the answer
letters     the mail of a letter (pure)
templates   the letter of a template and its data
smtp        delivery of a mail to the server of `SMTP_URL`
mailing     letter, mail and delivery, by the settings
"""
