"""Makes a scorer for a model and checks it against the golden documents."""

from model.bundle.bundle import Bundle
from model.config import ConfigError, EngineName, LongDocuments
from model.scoring.engine_scorer import EngineScorer
from model.scoring.engines import Engine, candidate_engines
from model.scoring.golden_check import verify_golden
from model.scoring.scorer import Scorer
from model.scoring.timed_choice import choose_fastest


def load_scorer(
    bundle: Bundle,
    *,
    engine: EngineName = "auto",
    threads: int | None = None,
    long_documents: LongDocuments = "truncate",
) -> Scorer:
    """Prepares an engine and rescores the golden documents on this machine.

    Args:
        bundle: the model.
        engine: runs the network.
        threads: of the folded engine; None: one for each core that this process may use.
        long_documents: how documents of more than `max_tokens` tokens are read.

    Raises:
        BundleError: if a prediction for a golden document differs by more than
            1e-4 from the stored one.
        ConfigError: if the engine cannot read documents in windows.
    """
    if engine == "tensorflow":
        scorer = _load_tensorflow(bundle, long_documents=long_documents)
        verify_golden(scorer, bundle.read_golden(), engine=engine)
        return scorer
    engines = {
        name: _make_engine(bundle, name=name, threads=threads) for name in candidate_engines(engine)
    }
    golden = bundle.read_golden()
    for name, made in engines.items():
        # Training cut long golden documents, so the test cuts them too, whatever `long_documents`.
        verify_golden(EngineScorer(bundle, made), golden, engine=name)
    name = choose_fastest(engines, bundle) if len(engines) > 1 else next(iter(engines))
    return EngineScorer(bundle, engines[name], long_documents=long_documents)


def _load_tensorflow(bundle: Bundle, *, long_documents: LongDocuments) -> Scorer:
    if long_documents != "truncate":
        raise ConfigError(
            "scoring.engine: expected folded, keras or auto for scoring.long_documents: "
            "windows, got tensorflow, whose graph cuts documents. Choose another engine."
        )
    # Engines are imported where they are made: a process imports only the one that it runs.
    from model.scoring.tensorflow_scorer import TensorFlowScorer

    return TensorFlowScorer(bundle)


def _make_engine(bundle: Bundle, *, name: EngineName, threads: int | None) -> Engine:
    if name == "keras":
        from model.layers.keras_engine import KerasEngine

        return KerasEngine(bundle.build_network(), full_precision=True)
    return bundle.make_folded_engine(threads=threads)
