"""What only a GPU can show: the tests of `make test-gpu`, and a command for a bare GPU machine.

`make test-gpu` runs on a machine where Limelight is installed, with either backend
(`KERAS_BACKEND=jax make test-gpu`).

`python -m tests.gpu.run` needs no installation: a machine that has JAX and PyTorch but neither
Keras, TensorFlow nor Beam runs it from a checkout. What is missing there is brought along as files.
On a machine with a network, in the repository's folder:

    python -m pip download --no-deps --only-binary=:all: --python-version 3.12 \
        --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 --dest .whl --requirement tests/gpu/wheels.txt
    python -m pipeline prepare --config configs/guide_attention_2d.yaml
    python -m tests.gpu.pack runs/imdb/datasets/FINGERPRINT .imdb

On the machine with the GPU, with the same checkout, `.whl` and `.imdb`:

    python -m pip install --no-index --no-deps --target /tmp/site .whl/*.whl
    PYTHONPATH=/tmp/site python -m tests.gpu.run --output results.json --data .imdb
"""
