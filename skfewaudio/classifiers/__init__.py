"""Classifiers on spectrograms, embeddings and plain feature vectors."""
