"""Lets `python -m roi` do what `roi` does."""

from roi.cli import main

main()
