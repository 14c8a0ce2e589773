"""Files in and out: imports that make many objects from a table, exports that make a table from a list."""
