"""Errors that help: one sentence on what was wrong and what to do."""


class CourseError(Exception):
    """Something the reader can mend. The message says what was wrong and what to do.

    In a notebook only the message is shown: a traceback through the course's own code would bury
    it.
    """

    def _render_traceback_(self):
        # IPython asks an exception for this before it formats a traceback of its own.
        return [f"{type(self).__name__}: {self}"]
