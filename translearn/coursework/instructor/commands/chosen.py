"""The assignments that a command is for."""

from translearn.coursework.instructor.folder import assignments, known
from translearn.errors import CourseError


def those(course, names):
    """The assignments that a command is for: those named, else all that were released."""
    if names:
        return list(dict.fromkeys(map(known, names)))
    found = [name for name in assignments() if course.released(name).is_file()]
    if not found:
        raise CourseError("Nothing was released yet. Begin with: course.py coursework release A1")
    return found
