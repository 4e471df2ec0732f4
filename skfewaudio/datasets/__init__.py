"""Data sets: one file each, read as their authors distribute them."""
