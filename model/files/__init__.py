"""Reads files of plain data that anybody may have written, with limits on memory and time."""
