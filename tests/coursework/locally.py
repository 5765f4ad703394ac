"""Answers judged in this process, without a sandbox: for what is ours, and quick.

What is asked and what is answered goes through the same runner, codec and judges as in the
marking.
"""

from types import SimpleNamespace

from translearn.coursework.instructor import bank, judging
from translearn.coursework.student import codec, runner
from translearn.coursework.student.question import questions


class Local(judging.Ask):
    """Asks the functions and values in `space`."""

    def __init__(self, module, space):
        super().__init__(None, 1)
        self.module, self.space = module, space

    def _put(self, probe, read, extra, seconds):
        if self.space.get(probe["name"], ...) is ...:
            raise judging.NoAnswer(f"`{probe['name']}` is not there.")
        session = SimpleNamespace(shell=SimpleNamespace(user_ns=self.space))
        probe = probe | {"read": read, "with": codec.encode(list(extra))}
        try:
            return codec.decode(runner.answer(session, probe, self.module))
        except Exception as problem:
            raise judging.NoAnswer(f"`{probe['name']}`: {type(problem).__name__}") from None


def entered(book) -> dict:
    """The names that a notebook of a bank defines, its checks and its submit cell left out."""
    space = {"__name__": "__main__"}
    for cell in book["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if cell["cell_type"] == "code" and (name == "setup" or name.endswith("_answer")):
            exec(compile(cell["source"], name, "exec"), space)
    return space


def verdicts(module, space, secret="secret", only=None) -> dict:
    """{question: its verdicts} on the names in `space`."""
    ask = Local(module, space)
    return {
        each.name: judging.judge(each, ask, secret)
        for each in questions(module)
        if only is None or each.name in only
    }


def points(found) -> dict:
    return {name: sum(v.got for v in parts) for name, parts in found.items()}


def each_case(assignment):
    """Yield (name, names that it defines, points it must get) of an assignment's bank."""
    for name, book, expected in bank.cases(assignment):
        yield name, entered(book), expected
