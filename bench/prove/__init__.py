"""Proofs: what an instrument of this suite measures, against what is known."""
