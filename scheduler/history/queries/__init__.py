"""Questions about the history: reads only, answered with the plain data of `views`.

history      runs, revisions, changes and reports, page by page
audit, run_logs, outcomes                 changes of every kind; log lines; counts for reports
definitions, calendars, last_word         what `healing` compares with Redis
newest_runs  one word per schedule, without SQLAlchemy
recent_days  the days of one schedule, without SQLAlchemy
days         the numbers of days, and several days together
statistics   outcomes and durations by day, and the newest results, rolled up
cursor       the place where the next page begins
"""
