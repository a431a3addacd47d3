"""The Keras networks, and the one import of TensorFlow."""
