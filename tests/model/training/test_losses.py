"""The losses by hand."""

import numpy as np

from model.training.losses import make_loss


def test_smoothing_and_the_plain_loss_by_hand():
    truth, probabilities = np.array([0, 1]), np.array([[0.8, 0.2], [0.6, 0.4]], np.float32)
    plain = make_loss("softmax", label_smoothing=0.0)(truth, probabilities)
    np.testing.assert_allclose(plain, -np.log([0.8, 0.4]), rtol=1e-5)
    smoothed = make_loss("softmax", label_smoothing=0.2)(truth, probabilities)
    expected = [-0.9 * np.log(0.8) - 0.1 * np.log(0.2), -0.1 * np.log(0.6) - 0.9 * np.log(0.4)]
    np.testing.assert_allclose(smoothed, expected, rtol=1e-5)
