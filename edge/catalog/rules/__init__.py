"""Ready house rules, and how any are read (edge/catalog/rules/house.py)."""
