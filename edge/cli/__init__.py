"""The commands of this role: thin, and quick to import; each loads what it needs when it runs."""
