"""A fitted network -> a ``.tflite`` file that was run on the device runtime."""
