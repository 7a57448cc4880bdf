"""The batches reach the training: each of them once, also those that Keras looks at first."""

from model.config import TrainingConfig
from model.layers.classifier import build_classifier
from model.training.backends.current import training_backend
from model.training.batches import training_batches
from model.training.compiled_network import compile_network
from model.training.counted_batches import CountedBatches
from model.training.devices import Devices
from tests.model.training.made_up_examples import IDS, MAX_TOKENS, make_examples
from tests.model.training.test_compiled_network import PLAIN


def test_every_document_of_an_epoch_is_trained_on_and_reported_once():
    examples = make_examples(83)
    network = build_classifier(PLAIN, ids=IDS, max_tokens=MAX_TOKENS, labels=2)
    trainee = compile_network(
        network, head=PLAIN.head, config=TrainingConfig(), steps=12, devices=Devices()
    )
    for epoch in (1, 2):
        reported = []
        batches = CountedBatches(
            training_batches(examples, batch_size=16, rows=18, seed=1, epoch=epoch),
            batch_size=16,
            documents=83,
            on_batch=reported.append,
        )
        trainee.fit(training_backend().feed(batches), verbose=0, shuffle=False)
        counts = [each for each in trainee.metrics_variables if each.name == "count"]
        assert [float(count) for count in counts][-2:] == [83, 83]  # of accuracy and log loss
        assert int(trainee.optimizer.iterations) == 6 * epoch
        assert reported == [16, 16, 16, 16, 16, 3]
