"""The history in SQL.

models, engine, connecting, schema_version   tables, and the way to a database
identity, open_file                          which database is the history, and which file
recording/                                   events become rows
queries/                                     rows become answers
retention, keeper, export                    old rows are exported and deleted
driver_errors, outage                        which errors mean that the server is away
migrations/                                  the steps that build the tables
"""
