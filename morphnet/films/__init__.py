"""Films of policies: states from a simulation, pictures from the renderer, words on top."""

from morphnet.films.film import film, film_comparison, film_suite

__all__ = ["film", "film_comparison", "film_suite"]
