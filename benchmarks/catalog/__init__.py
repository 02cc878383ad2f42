"""What `linewarden catalog` is worth, measured."""
