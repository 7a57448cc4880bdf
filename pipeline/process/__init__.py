"""The process of one command: its signals, progress, log lines and imports."""
