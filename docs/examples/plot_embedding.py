"""
Clips and prototypes in the plane
=================================

A prototypical network places clips so that those of a class lie together. The plane of the two largest
principal components shows which classes it keeps apart, and which it does not.
"""

# %%
# Five clips of each class train it; the clips of another recording site are placed.

from sklearn.pipeline import make_pipeline

from skfewaudio import LogMel, PrototypicalClassifier
from skfewaudio.datasets import load_synthetic
from skfewaudio.reporting import EmbeddingDisplay

dataset = load_synthetic(8, duration=1.0)
train, test = dataset.subset(dataset.folds != 1), dataset.subset(dataset.folds == 1)
model = make_pipeline(LogMel(sample_rate=dataset.sample_rate), PrototypicalClassifier(random_state=0))
model.fit(*train)
print(f"accuracy on the unknown site: {model.score(*test):.2f}")

# %%
# Stars are the prototypes: the means of the training clips.

display = EmbeddingDisplay.from_estimator(model, *test).plot(title="Clips of an unknown site")
