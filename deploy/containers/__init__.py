"""A box in containers: images per role, a Compose file, dashboards, and what they need."""
