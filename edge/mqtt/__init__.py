"""From the outbox to the broker: paho as a pipe, a window in flight, acknowledgements checked."""
