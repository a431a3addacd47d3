"""Labelled text: where it comes from, and how it is held."""
