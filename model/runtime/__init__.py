"""The process that a model runs in: its cores, compiled kernels, imports kept out."""
