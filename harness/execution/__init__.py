"""Carrying a plan out: from a case on disk to a verified prediction."""
