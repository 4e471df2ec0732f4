"""Suite large-scale: networks for multi-label tagging, in the tables of arXiv:1609.09430."""
