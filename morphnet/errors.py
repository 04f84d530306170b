"""Errors a user can act on: each names the file or argument, the fault and the valid choices."""


class MorphNetError(Exception):
    """Base of every error that bad input causes; the command line turns it into exit code 2."""


class BodyError(MorphNetError):
    """A body cannot be read, compiled or controlled."""


class TaskError(MorphNetError):
    """A task description (TOML) is malformed or does not fit its body."""


class SuiteError(MorphNetError):
    """A suite, a split or a folder of bodies is unknown or malformed."""


class CheckpointError(MorphNetError):
    """A checkpoint or policy folder is missing, damaged or of another version."""


class DemonstrationError(MorphNetError):
    """Demonstrations are missing, damaged, or not of the body they are used for."""


class SimulationError(MorphNetError):
    """The physics cannot be run, or every simulation of a body diverges."""


class RenderError(MorphNetError):
    """No video can be made: no OpenGL, or an output that cannot be written."""


def choices(name: str, valid: list[str] | tuple[str, ...]) -> str:
    """Say which names would have been valid instead of ``name``: near ones, else the first forty."""
    import difflib

    near = difflib.get_close_matches(name, valid, n=3, cutoff=0.5)
    if near:
        return f"did you mean {', '.join(near)}?"
    shown = ", ".join(sorted(valid)[:40])
    return f"valid: {shown}" if shown else "there are none"
