"""The workstation side of sotag-edge: trains, converts and verifies models. Needs ``pip install 'sotag-edge[convert]'``."""
