"""The floor of a cold start: imports numpy, the runtime and typer, loads the model, invokes it once. Nothing of ours."""

import sys

import numpy
import typer  # noqa: F401  # what any command line of this kind imports

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType
except ImportError:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

LENGTH = 192  # tokens, about as many as a question has; a multiple of every stride

with open(sys.argv[1], "rb") as file:
    interpreter = Interpreter(
        model_content=file.read(),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
index = interpreter.get_input_details()[0]["index"]
interpreter.resize_tensor_input(index, [1, LENGTH])
interpreter.allocate_tensors()
interpreter.set_tensor(index, numpy.ones((1, LENGTH), numpy.int32))
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
