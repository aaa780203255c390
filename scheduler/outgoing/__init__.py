"""What leaves the house at a job's word: requests to other servers, and mails.

addresses   which address a request may go to (pure)
deadline    a moment until which a request is to be done, and what ends it then
connection  urllib3's connection, over a socket that leads to an address that was judged
http        one request: a fixed address, a deadline, a bound on the answer
letters     a mail's text from a template, and the mail itself (pure)
smtp        giving a mail to the server that `SMTP_URL` names
"""
