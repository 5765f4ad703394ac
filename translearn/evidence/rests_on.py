"""What a measured result rests on, as sixteen hexadecimal digits: the ledger keeps them, and a test compares.

It reads code and never runs it. So that a lesson's numbers do not grow old because a module gained a function that the
lesson never calls, it follows names: from the experiment's cell to earlier cells, and from there into the package.
"""

import ast
import functools
import hashlib
import re
import tomllib

from translearn import paths

# Calls that change a model, and return something too.
CHANGES = ("fit", "train_on_batch", "freeze", "unfreeze", "set_weights", "load_weights", "pop")
UNMOVED = {
    "ledger",
    "measure",
    "plots",
    "widgets",
    "errors",
    "paths",
    "progress",
    "quiet",
}  # no number depends on them


def of(trees) -> str:
    """The fingerprint of the experiment in the last of `trees`, the syntax trees of the cells up to it.

    It covers that cell; every earlier cell that it takes a name from, or that changes something it uses; what those cells
    call in the package, and what that calls in turn; the data and weights by hash; and the versions of Keras and TensorFlow
    that the environment pins. Comments, docstrings, layout and the version of Python do not count.
    """
    needed, kept = names(trees[-1], ast.Load), [trees[-1]]
    # Again until nothing is added: a function may use a name that a later cell defines.
    while more := [
        t for t in trees if t not in kept and (names(t, ast.Store) | _acted_on(t)) & needed
    ]:
        kept += more
        needed |= set().union(*(names(t, ast.Load) for t in more))
    cells = [t for t in trees if t in kept]
    # What a cell imports from the package is followed below; what it imports beside that does not matter.
    code = [dump([s for s in t.body if not _from_package(s)]) for t in cells] + package_code(cells)
    registry = tomllib.loads((paths.DATA / "registry.toml").read_text(encoding="utf-8"))
    things = [entry["sha256"] for name, entry in sorted(registry.items()) if name in _texts(cells)]
    pins = re.findall(
        r"^(?:keras|tensorflow|tensorflow-cpu)==[\d.]+",
        (paths.ROOT / "requirements.lock").read_text(encoding="utf-8"),
        re.M,
    )
    return hashlib.sha256("\0".join([*code, *things, *sorted(set(pins))]).encode()).hexdigest()[
        :16
    ]


# ---------------------------------------------------------------- cells


def names(tree, context) -> set:
    """The names that a syntax tree reads (`ast.Load`) or gives a value to (`ast.Store`)."""
    found = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)
    }
    if context is ast.Store:
        found |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        found |= {
            a.asname or a.name.split(".")[0]
            for n in ast.walk(tree)
            if isinstance(n, (ast.Import, ast.ImportFrom))
            for a in n.names
        }
    return found


def _acted_on(tree):
    """Names whose object a statement may change: `model.compile(…)`, `transfer.freeze(model)`, `layer.trainable = False`."""
    acted = set()
    for statement in tree.body:
        for node in (
            [] if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) else ast.walk(statement)
        ):
            if isinstance(node, (ast.Expr, ast.Assign)) and isinstance(node.value, ast.Call):
                called = ast.unparse(node.value.func).split(".")
                if (
                    called[-1] in CHANGES
                    or isinstance(node, ast.Expr)
                    and called[0] not in ("measure", "plots", "widgets", "print", "display")
                ):
                    acted |= names(statement, ast.Load)
        for node in ast.walk(statement):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
                node.ctx, ast.Store
            ):
                acted |= names(statement, ast.Load)
    return acted - {
        "measure",
        "plots",
        "widgets",
        "keras",
        "np",
        "data",
        "transfer",
        "backbones",
        "optim",
    }


def dump(node) -> str:
    """A syntax tree as text that is the same in every version of Python, which `ast.dump` is not."""
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields)
        return f"{type(node).__name__}({', '.join(f'{name}={dump(value)}' for name, value in fields if value is not None and value != [])})"
    return f"[{', '.join(map(dump, node))}]" if isinstance(node, list) else repr(node)


