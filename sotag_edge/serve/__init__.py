"""The endpoint of ``sotag-edge serve``: a model over HTTP. Needs the extra ``[serve]``."""
