"""The report: one page that an engineer hands to a customer. It reads a finished run."""
