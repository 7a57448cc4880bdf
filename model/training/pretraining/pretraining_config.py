"""The config section `pretraining`."""

import dataclasses

from model.config import (
    STRICT,
    PositiveInteger,
    PositiveNumber,
    ResolvedTrainingConfig,
    Seed,
    TrainingConfig,
)

# The largest norm of all gradients of a step together. The gradient of an LSTM over hundreds of
# tokens is now and then many times as long as usual.
GRADIENT_CLIP = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """How a language model is trained, whose embedding and LSTM a classifier then starts from."""

    __pydantic_config__ = STRICT

    epochs: PositiveInteger = 2
    batch_size: PositiveInteger = 32  # documents of a step
    learning_rate: PositiveNumber = 0.002  # of the first step; it falls to 0 (cosine)
    # Tokens of the vocabulary that the right one is told from in a step, the same for all places.
    negative_samples: PositiveInteger = 512
    seed: Seed = 1

    def as_training(self, training: TrainingConfig) -> ResolvedTrainingConfig:
        """The settings with which `fit`'s parts train a language model.

        Args:
            training: the section of this name, whose `gpu` and `deterministic` hold here, too. If
                it perturbs the word vectors, they are normalized here as they will be there.
        """
        return ResolvedTrainingConfig(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule="cosine",
            gradient_clip=GRADIENT_CLIP,
            monitor="loss",
            patience=None,
            seeds=(self.seed,),
            gpu=training.gpu,
            deterministic=training.deterministic,
            adversarial=training.adversarial,
            virtual_adversarial=training.virtual_adversarial,
        )
