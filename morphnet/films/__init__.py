"""Films of policies: states from a simulation, pictures from the renderer, words on top."""

from morphnet.films.film import ZERO_SHOT, film, film_comparison, film_suite

__all__ = ["ZERO_SHOT", "film", "film_comparison", "film_suite"]
