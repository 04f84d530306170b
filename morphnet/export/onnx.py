"""ONNX: a policy as a graph of Gemm and Tanh, observation in, clipped ctrl out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from morphnet import __version__
from morphnet.errors import MorphNetError
from morphnet.export.layers import CtrlLayers, ctrl_layers
from morphnet.policy import Policy

OPSET, IR_VERSION = 13, 8
"""Old enough for any runtime of recent years: ONNX 1.8 has these operators, ONNX 1.10 this file format."""
Predict = Callable[[np.ndarray], np.ndarray]


def write_onnx(policy: Policy, path: Path) -> Predict:
    """Write a model that maps ``observation`` (batch, D) to ``ctrl`` (batch, nu); return what ONNX Runtime makes of it.

    Its metadata name the body, the entries of the observation, the actuators and the control step.

    Raises:
        MorphNetError: the ``onnx`` extra is not installed.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise MorphNetError(f'--format onnx: {error}; pip install "morphnet[onnx]"') from None

    model = onnx.helper.make_model(
        _graph(ctrl_layers(policy)),
        producer_name="morphnet",
        producer_version=__version__,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(model, _metadata(policy))
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda observation: np.asarray(session.run(["ctrl"], {"observation": observation})[0])


def _graph(layers: CtrlLayers):  # type: ignore[no-untyped-def]  # onnx's types are there only where the extra is
    from onnx import TensorProto, helper, numpy_helper

    names = ("hidden1", "hidden2", "output")
    constants = {f"{name}.weight": weight for name, weight in zip(names, layers.weights, strict=True)}
    constants |= {f"{name}.bias": bias for name, bias in zip(names, layers.biases, strict=True)}
    constants |= {"low": layers.low, "high": layers.high}
    nodes = []
    for before, name in itertools.pairwise(("observation", *names)):
        inputs = [before, f"{name}.weight", f"{name}.bias"]
        if name == "output":
            nodes.append(helper.make_node("Gemm", inputs, [name], transB=1))
        else:
            nodes.append(helper.make_node("Gemm", inputs, [f"{name}.sum"], transB=1))
            nodes.append(helper.make_node("Tanh", [f"{name}.sum"], [name]))
    nodes.append(helper.make_node("Max", ["output", "low"], ["not_too_low"]))
    nodes.append(helper.make_node("Min", ["not_too_low", "high"], ["ctrl"]))
    inputs_of, outputs_of = layers.weights[0].shape[1], len(layers.low)
    return helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["batch", inputs_of])],
        [helper.make_tensor_value_info("ctrl", TensorProto.FLOAT, ["batch", outputs_of])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )


def _metadata(policy: Policy) -> dict[str, str]:
    return {
        "body": policy.body.name,
        "body_sha256": policy.body.source.sha256,
        "observation": json.dumps(list(policy.observation_names)),
        "actuators": json.dumps(list(policy.body.graph.actuator_names)),
        "control_step": repr(policy.body.control_step),
    }
