"""The learning curve over the number of clips per class, and the workers that compute it."""
