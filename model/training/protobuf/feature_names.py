"""The names of the features of an example, UTF-8 as uint8, as kernels write and compare them."""

import numpy as np

NAME_OF_CUT_TOKEN_IDS = np.frombuffer(b"cut_token_ids", np.uint8)
NAME_OF_DOCUMENT_ID = np.frombuffer(b"document_id", np.uint8)
NAME_OF_LABEL = np.frombuffer(b"label", np.uint8)
NAME_OF_LENGTH = np.frombuffer(b"length", np.uint8)
NAME_OF_PROBABILITIES = np.frombuffer(b"probabilities", np.uint8)
NAME_OF_RATIONALE = np.frombuffer(b"rationale", np.uint8)
NAME_OF_TOKEN_IDS = np.frombuffer(b"token_ids", np.uint8)
NAME_OF_UNKNOWN_TOKENS = np.frombuffer(b"unknown_tokens", np.uint8)
NAME_OF_WEIGHT = np.frombuffer(b"weight", np.uint8)
