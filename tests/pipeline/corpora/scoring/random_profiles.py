"""Profiles of documents with random scores and attention."""

from typing import Any

import numpy as np

from pipeline.corpora.scoring.corpus_profile import profile_arrays


def random_profile(lengths: list[int], *, seed: int = 0, whole: bool = True) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    rows = len(lengths)
    attention = [rng.dirichlet(np.ones(length)) for length in lengths] if whole else []
    return profile_arrays(
        labels={"a": rows},
        scores=rng.uniform(0.5, 1, rows),
        lengths=np.array(lengths, int),
        oov_tokens=np.array([length // 2 for length in lengths], int),
        attention=np.concatenate([*attention, []]).astype(np.float32),
    )
