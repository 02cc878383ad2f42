"""The other end: verdicts in order, each once, and what is missing asked for again."""
