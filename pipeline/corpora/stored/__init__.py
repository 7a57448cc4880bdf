"""The bytes of a file as they are stored: of which kind they are, and how they are decompressed."""
