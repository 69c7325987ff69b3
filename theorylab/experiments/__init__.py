"""Statistical findings: what samples say about a claim, never more than ``Observed``."""
