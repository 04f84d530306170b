"""How a film looks."""

from __future__ import annotations

import dataclasses
import enum
import math

from morphnet.errors import MorphNetError


class Preset(enum.Enum):
    """How much work goes into a picture; FAST is ten times faster on a CPU."""

    FAST = "fast"
    QUALITY = "quality"


@dataclasses.dataclass(frozen=True)
class Look:
    """How a film looks.

    Attributes:
        seconds: length of the film, or of each episode where ``episodes`` is set.
        width: of the picture of one robot, in pixels; a mosaic is about twice as wide and as high in all.
        height: of the picture of one robot, in pixels.
        fps: pictures a second.
        quality: shadows, reflections and smooth edges, at a tenth of the speed.
        speed: simulated seconds a second of film; below 1 is slow motion.
        episodes: how many episodes to show one after another; as many as fit into ``seconds`` when None.
    """

    seconds: float = 10.0
    width: int = 640
    height: int = 480
    fps: int = 30
    quality: bool = False
    speed: float = 1.0
    episodes: int | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "width", "height", "fps", "speed"):
            if not 0 < getattr(self, name) < math.inf:
                raise MorphNetError(f"--{name} {getattr(self, name)}: must be above 0 and finite")
        if self.episodes is not None and self.episodes < 1:
            raise MorphNetError(f"--episodes {self.episodes}: must be at least 1")

    @property
    def preset(self) -> Preset:
        """The renderer's preset."""
        return Preset.QUALITY if self.quality else Preset.FAST

    @property
    def pictures(self) -> int:
        """How many pictures ``seconds`` are."""
        return math.ceil(self.seconds * self.fps)

    @property
    def step(self) -> float:
        """Simulated seconds from one picture to the next."""
        return self.speed / self.fps

    def tile(self, columns: int, scale: float) -> Look:
        """Return this look for one of ``columns`` x ``columns`` pictures that are together ``scale`` times as large."""
        # even sizes, as video encoders need them
        width, height = (max(2, int(size * scale / columns) // 2 * 2) for size in (self.width, self.height))
        return dataclasses.replace(self, width=width, height=height)
