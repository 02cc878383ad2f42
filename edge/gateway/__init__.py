"""The gateway: says what the box says in the languages of other systems in the plant.

A process of its own that follows the box over MQTT like any other consumer, so that nothing in it
can hold up a verdict: Sparkplug B, Home Assistant, OPC UA. See docs/decisions.
"""
