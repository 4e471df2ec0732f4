"""The suite large-scale: networks that tag clips, and the tables of arXiv:1609.09430."""
