"""From a source to frames: captures in processes of their own, which may hang and be killed."""
