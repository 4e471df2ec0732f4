"""Suite random-cnn: features of untrained networks, as in arXiv:1805.00237."""
