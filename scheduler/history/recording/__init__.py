"""Events become rows of SQL.

recorder     reads the stream, writes batches, acknowledges; the loop and the single pass
projector    the meaning of events: old rows and events give new rows
stamps       which of two events decides a column
writer       one batch in one transaction
rollup       statistics by day, computed from rows
table_io     rows read and written by the database's driver
inserts      the INSERT of either database
column_values, rows                      values and rows that both databases can hold
calendar_revisions, dead_letter_changes  tables whose rows never change
heartbeat    the recorder's sign of life for `beatdesk status`
"""
