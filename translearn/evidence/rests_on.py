"""What a measured result rests on: a small dict that stands in the ledger and that a person can read.

    cells      16 hexadecimal digits: the experiment's own cell and the cells that it needs, by syntax tree,
               without comments, layout, docstrings and what only shows something
    numerics   {"transfer": 1, …}: the number `NUMERICS` of each helper module that the cells reach. It is raised by
               hand when a module's numbers change; golden tests see to it
    data       {"emoji_styles": 16 hexadecimal digits of its SHA-256, …}
    packages   {"keras": "3.15.1", …}: the pinned version of each package that makes numbers

It reads code and never runs it. Should it overlook a cell, the replay says so: it runs nothing but these cells.
"""

import ast
import copy
import hashlib
import re
import symtable
import tomllib

from translearn import paths
from translearn.errors import CourseError

PACKAGES = (
    "keras",
    "tensorflow",
    "keras-hub",
    "scikit-learn",
    "numpy",
    "scipy",
    "pillow",
    "tokenizers",
)
# Methods that change the object they are called on, or one that they are given.
CHANGES = set(
    "compile fit train_on_batch adapt build freeze unfreeze set_weights load_weights assign assign_add assign_sub "
    "append extend insert update setdefault pop popitem clear remove sort reverse add discard fill shuffle put".split()
)
# What only shows something: no number rests on it. (`exercise` is the name of a lesson's exercises.)
SHOWS = ("plots", "widgets", "exercise", "overview", "print", "display", "measure.claim")


def of(trees) -> dict:
    """What the experiment in the last of `trees`, the syntax trees of the cells up to it, rests on."""
    cells = [bare(tree) for tree in needed(trees)]
    modules = reached(cells)
    code = [dump([s for s in cell.body if not _from_package(s)]) for cell in cells]
    return {
        "cells": hashlib.sha256("\0".join(code).encode()).hexdigest()[:16],
        "numerics": numerics(modules),
        "data": data(cells, modules),
        "packages": packages(),
    }


def why_stale(old, new) -> list:
    """What has changed between two of these dicts, one phrase each; nothing when they are equal."""
    if not old:
        return ["it has never been stamped"]
    found = ["its own cells or those it needs"] if old["cells"] != new["cells"] else []
    for part, say in (
        ("numerics", "{name}'s numbers (NUMERICS {old} → {new})"),
        ("data", "the file of {name} ({old} → {new})"),
        ("packages", "{name} {old} → {new}"),
    ):
        for name in sorted(old[part].keys() | new[part].keys()):
            before, after = old[part].get(name, "none"), new[part].get(name, "none")
            if before != after:
                found.append(say.format(name=name, old=before, new=after))
    return found


# ---------------------------------------------------------------- which cells an experiment needs


def needed(trees) -> list:
    """The last of `trees` and the earlier ones that it takes a name from, or that change something it uses; in order."""
    imported = set().union(*(_imported(tree) for tree in trees))
    functions = _functions(trees)
    gives = [writes(tree) | (_acted_on(tree, functions) - imported) for tree in trees]
    wanted, kept = reads(trees[-1]), {len(trees) - 1}
    # Again until nothing is added: a function may use a name that a later cell defines.
    while more := [i for i in range(len(trees)) if i not in kept and gives[i] & wanted]:
        kept |= set(more)
        wanted |= set().union(*(reads(trees[i]) for i in more))
    return [tree for i, tree in enumerate(trees) if i in kept]


def reads(tree) -> set:
    """The global names that a cell reads, within its functions too."""
    return {
        symbol.get_name()
        for scope in _scopes(_symbols(tree))
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (scope.get_type() == "module" or symbol.is_global())
    }


def writes(tree) -> set:
    """The global names that a cell gives a value to, or takes away (`del`): by any statement, `global` in a function too."""
    return {
        symbol.get_name()
        for scope in _scopes(_symbols(tree))
        for symbol in scope.get_symbols()
        if (symbol.is_assigned() or symbol.is_imported())
        and (scope.get_type() == "module" or symbol.is_declared_global())
    }


