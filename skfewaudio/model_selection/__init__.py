"""The few-shot protocol: splits, a classifier limited to n shots, learning curves."""
