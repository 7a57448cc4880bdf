"""Scorers, which turn texts into predictions, and the engines that run the network for them.

The config value `scoring.engine` names an engine, and the code uses the same word:

- `folded`: `model.folded.engine.FoldedEngine`, run by `EngineScorer`.
- `keras`: `keras_engine.KerasEngine`, run by `EngineScorer`.
- `tensorflow`: the SavedModel of `serving`, run by `tensorflow_scorer.TensorFlowScorer`; its
  graph contains the tokenizer, too, so it takes texts, while an engine takes token ids.
"""