def _symbols(tree):
    tree = ast.fix_missing_locations(_Generators().visit(copy.deepcopy(tree)))
    return symtable.symtable(ast.unparse(tree), "cell", "exec")


class _Generators(ast.NodeTransformer):
    """Comprehensions as generators: from Python 3.12 on, only these keep their variables to themselves in a symbol table."""

    def visit_ListComp(self, node):
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node):
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


def _scopes(table):
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _functions(trees) -> dict:
    """Each function or class of the cells that changes something → the global names it may change by that."""
    found = {}
    for tree in trees:
        for statement in tree.body:
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                found[statement.name] = (reads(_alone(statement)), _changes(statement))
    changing = {name for name, (_, changes) in found.items() if changes}
    while more := {n for n, (used, _) in found.items() if n not in changing and used & changing}:
        changing |= more
    return {name: found[name][0] for name in changing}


def _alone(statement):
    return ast.Module([statement], [])


def _changes(statement):
    """Whether a statement stores into an attribute or an item, or calls a method that changes its object."""
    return any(
        isinstance(node, (ast.Attribute, ast.Subscript))
        and isinstance(node.ctx, (ast.Store, ast.Del))
        or isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CHANGES
        for node in ast.walk(statement)
    )


def _acted_on(tree, functions):
    """Names whose objects a cell may change: `model.compile(…)`, `transfer.freeze(model)`, `layer.trainable = False`."""
    acted = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue  # it changes something when it is called
        used = reads(_alone(statement))
        called = used & functions.keys()
        acts = any(
            isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) for n in ast.walk(statement)
        )
        if not _only_shows(statement) and (called or acts or _changes(statement)):
            acted |= used.union(*(functions[name] for name in called))
    return acted


def _only_shows(statement):
    if not isinstance(statement, ast.Expr):
        return False
    if not isinstance(statement.value, ast.Call):  # a name or a text at a cell's end
        return not any(isinstance(n, (ast.Call, ast.NamedExpr)) for n in ast.walk(statement))
    called = ast.unparse(statement.value.func)
    return any(called == show or called.startswith(f"{show}.") for show in SHOWS)


