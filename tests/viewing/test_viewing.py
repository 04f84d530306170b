"""The simulation behind the live view, without a page."""

import http.client
import multiprocessing
import os
import queue
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mujoco
import numpy as np
import pytest

from morphnet.bodies import load_body
from morphnet.errors import MorphNetError

pytest.importorskip("mujoco.studio.web_viewer", reason="this MuJoCo has no web viewer")
from mujoco.studio import messages, sim

from morphnet.viewing import browser
from morphnet.viewing import driver as driver_module
from morphnet.viewing.driver import LYING_SECONDS, Driver

STATE = mujoco.mjtState.mjSTATE_FULLPHYSICS


class Handle:
    """What MuJoCo gives a plugin, as far as the driver uses it."""

    def __init__(self, body):
        self.model, self.data, self.sent = body.model, mujoco.MjData(body.model), []

    def send_to_viewer(self, message):
        self.sent.append(message)


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when told to."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

        def sleep(self, seconds):
            pass

    made = Clock()
    monkeypatch.setattr(driver_module, "time", made)
    return made


def wave(data):
    """A policy that depends on state and time, so that being asked at a wrong moment shows."""
    return np.clip(np.sin(9.0 * data.qpos[-data.ctrl.size :] + 20.0 * data.time), -1.0, 1.0)


@pytest.fixture
def make(clock):
    """Return a function that makes a driver and one that lets real time pass for it."""

    def made(name, act=wave):
        body = load_body(name)
        driver = Driver(body, act, seed=0)
        driver.handle = handle = Handle(body)
        driver.on_model(messages.PostModelEvent(model=handle.model, data=handle.data))

        def let_pass(seconds, each=0.002):
            for _ in range(round(seconds / each)):
                clock.now += each
                driver.on_step(messages.StepEvent(model=handle.model, data=handle.data))

        let_pass(0.002)  # the first call only looks at the clock
        return body, driver, handle.data, let_pass

    return made


def test_it_runs_the_loop_that_anyone_would_write(make):
    body, _, data, let_pass = make("cheetah")
    own = mujoco.MjData(body.model)
    own.qpos[:], own.qvel[:] = data.qpos, data.qvel
    assert np.abs(data.qvel).max() > 0.0, "the task's start noise"
    let_pass(1.0)
    while own.time < data.time - 1e-9:
        own.ctrl[:] = wave(own)
        for _ in range(min(body.frame_skip, round((data.time - own.time) / body.model.opt.timestep))):
            mujoco.mj_step(body.model, own)
    assert np.array_equal(own.qpos, data.qpos)


@pytest.mark.parametrize("speed", [100.0, 25.0])
def test_it_keeps_real_time(make, speed):
    _, driver, data, let_pass = make("cheetah")
    driver.on_settings(messages.StepControlSnapshot(speed=speed))
    let_pass(2.0)
    assert data.time == pytest.approx(2.0 * speed / 100.0, abs=0.02)


def test_a_slow_machine_shows_slow_motion(make):
    _, _, data, let_pass = make("cheetah")
    let_pass(10.0, each=1.0)
    assert data.time <= 10 * driver_module.BEHIND_SECONDS + 0.02


def test_pause_single_steps_and_going_on(make):
    body, driver, data, let_pass = make("cheetah")
    let_pass(0.1)
    driver.on_pause(messages.RequestPauseEvent(pause_state=sim.PauseState.NORMAL_PAUSED))
    assert driver.handle.sent[-1].pause_state == sim.PauseState.NORMAL_PAUSED
    paused = data.time
    let_pass(1.0)
    assert data.time == paused
    driver.on_single_step(messages.SingleStepEvent())
    let_pass(1.0)
    assert data.time == pytest.approx(paused + body.model.opt.timestep)
    driver.on_settings(messages.StepControlSnapshot())
    let_pass(1.0)
    assert data.time == pytest.approx(paused + 1.0, abs=0.02), "the pause is not made up for"


def test_reset_starts_another_episode(make):
    _, driver, data, let_pass = make("cheetah")
    first = data.qpos.copy()
    let_pass(0.5)
    driver.on_reset(messages.ResetEvent())
    assert data.time == 0.0
    assert 0.0 < np.abs(data.qpos - first).max() < 0.3


def test_a_robot_that_lies_starts_again(make):
    _, _, data, let_pass = make("hopper", act=lambda data: np.zeros(3))
    times = []
    for _ in range(80):
        let_pass(0.1)
        times.append(data.time)
    assert (np.diff(times) < 0.0).any()
    assert max(times) > LYING_SECONDS


# ---------------------------------------------------------------- the page


@pytest.fixture
def run_alone(monkeypatch, tmp_path):
    """Return what runs a function in a process of its own, and gives its exit code.

    MuJoCo crashes where one process opens two viewers.
    """
    monkeypatch.setenv("HOME", str(tmp_path))  # where MuJoCo keeps the page's settings

    def run(function):
        process = multiprocessing.get_context("spawn").Process(target=function)
        process.start()
        process.join(timeout=240.0)
        process.kill()
        process.join()
        return process.exitcode

    return run


