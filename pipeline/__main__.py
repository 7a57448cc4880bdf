"""`python -m pipeline`, and the console script `limelight`."""

import signal
import sys


def main() -> None:
    """Runs the command of `sys.argv` and ends the process with its exit code.

    Nothing is imported above that takes time: a Ctrl-C during the imports that follow would print
    a traceback. It ends the process silently instead, until the command handles signals itself.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pipeline.cli.entry import run_and_exit

    run_and_exit(sys.argv[1:])


if __name__ == "__main__":
    main()
