"""The function u -> N_u of one layer of ReLU units: regions, least squares, the tree."""
