"""Files on any filesystem: read, written, copied, staged, and described in manifests."""
