"""The exit codes of the command line."""

DONE = 0
FAILED = 1
BAD_USAGE = 2  # the command line, a config or an input is wrong: a rerun fails again
GATE_TRIPPED = 3  # done and published, but drift was to alert, or a gate of `compare` tripped
INTERRUPTED = 130  # stopped by SIGINT or SIGTERM
