"""Walls above a level, one family of arguments in each file; what they keep apart."""
