"""The experiments themselves, one module each, and what only they need; see ``register``."""
