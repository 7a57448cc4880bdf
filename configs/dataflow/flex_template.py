"""The program that the launcher of the Flex Template runs, with --model=... --runner=... and so on.

Its code is in `pipeline.cli.flex_template`, because workers import it too.
"""

import logging
import sys

from model.config import ConfigError
from pipeline.cli.flex_template import launch

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    try:
        launch(sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"error: {error}")
