"""Bodies: MJCF files, their tasks and suites."""

from morphnet.bodies.body import Body, load_body, make_body
from morphnet.bodies.change import Change, read_change
from morphnet.bodies.mjcf import Source, close_spec, open_source, read_mjcf
from morphnet.bodies.portable import body_from_dict, body_to_dict
from morphnet.bodies.suite import Suite, load_suite, suite_from_folder, suite_names
from morphnet.bodies.task import Task, task_from_dict

__all__ = [
    "Body",
    "Change",
    "Source",
    "Suite",
    "Task",
    "body_from_dict",
    "body_to_dict",
    "close_spec",
    "load_body",
    "load_suite",
    "make_body",
    "open_source",
    "read_change",
    "read_mjcf",
    "suite_from_folder",
    "suite_names",
    "task_from_dict",
]
