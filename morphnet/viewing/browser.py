"""MuJoCo's web viewer, for browsers on this machine alone."""

from __future__ import annotations

import contextlib
import copy
import ipaddress
import queue
import socket
from typing import Any

import mujoco
from mujoco.studio import app as studio_app
from mujoco.studio import (
    endpoints,
    launch_thread,
    messages,
    plugin,
    sim_history,
    ux,
    viewer_handle,
    viewer_protocol,
    web_viewer,
)
from mujoco.studio.web import web_server
from mujoco.studio.web.web_server import serve as serve_to_all

from morphnet.bodies import Body
from morphnet.errors import MorphNetError
from morphnet.rendering.camera import TrackingCamera
from morphnet.rendering.floor import take_edges_away
from morphnet.rendering.scene import bounding_radius
from morphnet.viewing.driver import AFTER_MUJOCO, Driver

LOOPBACK = "127.0.0.1"
PORTS = range(8080, 8100)


def serve_own_pages(*arguments: Any, sock: socket.socket, **settings: Any) -> Any:
    """Serve as MuJoCo does, but on loopback refuse the WebSockets of other pages in this machine's browsers."""
    host, port = sock.getsockname()[:2]
    if ipaddress.ip_address(host).is_loopback:
        settings["origins"] = own_origins(port)
    return serve_to_all(*arguments, sock=sock, **settings)


def own_origins(port: int) -> list[str]:
    """Return what browsers call the page that is served at ``port``; they leave out HTTP's own port."""
    end = "" if port == 80 else f":{port}"
    return [f"http://localhost{end}", f"http://{LOOPBACK}{end}"]


class LoopbackViewer(web_viewer.WebViewer):
    """The web viewer, which MuJoCo opens to the whole network and to any web page, for its own page on loopback."""

    @property
    def _host(self) -> str:
        return LOOPBACK

    @_host.setter
    def _host(self, wanted: str) -> None:
        """Disregard what MuJoCo asks for: every interface."""

    def __init__(
        self,
        config: viewer_protocol.ViewerConfig,
        endpoint: endpoints.ViewerEndpoint,
        plugins: list[plugin.ViewerPlugin],
    ) -> None:
        """Start to serve; see ``WebViewer``."""
        web_server.serve = serve_own_pages  # the server's thread looks it up there
        super().__init__(config, endpoint, plugins=plugins)
        address = self._http_sock.getsockname()[0]
        if not ipaddress.ip_address(address).is_loopback:  # another MuJoCo keeps its host elsewhere
            self.close()
            raise MorphNetError(f"the viewer of MuJoCo {mujoco.__version__} would be open to the network; use 4.0")

    def get_drop_file(self) -> str:
        """Disregard files that are dropped on the page: the policy drives one body alone."""
        with contextlib.suppress(queue.Empty):
            self._drop_queue.get_nowait()  # or they would pile up
        return ""


class FollowRobot(plugin.ViewerPlugin):
    """Lets the camera of the page follow the robot."""

    def __init__(self, body: Body) -> None:
        """Look at ``body`` from where films do."""
        self._body = body
        self._app: studio_app.App | None = None

    @messages.handler
    def on_app(self, event: studio_app.InitEvent) -> None:
        """Note the page's own state, which remembers the kind of camera."""
        self._app = event.app

    @messages.handler(priority=AFTER_MUJOCO)
    def on_model(self, event: messages.PostModelEvent) -> None:
        """Switch from the fixed view that MuJoCo begins with."""
        camera, good = self.viewer.camera, TrackingCamera(self._body, aspect=4 / 3).view
        camera.type, camera.trackbodyid = mujoco.mjtCamera.mjCAMERA_TRACKING, self._body.graph.root_body
        camera.distance, camera.azimuth, camera.elevation = good.distance, good.azimuth, good.elevation
        if self._app is not None:
            self._app.ux_state.camera_index = ux.TRACKING_CAMERA_IDX


def open_view(body: Body, driver: Driver, port: int) -> viewer_handle.ViewerHandle:
    """Start the viewer in a thread and give it the body; its ``sync`` then runs the physics.

    Args:
        body: what is shown.
        driver: what moves it.
        port: where to listen.
    """
    config = viewer_protocol.ViewerConfig(title=f"MorphNet: {body.name}", gfx="web", http_port=port)
    plugins = [studio_app.App(), FollowRobot(body)]

    def serve(endpoint: endpoints.ViewerEndpoint) -> None:
        viewer_protocol.run_viewer_loop(LoopbackViewer(config, endpoint, plugins))

    handle = launch_thread.launch_thread(serve, sim_plugins=[driver, sim_history.SimHistory()])
    model = copy.copy(body.model)  # the page can change gravity and the like
    take_edges_away(model, bounding_radius(model, body.graph.root_body))
    handle.set_model(model)
    return handle


def free_port(wanted: int) -> int:
    """Return ``wanted`` if nothing listens there, or the first free port from 8080 where it is 0.

    Raises:
        MorphNetError: taken, or no port number.
    """
    if not 0 <= wanted <= 65535:
        raise MorphNetError(f"--port {wanted}: must lie between 1 and 65535, or be 0 for any")
    for port in [wanted] if wanted else PORTS:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((LOOPBACK, port))
                return port
        except OSError as error:
            reason = error.strerror
    if wanted:
        raise MorphNetError(f"--port {wanted}: {reason}; leave it out to take a free one")
    raise MorphNetError(f"ports {PORTS[0]} to {PORTS[-1]} are all taken; name a free one with --port")
