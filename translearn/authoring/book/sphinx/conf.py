"""Sphinx's settings for the book. `authoring.book.site` lays the sources and runs it."""

import os
import sys
from pathlib import Path

HERE = Path(os.environ["TRANSLEARN_BOOK"])  # where this file's neighbours are
sys.path.insert(0, str(HERE))

from translearn import words  # noqa: E402
from translearn.words import _  # noqa: E402

project = _("Transfer Learning, Measured")
author = copyright = _("the authors of Transfer Learning, Measured")
html_show_copyright = html_show_sphinx = False
language = os.environ.get("TRANSLEARN_LANGUAGE", "en")
locale_dirs = [str(words.LOCALE)]
gettext_compact = gettext_location = False

extensions = ["myst_nb", "references", "formulas", "languages"]
nb_execution_mode = "off"  # the lessons have run
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "attrs_inline"]
myst_heading_anchors = 4
smartquotes = False  # references hold plain quotes, and so does code in prose
exclude_patterns = ["extra"]

html_theme = "sphinx_book_theme"
html_title = project
templates_path = [str(HERE / "templates")]
html_static_path = [str(HERE / "static")]
html_extra_path = [os.environ["TRANSLEARN_BOOK_SOURCE"] + "/extra"]
html_css_files = ["site.css", "book.css", "pages.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_copy_source = html_show_sourcelink = False
html_last_updated_fmt = None
html_use_index = False  # there is nothing in it
html_show_search_summary = False  # it would be fetched, which a page opened from disk may not
html_favicon = str(HERE / "static" / "favicon.svg")
highlight_language = "text"  # of fences that name none
pygments_style = "a11y-high-contrast-light"
html_context = {"default_mode": "auto"}  # as the reader's system has it
nb_code_prompt_show, nb_code_prompt_hide = _("Show the code"), _("Hide the code")
html_theme_options = {
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_repository_button": False,
    "use_issues_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "logo": {"text": project},
}
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]}
nb_render_markdown_format = "myst"  # of outputs: tables, and links to other lessons
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]
