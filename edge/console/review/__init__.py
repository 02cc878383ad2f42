"""Review: what people should look at first, what they say of it, and how far they agree.

`standing` reads a sample's history, `queue` orders what waits, `labels` writes, `agreement` counts.
The history in the sample's own record is the only truth; nothing here is kept elsewhere.
"""
