"""The command line: its arguments, its commands, what it prints."""