def _imported(tree):
    return {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def computing(tree):
    """A cell without the statements that only show something."""
    return ast.Module([statement for statement in tree.body if not _only_shows(statement)], [])


def bare(tree):
    """A cell without its docstrings and without the statements that only show something."""
    cell = copy.deepcopy(computing(tree))
    for node in ast.walk(cell):
        if (
            isinstance(node, (ast.FunctionDef, ast.ClassDef))
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return cell


def dump(node) -> str:
    """A syntax tree as text that is the same in every version of Python, which `ast.dump` is not."""
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields)
        told = ", ".join(f"{k}={dump(v)}" for k, v in fields if v is not None and v != [])
        return f"{type(node).__name__}({told})"
    return f"[{', '.join(map(dump, node))}]" if isinstance(node, list) else repr(node)


def _from_package(statement):
    return (
        isinstance(statement, ast.ImportFrom)
        and (statement.module or "").split(".")[0] == "translearn"
    )


# ---------------------------------------------------------------- which modules they reach


def reached(cells) -> set:
    """The modules of the package that the cells reach, by what they import and use, and by what that imports in turn.

    Dotted names without `translearn`, such as `data.registry`. Raises `CourseError` for an import that leads nowhere.
    """
    used = set().union(*(reads(cell) for cell in cells))
    todo = set().union(*(_imports(cell, "a cell", only=used) for cell in cells))
    found = set()
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            todo |= _imports(source(module), f"translearn.{module}", home=module)
            if "." in module:  # importing a.b runs a as well
                todo.add(module.rpartition(".")[0])
    return found


def _imports(tree, where, only=None, home=""):
    """The modules of the package that a syntax tree imports, anywhere in it; of a cell's, those whose names are in `only`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first, _, module = alias.name.partition(".")
                if first == "translearn" and (
                    only is None or alias.asname in only or not alias.asname
                ):
                    found.add(_known(module, where, alias.name))
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, home)
            if origin is None:
                continue
            for alias in node.names:
                if only is not None and (alias.asname or alias.name) not in only:
                    continue
                inner = f"{origin}.{alias.name}".strip(".")
                if _file(inner):
                    found.add(inner)
                elif origin:
                    found.add(_known(origin, where, f"translearn.{origin}"))
                if not _file(inner) and alias.name not in _defined(origin):
                    raise CourseError(
                        f"In {where}, `from translearn{'.' + origin if origin else ''} import {alias.name}` leads "
                        "nowhere: there is no such module and no such name. Correct the import."
                    )
    return found


def _origin(node, home):
    """What a `from … import` imports from, without `translearn`; None when that is another package's."""
    if node.level:
        package = home if _file(home).name == "__init__.py" else home.rpartition(".")[0]
        parts = package.split(".") if package else []
        return ".".join(parts[: len(parts) - node.level + 1] + [node.module or ""]).strip(".")
    first, _, rest = (node.module or "").partition(".")
    return rest if first == "translearn" else None


def _known(module, where, said):
    if not module or not _file(module):
        raise CourseError(
            f"In {where}, `import {said}` names no module of the package. "
            "Import what is used by its name: from translearn import data."
        )
    return module


def _file(module):
    """The file of a module, which may be a package; None when there is none."""
    place = paths.ROOT.joinpath("translearn", *module.split("."))
    return next(
        (f for f in (place.with_suffix(".py"), place / "__init__.py") if module and f.is_file()),
        None,
    )


def source(module):
    """The syntax tree of a module of the package."""
    return ast.parse(_file(module).read_text(encoding="utf-8"))


class _Anything:
    def __contains__(self, name):
        return True


def _defined(module):
    """The names that a module has; any name when it makes them on demand (`__getattr__`) or imports everything."""
    tree = (
        source(module)
        if module
        else ast.parse((paths.ROOT / "translearn" / "__init__.py").read_text("utf-8"))
    )
    found = writes(tree)
    return _Anything() if "__getattr__" in found or "*" in _imported(tree) else found


def numerics(modules) -> dict:
    """The `NUMERICS` of each module, or of the package that it stands in; modules without one make no numbers."""
    found = {}
    for module in sorted(modules):
        while module:
            if (number := _number(module)) is not None:
                found[module] = number
                break
            module = module.rpartition(".")[0]
    return dict(sorted(found.items()))


def _number(module):
    for statement in source(module).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "NUMERICS":
            value = statement.value
            if not (isinstance(value, ast.Constant) and type(value.value) is int):
                raise CourseError(
                    f"NUMERICS in translearn.{module} is a plain whole number, such as 1."
                )
            return value.value
    return None


# ---------------------------------------------------------------- data and packages


def data(cells, modules) -> dict:
    """The data and weights that the cells name, by hash; and the word lists and labels that a module they reach names."""
    named = _texts(cells)
    helpers = _texts([source(module) for module in modules])
    return {
        name: entry["sha256"][:16]
        for name, entry in sorted(_registry().items())
        if name in named or name in helpers and entry["kind"] not in ("data", "weights")
    }


def _registry():
    return tomllib.loads((paths.DATA / "registry.toml").read_text(encoding="utf-8"))


def _texts(trees):
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def packages() -> dict:
    """The version of each package that makes numbers, as requirements.lock pins it (several, where platforms differ)."""
    found = {}
    for line in (paths.ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if pin := re.match(r"([a-z-]+)==([^\s;\\]+)", line):
            name = pin[1].removesuffix("-cpu")  # the two builds of TensorFlow have one version
            if name in PACKAGES:
                found.setdefault(name, set()).add(pin[2])
    if missing := [name for name in PACKAGES if name not in found]:
        raise CourseError(
            f"requirements.lock pins no {', '.join(missing)}. Pin it: python3 course.py lock."
        )
    return {name: " / ".join(sorted(found[name])) for name in PACKAGES}
