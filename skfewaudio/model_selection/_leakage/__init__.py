"""Search for duplicates, shared recordings and contradicting labels in a dataset."""
