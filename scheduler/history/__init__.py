"""The history in SQL.

models, engine, connecting, schema_version   tables, and the way to a database
identity, open_file                          which database is the history, and which file
recording/                                   events become rows
queries/                                     rows become answers
retention                                    old rows are deleted
driver_errors, outage                        which errors mean that the server is away
migrations/                                  the steps that build the tables
"""
