"""Data and a preset -> a fitted, calibrated network."""
