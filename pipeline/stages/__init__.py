"""The stages: what the commands do, each a table of contents of the transforms it chains.

A stage is one function that a command calls: `prepare`, `train`, `score`, `backfill` (score for
many dates), `evaluate`, `compare`, `demo` (train and score a generated corpus), and in `unlabeled`
`vectors` and `pretrain`. Its Beam pipelines are defined by functions `define_x(root, ...)`, which
only wire transforms.

The other modules serve the stages:

- `inputs`, `unit_planning`, `corpus_pass`, `scored_corpus`: find the files of a corpus, divide them
  into units of work, run a pipeline over the units (one that scores them, too) and account for
  every row.
- `owned_date`, `recording`, `run_checks`, `publishing`: a scoring run keeps others off its date,
  writes its manifest however it ends, is checked, and is committed.
- `model_publishing`: the best trial becomes the next version of a model.
- `vocabulary`: prepare's counts of tokens become a vocabulary.
- `pilot`: `score --dry-run` estimates what a run would take.
"""
