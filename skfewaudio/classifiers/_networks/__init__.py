"""Build, train and run the networks behind SkorchCNN and PrototypicalClassifier."""
