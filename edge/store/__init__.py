"""The verdict store: every verdict of this box, searchable, for people who ask later.

`feed` reads the outbox's file and never writes to it, `intake` takes each verdict in once, `search`
and `tally` answer, `retention` forgets, `parquet` hands out. The daemon knows none of it.
"""
