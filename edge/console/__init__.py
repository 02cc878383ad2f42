"""The operators' console: a web page that the box serves from a process of its own.

It reads what the daemon leaves on the disk and says over MQTT; the daemon doesn't know that it is
there. `accounts` says who may what, `live` what is shown now, `web` how, `review` takes labels.
"""
