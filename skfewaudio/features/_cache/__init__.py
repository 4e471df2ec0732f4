"""Feature cache: cache keys, files, lookup, and the transformer that uses them."""
