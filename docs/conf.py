"""Sphinx: Markdown pages, a reference made from the objects, mathematics without a network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "_extensions"))

import theorylab

project = "theorylab"
author = "theorylab authors"
copyright = "2026, theorylab authors"
version = release = theorylab.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "mathml", "generated_pages"]
exclude_patterns = ["_build", "_extensions", "reference/generated/errata.md"]
myst_enable_extensions = ["dollarmath", "deflist"]
smartquotes = False
myst_heading_anchors = 3

html_theme = "furo"
html_title = "theorylab"
html_static_path = ["_static"]
html_css_files = ["theorylab.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
pygments_style = "friendly"
