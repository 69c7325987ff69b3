"""Ensembles of networks: architectures, gradients, training, curves between settings."""
