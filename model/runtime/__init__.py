"""The process that a model runs in: its cores, compiled kernels, blocked imports."""