# ---------------------------------------------------------------- the package


def _from_package(statement):
    return (
        isinstance(statement, ast.ImportFrom)
        and (statement.module or "").split(".")[0] == "translearn"
    )


def package_code(cells) -> list:
    """The definitions of the package that `cells` reach, one text each, in a fixed order.

    A module that is used in any other way than `module.name` is taken whole.
    """
    said = _texts(cells)
    todo, reached = _uses(ast.Module([s for cell in cells for s in cell.body], [])), set()
    while todo:
        module, name = use = todo.pop()
        reached.add(use)
        for statement in _statements(module, name):
            todo |= _uses(_narrow(statement, said), module) - reached
    return [
        f"{module}.{dump(_narrow(s, said))}"
        for module in sorted({m for m, _ in reached})
        for s in _source(module).body
        if any(s in _statements(m, name) for m, name in reached if m == module)
    ]


def _texts(cells):
    return {
        n.value
        for cell in cells
        for n in ast.walk(cell)
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def _narrow(statement, said):
    """Of a table such as `_READERS = {"emoji": …, "digits": …}` only what the cells name: a new data set makes no old result stale."""
    table = getattr(statement, "value", None)
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or not isinstance(table, ast.Dict):
        return statement
    kept = [
        (k, v)
        for k, v in zip(table.keys, table.values)
        if isinstance(k, ast.Constant) and k.value in said
    ]
    if not kept:
        return statement
    keys, values = map(list, zip(*kept))
    return ast.Assign(
        [ast.Name(name, ast.Store()) for name in sorted(names(statement, ast.Store))],
        ast.Dict(keys, values),
    )


def _uses(tree, home=None):
    """(module, name) for each thing of the package that some code uses; name None for the whole module.

    `home` is the module that the code stands in, whose own names it can use bare.
    """
    scope = [tree, *([_source(home)] if home else [])]
    modules, things = {}, {}
    for node in (
        n for part in scope for n in ast.walk(part) if isinstance(n, (ast.Import, ast.ImportFrom))
    ):
        origin = getattr(node, "module", None) or ""
        ours = getattr(node, "level", 0) > 0 or origin.split(".")[0] == "translearn"
        origin = origin.removeprefix("translearn").strip(".")
        for alias in node.names:
            called = alias.asname or alias.name.split(".")[0]
            if ours and not origin and _is_module(alias.name):
                modules[called] = alias.name
            elif ours and _is_module(origin):
                things[called] = (origin, alias.name)
    found, bare = (
        set(),
        {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)},
    )
    owned = {
        id(n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            found.add((modules[node.value.id], node.attr))
        elif (
            isinstance(node, ast.Name)
            and node.id in modules
            and id(node) not in owned
            and isinstance(node.ctx, ast.Load)
        ):
            found.add((modules[node.id], None))
    found |= {thing for called, thing in things.items() if called in bare}
    if home:
        found |= {(home, name) for name in bare & set(_definitions(home))}
    return {
        (m, name if name is None or name in _definitions(m) else None)
        for m, name in found
        if m not in UNMOVED
    }


def _is_module(name):
    return bool(name) and (paths.ROOT / "translearn" / f"{name}.py").exists()


def _statements(module, name):
    """The top-level statements of a module that make `name`; all but imports for None; what runs on import always."""
    body = [s for s in _source(module).body if not isinstance(s, (ast.Import, ast.ImportFrom))]
    if name is None:
        return body
    defined = _definitions(module)
    return [
        s for s in body if s in defined[name] or not any(s in made for made in defined.values())
    ]


@functools.cache
def _definitions(module):
    """Name → the top-level statements that give it a value."""
    found = {}
    for statement in _source(module).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            made = {statement.name}
        elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            made = names(statement, ast.Store)
        else:
            continue
        for name in made:
            found.setdefault(name, []).append(statement)
    return found


@functools.cache
def _source(module):
    return _bare((paths.ROOT / "translearn" / f"{module}.py").read_text(encoding="utf-8"))


def _bare(text):
    """The syntax tree of a module without its docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree
