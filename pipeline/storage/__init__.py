"""Files on any filesystem: read and written in bulk, staged, and described in manifests."""
