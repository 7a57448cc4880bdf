"""A bidirectional LSTM over right-padded sequences, without a mask."""

from typing import Any, Literal

import keras
from typing_extensions import override

from model.layers.block_lstm import run_block, runs_as_block
from model.layers.forward import has_gpu
from model.layers.sequences import (
    Shape,
    Tensor,
    first_real_step,
    last_real_step,
    reverse_within_length,
)


@keras.saving.register_keras_serializable(package="limelight")
class BiLSTM(keras.layers.Layer):
    """The states of a forward and a backward LSTM at every token, without a mask.

    The forward LSTM runs over the padded batch unchanged: padding comes after
    the real steps, so no state at a real step depends on it. For the backward
    LSTM, the real steps of each row are reversed in place, so that padding again
    comes last; its states are then reversed back. At the real steps the states
    and their gradients equal those of `keras.layers.Bidirectional(keras.layers.LSTM)`
    with a mask. At padding the states are finite and have no meaning. Because there
    is no mask, an LSTM can run as cuDNN's kernel on a GPU and as TensorFlow's fused
    operation on a CPU (`model.layers.block_lstm`), both only if `recurrent_dropout`
    is 0.

    Call arguments:
        sequences: float tensor `(batch, steps, features)`, padded on the right.
        length: int tensor `(batch,)`, real steps of each row, 0 to `steps`.

    Returns:
        `(states, final)`: `(batch, steps, width)` and `(batch, width)`, where
        width is `2 * units` for two directions concatenated and `units`
        otherwise. `final` is the last state of each direction, merged in the
        same way as the states: the forward state at the last real token and the backward
        state at the first. It is 0 for a row without real steps.

    Sublayers and weights:
        `forward_lstm` and, if bidirectional, `backward_lstm`, each a
        `keras.layers.LSTM` with `cell.kernel` `(features, 4 * units)`,
        `cell.recurrent_kernel` `(units, 4 * units)` and `cell.bias`
        `(4 * units,)`; gates in the order input, forget, cell, output; the
        forget gate's bias starts at 1.

    Args:
        units: width of one direction.
        bidirectional: False leaves out the backward LSTM.
        merge: `"concat"` puts the forward half first; `"sum"` adds the two, as
            Zhou et al., 2016 do.
        dropout: rate on both outputs, `states` and `final`.
        recurrent_dropout: rate on the recurrent input of both LSTMs. With a rate
            above 0 neither fused kernel can be used.
        regularizer: applied to every weight.
        cudnn: whether the LSTMs may run as cuDNN's kernel, where there is a GPU.

    Reference: Schuster & Paliwal, 1997; Graves & Schmidhuber, 2005.
    """

    def __init__(
        self,
        units: int,
        *,
        bidirectional: bool = True,
        merge: Literal["concat", "sum"] = "concat",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        regularizer: Any = None,
        cudnn: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if merge not in ("concat", "sum"):
            raise ValueError(f"{self.name}.merge: expected 'concat' or 'sum', got {merge!r}")
        self.units = units
        self.bidirectional = bidirectional
        self.merge = merge
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.regularizer = keras.regularizers.get(regularizer)
        self.cudnn = cudnn

        self.forward_lstm = self._one_direction("forward_lstm")
        self.backward_lstm = self._one_direction("backward_lstm") if bidirectional else None
        self.states_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.final_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def _one_direction(self, name: str) -> keras.layers.LSTM:
        half = self.compute_dtype != "float32"
        # On JAX cuDNN's LSTM computes in float32 alone. A loop in half precision is far slower.
        single = half and self.cudnn and keras.backend.backend() == "jax" and has_gpu()
        return keras.layers.LSTM(
            self.units,
            return_sequences=True,
            recurrent_dropout=self.recurrent_dropout,
            kernel_regularizer=self.regularizer,
            recurrent_regularizer=self.regularizer,
            bias_regularizer=self.regularizer,
            use_cudnn="auto" if self.cudnn else False,
            dtype="float32" if single else self.dtype_policy,
            name=name,
        )

    @override
    def build(self, sequences_shape: Shape) -> None:
        self.forward_lstm.build(sequences_shape)
        if self.backward_lstm is not None:
            self.backward_lstm.build(sequences_shape)

    @override
    def call(
        self, sequences: Tensor, length: Tensor, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        states = self._run(self.forward_lstm, sequences, training=training)
        final = last_real_step(states, length)
        if self.backward_lstm is not None:
            backward = self._run(
                self.backward_lstm, sequences, reverse_within=length, training=training
            )
            final = self._merged(final, first_real_step(backward, length))
            states = self._merged(states, backward)
        return (
            self.states_dropout(states, training=training),
            self.final_dropout(final, training=training),
        )

    def _run(
        self,
        lstm: keras.layers.LSTM,
        sequences: Tensor,
        *,
        reverse_within: Tensor | None = None,
        training: bool,
    ) -> Tensor:
        if self.recurrent_dropout == 0 and runs_as_block(self.compute_dtype, cudnn=self.cudnn):
            return run_block(lstm, sequences, reverse_within)
        if reverse_within is not None:
            sequences = reverse_within_length(sequences, reverse_within)
        states = lstm(keras.ops.cast(sequences, lstm.compute_dtype), training=training)
        states = keras.ops.cast(states, self.compute_dtype)
        return states if reverse_within is None else reverse_within_length(states, reverse_within)

    def _merged(self, forward: Tensor, backward: Tensor) -> Tensor:
        if self.merge == "sum":
            return forward + backward
        return keras.ops.concatenate([forward, backward], axis=-1)

    @override
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "bidirectional": self.bidirectional,
            "merge": self.merge,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "cudnn": self.cudnn,
        }
