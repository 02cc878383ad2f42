"""From frames to parts: when a part is here to be judged, once for each."""
