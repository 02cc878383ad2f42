"""How Linewarden gets on a machine: one box (`box/`), containers, and the first step upward (`fleet/`)."""
