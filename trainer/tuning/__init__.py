"""The workings of fine-tuning: what is computed once, what learns, and what survives a kill."""
