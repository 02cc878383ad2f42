"""The reject gate: the box's own line to the plant, beside MQTT and never behind it.

`gate` decides when a part may be let through and keeps the heartbeat, `modbus` and `gpio` are the
wires. Silence is reject: whatever breaks, nothing says "accept" any more.
"""
