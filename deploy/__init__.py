"""How Linewarden gets on a machine: a box, containers, and the first step upward."""
