"""One action at a time: ``Policy.act`` and its bare network against what else could choose it; what both compute."""

from __future__ import annotations

import time
from collections.abc import Callable

import mujoco
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.interleave import Row, interleave, rows_of
from benchmarks.transformer import INPUTS, MorphologyTransformer
from morphnet.bodies import Body
from morphnet.config import NetworkConfig
from morphnet.policy import ActorWeights, Policy
from morphnet.simulation import Observer

CALLS = 1000
REFERENCE, BARE, TRANSFORMER = "SB3 predict", "bare network", "morphology transformer"


def inference_rows(body: Body, repeats: int) -> list[Row]:
    """Measure the median time of a call, in microseconds, and count what a step computes.

    SB3's and ONNX Runtime's networks have the layer sizes of our default actor. All but ``Policy.act`` are given a
    ready observation; it makes its own from the simulation's state.
    """
    policy, data = _policy(body), mujoco.MjData(body.model)
    mujoco.mj_step(body.model, data, 10)
    observation = policy.observe(data)
    limbs = len(body.graph.body_ids)
    transformer, tokens = MorphologyTransformer(limbs).eval(), torch.zeros(1, limbs, INPUTS)
    contestants = {
        REFERENCE: _timed(_stable_baselines(policy, observation)),
        "Policy.act": _timed(lambda: policy.act(data)),
        BARE: _timed(lambda: policy.actor.mean(observation)),
        "ONNX Runtime": _timed(_onnx_runtime(policy.actor, observation)),
        TRANSFORMER: _timed(lambda: _run(transformer, tokens)),
    }
    rows = rows_of("inference", body.name, "us a call (p50)", REFERENCE, interleave(contestants, repeats))
    with FlopCounterMode(display=False) as counter:
        _run(transformer, tokens)
    flops = {TRANSFORMER: counter.get_total_flops(), BARE: 2 * sum(weight.size for weight in policy.actor.weights)}
    parts = [*policy.actor.weights, *policy.actor.biases]
    parameters = {
        TRANSFORMER: sum(parameter.numel() for parameter in transformer.parameters()),
        BARE: sum(part.size for part in parts),
    }
    for unit, counts in (("FLOPs a step", flops), ("parameters", parameters)):
        rows += rows_of("inference", body.name, unit, BARE, {name: np.array([n]) for name, n in counts.items()})
    return rows


@torch.inference_mode()
def _run(network: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    outputs: torch.Tensor = network(inputs)
    return outputs


def _policy(body: Body) -> Policy:
    """A policy of the default size with random weights."""
    rng, sizes = np.random.default_rng(0), NetworkConfig()
    hidden = sizes.hidden + sizes.own * body.model.nu
    shapes = ((hidden, Observer(body).size), (hidden, hidden), (body.model.nu, hidden))
    first, second, third = (rng.normal(0, 0.1, shape).astype(np.float32) for shape in shapes)
    one, two, three = (np.zeros(shape[0], np.float32) for shape in shapes)
    return Policy(body, ActorWeights((first, second, third), (one, two, three), three), {})


def _stable_baselines(policy: Policy, observation: np.ndarray) -> Callable[[], object]:
    box = spaces.Box(-10.0, 10.0, observation.shape, np.float32)
    actions = spaces.Box(-1.0, 1.0, (policy.body.model.nu,), np.float32)
    hidden = [len(bias) for bias in policy.actor.biases[:2]]
    peer = ActorCriticPolicy(box, actions, lambda _: 1e-3, net_arch=hidden)
    return lambda: peer.predict(observation, deterministic=True)


def _onnx_runtime(actor: ActorWeights, observation: np.ndarray) -> Callable[[], object]:
    """The same network as an ONNX graph, on one thread."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, last = [], [], "observation"
    for layer, (weight, bias) in enumerate(zip(actor.weights, actor.biases, strict=True)):
        constants += [numpy_helper.from_array(weight, f"w{layer}"), numpy_helper.from_array(bias, f"b{layer}")]
        nodes.append(helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], [f"sum{layer}"], transB=1))
        last = f"sum{layer}"
        if layer < 2:
            nodes.append(helper.make_node("Tanh", [last], [f"hidden{layer}"]))
            last = f"hidden{layer}"
    first = helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, len(observation)])
    action = helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, len(actor.biases[2])])
    graph = helper.make_graph(nodes, "actor", [first], [action], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    ready = {"observation": observation[None]}
    np.testing.assert_allclose(session.run(None, ready)[0][0], actor.mean(observation), rtol=0, atol=1e-4)
    return lambda: session.run(None, ready)


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        seconds = []
        for _ in range(CALLS):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds)) * 1e6

    return run
