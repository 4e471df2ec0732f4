"""
Embedding space of a prototypical network
=========================================

Plot the embeddings of clips and the class prototypes. A prototypical network learns an embedding in which
clips of the same class are close together. The first two principal components show which classes are well
separated.
"""

# %%
# Train on all recording sites except one, and embed the clips of this held-out site.

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
# Stars mark the prototypes: the mean embeddings of the training clips of each class.

display = EmbeddingDisplay.from_estimator(model, *test).plot(title="Clips of an unknown site")
