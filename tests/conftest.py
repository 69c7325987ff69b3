"""One Hypothesis profile for all: exact arithmetic has no useful deadline on a shared machine."""

from hypothesis import settings

settings.register_profile("theorylab", deadline=None, print_blob=True)
settings.load_profile("theorylab")
