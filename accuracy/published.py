"""Compares the float32 forward pass with the published model: some embeddings are kept as its own library gives them.

`published.npz` has two arrays:

- `texts`: every tenth group of the project's sentences;
- `embeddings`: float32 (sentences, hidden size), which `SentenceTransformer(folder).encode(texts)` gave for the
  package's own files on a CPU (sentence-transformers 6.2.0, transformers 5.24.0, PyTorch 2.14.1).

On all sentences the largest difference was 2.7e-7, and 2.4e-7 with the library's model in float64.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PUBLISHED = Path(__file__).with_name("published.npz")

TOLERANCE = 1e-4
"""Largest difference allowed in a component of an embedding, whose length is 1."""


def published_difference(texts: Sequence[str], embeddings: NDArray[np.float32], path: Path = PUBLISHED) -> float | None:
    """The largest difference in a component between embeddings and those of the model's own library.

    Args:
        texts: sentences.
        embeddings: the sentences' embeddings, (sentences, hidden size).
        path: a file as described above.

    Returns:
        The difference. None where no text is known, or where embeddings have another size: those of another model.
    """
    with np.load(path, allow_pickle=False) as file:
        known = dict(zip(file["texts"].tolist(), file["embeddings"], strict=True))
    if not known or embeddings.shape[1:] != next(iter(known.values())).shape:
        return None
    pairs = [(row, known[text]) for text, row in zip(texts, embeddings, strict=True) if text in known]
    return max((float(np.abs(row - published).max()) for row, published in pairs), default=None)
