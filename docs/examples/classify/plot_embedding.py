"""
Which classes does an embedding separate?
=========================================

Plot the embeddings of new clips and the class prototypes of a prototypical network. The
first two principal components show which classes are far from the others.
"""

# %%
# Train on two recording sites, and embed the clips of the third.

from sklearn.pipeline import make_pipeline

from skfewaudio import LogMel, PrototypicalClassifier
from skfewaudio.datasets import load_synthetic
from skfewaudio.reporting import EmbeddingDisplay

dataset = load_synthetic(18, n_folds=3, duration=1.0)
dataset = dataset.subset(
    [name not in {"air_conditioner", "drilling", "street_music"} for name in dataset.y]
)
train, test = dataset.subset(dataset.folds != 1), dataset.subset(dataset.folds == 1)
model = make_pipeline(
    LogMel(sample_rate=dataset.sample_rate), PrototypicalClassifier(random_state=0)
)
model.fit(*train)
print(f"accuracy on the new site: {model.score(*test):.2f}")

# %%
# Stars mark the prototypes: the mean embeddings of the training clips of each class. A
# clip is predicted as the class of the nearest prototype, in all dimensions of the
# embedding and not only in the two that are drawn.

display = EmbeddingDisplay.from_estimator(model, *test).plot(
    title="Clips of a new site"
)
