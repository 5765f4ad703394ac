"""A table that another program wrote, read and written back in its own form: its separator, its
coding, its line ends.
"""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from translearn.coursework.instructor.folder import write
from translearn.errors import CourseError

SEPARATORS = ",;\t"  # a spreadsheet may write semicolons, some LMS tabs
CODES = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass
class Sheet:
    """`rows` are lists of texts, the first the names of the columns; `lines` says in which line
    of the file each ends.
    """

    path: Path
    rows: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    separator: str = ","
    code: str = "utf-8"
    end: str = "\n"

    def column(self, name: str) -> int | None:
        """The position of the first column of that name, without case and spaces around it."""
        names = [each.strip().casefold() for each in self.rows[0]]
        return names.index(name.casefold()) if name.casefold() in names else None

    def save(self, path: Path) -> None:
        """Write it whole, as the other program did."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator=self.end).writerows(self.rows)
        write(path, text.getvalue().encode(self.code))


def read(path: Path) -> Sheet:
    """The table in `path`. Raises `CourseError` when it is none."""
    try:
        data = path.read_bytes()
        code = next((code for mark, code in CODES.items() if data.startswith(mark)), "utf-8")
        text = data.decode(code)
    except OSError as problem:
        raise CourseError(f"{path} cannot be read: {problem.strerror}.") from None
    except UnicodeError:
        kind = "a workbook" if data.startswith(b"PK") else "a table in another coding"
        raise CourseError(
            f"{path.name} is {kind}. Save it as CSV, in UTF-8, and run this again."
        ) from None
    first = text.partition("\n")[0]
    separator = max(
        SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each), []))
    )
    sheet = Sheet(path, separator=separator, code=code, end="\r\n" if "\r\n" in text else "\n")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in rows:
            sheet.rows.append(row)
            sheet.lines.append(rows.line_num)
    except csv.Error as problem:
        raise CourseError(f"{path.name}, line {rows.line_num}: {problem}.") from None
    return sheet
