"""The first step upward: a site's broker bridged to a central one, and configuration for what stands there."""