def listening(port):
    """Addresses on which something listens at a TCP port."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, address, _, state = line.split()[:4]
            if state == "0A" and int(address.split(":")[1], 16) == port:
                found.add(address.split(":")[0])
    return found


def test_a_push_from_the_page_moves_the_robot_and_the_policy_goes_on(run_alone):
    assert run_alone(push) == 0


def push():
    body = load_body("gymnasium:half_cheetah")
    asked = []
    port = browser.free_port(0)

    def act(data):
        asked.append(data.time)
        return np.zeros(6)

    with browser.open_view(body, Driver(body, act, 0), port) as handle:
        deadline = time.monotonic() + 60.0
        while len(asked) < 10 and time.monotonic() < deadline:
            handle.sync()
        size = mujoco.mj_stateSize(handle.model, mujoco.mjtState.mjSTATE_XFRC_APPLIED)
        force = np.zeros((size // 6, 6))
        force[body.graph.root_body, 0] = 2000.0
        before = handle.data.qpos[0]
        push = messages.PerturbSnapshot(force.ravel(), int(mujoco.mjtState.mjSTATE_XFRC_APPLIED))
        asked.clear()
        while len(asked) < 10 and time.monotonic() < deadline:
            handle.dispatch(push)  # again and again, as the page sends it while the mouse drags
            handle.sync()
        assert handle.data.qpos[0] - before > 0.5
    assert np.diff(asked) == pytest.approx(body.control_step)


def answer_to(origin, port):
    """Status of the answer to a WebSocket that a page from ``origin`` opens; 101 lets it in."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    key = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    deadline = time.monotonic() + 60.0
    while True:
        connection = http.client.HTTPConnection(browser.LOOPBACK, port, timeout=10.0)
        try:
            connection.request("GET", "/state", headers={**upgrade, **key, "Origin": origin})
            return connection.getresponse().status
        except OSError:  # not there yet
            assert time.monotonic() < deadline
            time.sleep(0.1)
        finally:
            connection.close()


def test_other_pages_in_the_same_browser_are_kept_out(run_alone):
    assert run_alone(open_pages) == 0


def open_pages():
    body, port = load_body("hopper"), browser.free_port(0)
    own = [f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    others = ["https://example.com", f"http://example.com:{port}", f"http://localhost:{port + 1}", "null"]
    with browser.open_view(body, Driver(body, lambda data: np.zeros(3), 0), port):
        answers = {origin: answer_to(origin, port) for origin in (*own, *others)}
    assert answers == {**dict.fromkeys(own, 101), **dict.fromkeys(others, 403)}


def test_files_dropped_on_the_page_are_ignored():
    viewer = object.__new__(browser.LoopbackViewer)
    viewer._drop_queue, viewer._drop_dir = queue.Queue(), None
    viewer._drop_queue.put({"robot.xml": b"<mujoco/>"})
    assert viewer.get_drop_file() == ""
    assert viewer._drop_queue.empty()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of sockets")
def test_the_command_serves_a_page_on_loopback_alone_and_stops_at_ctrl_c(tmp_path):
    port = browser.free_port(0)
    script = Path(sys.executable).parent / "morphnet"
    process = subprocess.Popen(
        [script, "view", "hopper", "--policy", "random", "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    try:
        page, deadline = "", time.monotonic() + 120.0
        while not page and time.monotonic() < deadline and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5.0) as answer:
                    page = answer.read().decode()
            except OSError:
                time.sleep(0.2)
        assert "<html" in page.lower()
        assert listening(port) == {"0100007F"}, "127.0.0.1, as the kernel writes it"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60.0)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert re.search(rf"localhost:{port}/", out)
    assert "Traceback" not in err
    assert "hopper, random" in err


def test_a_port_that_is_taken_is_said_in_one_line():
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((browser.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MorphNetError, match=rf"--port {port}: .*in use"):
            browser.free_port(port)
    with pytest.raises(MorphNetError, match="--port 70000"):
        browser.free_port(70_000)


def test_a_body_that_reaches_is_viewed_with_one_goal_and_a_ball_there():
    from morphnet.viewing.view import aimed

    body = load_body("flat_arm_2")
    shown = aimed(body, seed=3)
    site = shown.model.site("morphnet_goal")
    assert shown.task.goal == pytest.approx(site.pos, abs=1e-5)
    assert site.size[0] == pytest.approx(body.task.goal_tolerance)
    assert np.hypot(*site.pos[:2]) < 0.66
    datas = [mujoco.MjData(one.model) for one in (body, shown)]
    for data, one in zip(datas, (body, shown), strict=True):
        data.ctrl[:] = 0.3, -0.2
        mujoco.mj_step(one.model, data, 50)
    np.testing.assert_allclose(datas[0].qpos, datas[1].qpos, atol=1e-4)
