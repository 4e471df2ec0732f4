"""Datasets that are synthesised in code instead of downloaded."""
