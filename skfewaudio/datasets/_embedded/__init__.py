"""The datasets that are synthesised in code instead of downloaded."""
