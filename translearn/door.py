"""Open a page whose address holds a token.

A browser gets its address as an argument, and what programs are started with, every account of
the machine can read. So it gets the address of a file that only its owner can read, and that
leads on. Jupyter does the same:
https://jupyter-server.readthedocs.io/en/latest/operators/security.html
"""

import contextlib
import html
import os
import tempfile
from pathlib import Path

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<title>Opening the page</title>
</head>
<body><main><p>If nothing opens: <a href="{address}">this way</a>.</p></main></body>
</html>
"""


@contextlib.contextmanager
def to(address: str, folder: Path):
    """The address of a file in `folder` that leads to `address`; the file is there as long as the
    block runs, and nobody but its owner can read it.
    """
    handle, name = tempfile.mkstemp(dir=folder, prefix="open-", suffix=".html")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(PAGE.format(address=html.escape(address)))
        yield Path(name).resolve().as_uri()
    finally:
        Path(name).unlink(missing_ok=True)
