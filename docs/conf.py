"""Sphinx: the pages of this folder, the README and the changelog, and the reference from docstrings."""

import re
from importlib.metadata import version as installed
from pathlib import Path

DOCS = Path(__file__).parent

project = "MorphNet"
version = release = installed("morphnet")
copyright = "MorphNet contributors, MIT licence"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"MorphNet {version}"

myst_heading_anchors = 3
myst_links_external_new_tab = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True


def setup(app):
    """Pages link to files of the repository; the site has none of them, so those links become plain text."""
    app.connect("source-read", lambda app, page, content: _unlink(content, Path(app.srcdir)))
    app.connect("include-read", lambda app, path, page, content: _unlink(content, (Path(app.srcdir) / path).parent))


def _unlink(content, folder):
    """Keep links to pages, and those to nothing, which are then reported."""

    def replace(link):
        target = (folder / link["target"]).resolve()
        is_page = target.is_relative_to(DOCS) and target.is_file()
        return link["text"] if target.exists() and not is_page else link[0]

    content[0] = re.sub(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#:]+)(#[^)]*)?\)", replace, content[0])
