"""What a model is measured to do, and its card."""
