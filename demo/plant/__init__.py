"""The demo plant: manuals in English and German, and what its operators ask."""
