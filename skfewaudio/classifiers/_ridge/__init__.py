"""Ridge regression behind CalibratedRidgeClassifier and the extreme learning machines."""
