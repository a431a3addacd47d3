"""The training step of a network: a batch -> its loss, and the variables that the next step goes on from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotag_convert.learn.saved_fit import SavedFit
from sotag_convert.network.keras import tf


class TrainingStep:
    """The step on a batch of a compiled fitting graph. ``function``: it as TensorFlow runs it.

    It is Keras' ``train_on_batch`` without AutoGraph, which writes source code into the folder for temporary files, where a
    killed process leaves it, and traced once, for batches of any size.
    """

    def __init__(self, graph: Any) -> None:
        graph.optimizer.build(graph.trainable_variables)
        batch = (
            [tf.TensorSpec(of.shape, of.dtype) for of in graph.inputs],
            tf.TensorSpec(graph.output.shape, tf.float32),
        )
        step = tf.function(graph.train_step, autograph=False, input_signature=(batch,)).get_concrete_function()
        self.graph, self.function = graph, step
        known = [*graph.weights, *graph.optimizer.variables]
        places = {variable.ref() for variable in known}
        # The states of the generators for dropout, and figures that a step begins with. TensorFlow lists them in any order;
        # their names are those of the layers, the same in every process.
        others = [variable for variable in step.variables if variable.ref() not in places]
        self._variables = [*known, *sorted(others, key=lambda variable: variable.name)]

    def __call__(self, ids: NDArray[np.int32], sets: NDArray[np.int32], targets: NDArray[np.float32]) -> float:
        """Fit on a batch: ids, the number of each text's set of ratios, targets. Returns the loss of the batch."""
        batch = ([tf.constant(ids), tf.constant(sets)], tf.constant(targets))
        loss = self.function(batch)["loss"]
        self.graph.reset_metrics()
        return float(loss)

    def values(self) -> list[NDArray[Any]]:
        """All that a step reads and changes."""
        return [variable.numpy() for variable in self._variables]

    def restore(self, saved: SavedFit) -> None:
        """Go on from a saved state. Raises ``InputError`` if it is that of another network."""
        for variable, value in zip(self._variables, saved.values(self.values()), strict=True):
            variable.assign(value)
