"""Robots for tests: small MJCF texts, random states, and the same robot written in another order."""

import xml.etree.ElementTree as ElementTree

import mujoco
import numpy as np

from morphnet.bodies import load_body

FLOOR = '<geom type="plane" size="0 0 1"/>'

# Ball joints, one of them the root's only rotation, an unlimited hinge and an unlimited slide.
BALLS = f"""<mujoco><option timestep="0.004"/><worldbody>{FLOOR}
  <body name="trunk" pos="0 0 1"><joint name="spin" type="ball"/><geom type="box" size=".2 .1 .05"/>
    <body name="arm" pos=".2 .1 0"><joint name="shoulder" type="ball" damping=".1"/>
      <geom type="capsule" size=".03" fromto="0 0 0 .2 .1 .1"/>
      <body name="wheel" pos=".2 .1 .1"><joint name="axle" axis="1 1 0" damping=".1"/>
        <geom type="cylinder" size=".05 .02"/></body></body>
    <body name="drawer" pos="-.2 0 0"><joint name="rail" type="slide" axis="0 1 0" damping="1"/>
      <geom size=".06"/></body></body></worldbody>
  <actuator><motor joint="shoulder" gear="1 0 0"/><motor joint="shoulder" gear="0 .5 .5"/>
    <motor joint="axle" ctrlrange="-.3 .7"/><motor joint="rail" gear="3"/></actuator></mujoco>"""

# Every kind of activation, mixed with actuators that have none; ranges that do not lie about zero.
ACTIVATIONS = """<mujoco><option timestep="0.004"/><worldbody>
  <body name="arm" pos="0 0 1"><joint name="a" axis="0 1 0" range="-60 90" damping=".5"/>
    <geom type="capsule" size=".04" fromto="0 0 0 .3 0 0"/>
    <body name="hand" pos=".3 0 0"><joint name="b" axis="0 1 0" range="-50 50" damping=".5"/>
      <geom type="capsule" size=".03" fromto="0 0 0 .2 0 0"/>
      <body name="tip" pos=".2 0 0"><joint name="c" type="slide" axis="1 0 0" range="-.1 .1" damping="5"/>
        <geom size=".04"/></body></body></body></worldbody>
  <actuator><general name="filter" joint="a" dyntype="filter" dynprm=".05" ctrlrange="-1 3" gainprm="2"/>
    <motor name="plain" joint="b"/>
    <intvelocity name="integrator" joint="b" kp="4" actrange="-1 1" ctrlrange="-2 2"/>
    <muscle name="muscle" joint="a" ctrlrange="0 1" lengthrange="-1 2" force="5"/>
    <position name="servo" joint="c" kp="20" ctrlrange="-.1 .1"/></actuator></mujoco>"""

# Slides along x and z in weightlessness: without control it keeps its velocity.
DRIFTER = """<mujoco><option timestep="0.01" gravity="0 0 0"/><worldbody>
  <body name="puck" pos="0 0 0"><joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
    <joint name="z" type="slide" axis="0 0 1"/><geom size=".1" mass="1"/>
    <body name="fin" pos="0 .1 0"><joint name="flap" axis="0 1 0"/><geom size=".02" mass=".01"/></body></body>
  </worldbody>
  <actuator><motor joint="flap" gear="1e-9"/></actuator></mujoco>"""

# A trunk on a free joint, no floor; numbers with more digits than short MJCF would keep.
WALKER_WITHOUT_FLOOR = """<mujoco><worldbody><body name="trunk" pos="0 0 .512345678"><freejoint name="root"/>
  <geom type="capsule" size=".0723456789" fromto="-.2 0 0 .2 0 0" density="987.654321"/>
  <body name="leg" pos=".1111111111 0 0"><joint name="hip" axis="0 1 0" range="-33.3333333 47.7777777" damping=".1"/>
    <geom type="capsule" size=".0423456789" fromto="0 0 0 .0123456789 0 -.3"/></body>
  <body name="tail" pos="-.1987654321 0 0"><joint name="wag" axis="0 0 1" range="-60 60" damping=".1"/>
    <geom type="capsule" size=".03" fromto="0 0 0 -.3 0 0"/></body></body></worldbody>
  <actuator><motor name="hip" joint="hip" gear="12.3456789"/><motor name="wag" joint="wag" gear="3"/></actuator>
  </mujoco>"""


def random_state(model, seed):
    """``MjData`` at a random state and control within ranges; derived fields are left as they were made."""
    rng = np.random.default_rng(seed)
    data = mujoco.MjData(model)
    mujoco.mj_integratePos(model, data.qpos, rng.normal(size=model.nv), 1.0)
    data.qvel[:] = rng.normal(size=model.nv)
    data.ctrl[:] = rng.uniform(*control_range(model))
    data.act[:] = rng.uniform(0, 1, model.na)
    return data


def control_range(model):
    """Lowest and highest control, each (nu,); where the file sets none, -1 and 1."""
    limited = model.actuator_ctrllimited.astype(bool)
    return np.where(limited[:, None], model.actuator_ctrlrange, [-1.0, 1.0]).T


def every_array(data):
    """Copy every array of an ``MjData``, by name."""
    fields = ((name, getattr(data, name, None)) for name in dir(data) if not name.startswith("_"))
    return {name: value.copy() for name, value in fields if isinstance(value, np.ndarray)}


def full_state(model, data):
    """Everything that MuJoCo's own definition of the physics state holds."""
    kind = mujoco.mjtState.mjSTATE_FULLPHYSICS
    state = np.empty(mujoco.mj_stateSize(model, kind))
    mujoco.mj_getState(model, data, state, kind)
    return state


def name_everything(root):
    """Give every body, joint and actuator a name, by which it can be found again in another order."""
    worldbody, actuators = root.find("worldbody"), root.find("actuator")
    elements = [e for e in worldbody.iter() if e.tag in ("body", "joint", "freejoint")] + list(actuators)
    for index, element in enumerate(elements):
        element.set("name", element.get("name") or f"unnamed{index}")


def reverse_siblings(element):
    """Reverse the bodies in a body, all the way down; joints and geoms keep their places."""
    slots = [i for i, child in enumerate(element) if child.tag == "body"]
    bodies = [element[i] for i in slots]
    for slot, body in zip(slots, reversed(bodies), strict=True):
        element[slot] = body
    for body in bodies:
        reverse_siblings(body)


def both_orders(xml):
    """The MJCF with all names filled in, and the same with sibling bodies and actuators reversed."""
    root = ElementTree.fromstring(xml)
    name_everything(root)
    first = ElementTree.tostring(root, encoding="unicode")
    reverse_siblings(root.find("worldbody"))
    root.find("actuator")[:] = reversed(list(root.find("actuator")))
    return first, ElementTree.tostring(root, encoding="unicode")


def load_text(tmp_path, text, **task):
    path = tmp_path / "robot.xml"
    path.write_text(text)
    body = load_body(path)
    return body.with_task(body.task.replace(**task))


def with_task(name, **task):
    body = load_body(name)
    return body.with_task(body.task.replace(**task))


def actions_for(body, steps, num_sims, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, (steps, num_sims, body.model.nu))
