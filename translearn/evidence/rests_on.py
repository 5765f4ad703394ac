"""What a measured result rests on: a small dict that stands in the ledger and that a person can
read.

    cells      16 hexadecimal digits: the experiment's own cell and the cells that it needs, by
               syntax tree,
               without comments, layout, docstrings and what only shows something
    numerics   {"transfer": 1, …}: the number `NUMERICS` of each helper module that the cells
               reach. It is raised by
               hand when a module's numbers change; golden tests see to it
    data       {"emoji_styles": 16 hexadecimal digits of its SHA-256, …}
    packages   {"keras": "3.15.1", …}: the pinned version of each package that makes numbers

It reads code and never runs it. Should it overlook a cell, the replay says so: it runs nothing but
these cells.
"""

import ast
import builtins
import copy
import functools
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
    "compile fit train_on_batch adapt build freeze unfreeze set_weights load_weights assign "
    "assign_add assign_sub append extend insert update setdefault pop popitem clear remove sort "
    "reverse add discard fill shuffle put".split()
)
# What only shows something: no number rests on it. (`exercise` is the name of a lesson's
# exercises.)
MAKES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SHOWS = ("plots", "widgets", "exercise", "overview", "print", "display", "measure.claim")


def of(trees) -> dict:
    """What the experiment in the last of `trees`, the syntax trees of the cells up to it, rests
    on.
    """
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
    """What has changed between two of these dicts, one phrase each."""
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
    """The last of `trees` and the earlier ones that it takes a name from, or that change something
    it
    uses; in order.
    """
    changes = _Changes(trees)
    gives = [writes(tree) | changes.of(tree) for tree in trees]
    wanted, kept = reads(trees[-1]), {len(trees) - 1}
    # Again until nothing is added: a function may use a name that a later cell defines.
    while more := [i for i in range(len(trees)) if i not in kept and gives[i] & wanted]:
        kept |= set(more)
        wanted |= set().union(*(reads(trees[i]) for i in more))
    return [tree for i, tree in enumerate(trees) if i in kept]


@functools.lru_cache(maxsize=10_000)
def reads(tree) -> frozenset:
    """The global names that a cell reads, within its functions too."""
    return frozenset(
        symbol.get_name()
        for scope in _scopes(_symbols(tree))
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (scope.get_type() == "module" or symbol.is_global())
    )


@functools.lru_cache(maxsize=10_000)
def writes(tree) -> frozenset:
    """The global names that a cell gives a value to, or takes away (`del`): by any statement, and
    by `global` in a function.
    """
    return frozenset(
        symbol.get_name()
        for scope in _scopes(_symbols(tree))
        for symbol in scope.get_symbols()
        if (symbol.is_assigned() or symbol.is_imported())
        and (scope.get_type() == "module" or symbol.is_declared_global())
    )


def _symbols(tree):
    body = tree.body if isinstance(tree, ast.Module) else [tree]
    code = ast.parse(ast.unparse(ast.Module(body, [])))  # a copy
    return symtable.symtable(ast.unparse(_Generators().visit(code)), "cell", "exec")


class _Generators(ast.NodeTransformer):
    """Comprehensions as generators: from Python 3.12 on, only these keep their variables to
    themselves in a symbol table.
    """

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


class _Changes:
    """Which names' objects the cells change: `model.compile(…)`, `layer.trainable = False` in a
    loop over the
    model's layers, `scores.append(…)`, `transfer.freeze(model)`, or a call of a lesson's function
    that does so.

    In doubt something counts as changed. An experiment changes nothing: in a replay, others are
    only read.
    """

    def __init__(self, trees):
        self.imported = frozenset().union(*(_imported(tree) for tree in trees))
        statements = [statement for tree in trees for statement in tree.body]
        self.made = {s.name: s for s in statements if isinstance(s, MAKES)}
        self.fixed = self.imported | self.made.keys() | set(dir(builtins))
        self.aliases = _aliases([s for s in statements if not isinstance(s, MAKES)])
        self.inside = {name: _aliases([made]) for name, made in self.made.items()}
        # Function → the global names it changes, and whether it changes what it is given.
        # Functions call one
        # another, so again until nothing is added.
        self.effects = dict.fromkeys(self.made, (frozenset(), False))
        while (found := {name: self._effect(name) for name in self.made}) != self.effects:
            self.effects = found

    def of(self, tree) -> set:
        """The global names whose objects a cell changes."""
        roots = set()
        for statement in tree.body:
            if not (
                isinstance(statement, MAKES) or _only_shows(statement) or _measures(statement)
            ):
                roots |= self._roots(statement, statement_calls=True)
        return _closure(roots, self.aliases) - self.fixed

    def _effect(self, name):
        made = self.made[name]
        changed = _closure(self._roots(made), self.inside[name])
        given = {argument.arg for argument in ast.walk(made) if isinstance(argument, ast.arg)}
        local = given | {n.id for n in ast.walk(made) if _stored(n)}
        outside = changed - local | writes(made)  # what it declares `global` is among these
        return frozenset(outside - self.fixed), bool(changed & given)

    def _roots(self, statement, statement_calls=False):
        """The names through which a statement changes something."""
        roots = set()
        for node in ast.walk(statement):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
                node.ctx, ast.Load
            ):
                roots |= _names(node.value)
            elif isinstance(node, ast.AugAssign):  # in place, when it is an array
                roots |= _names(node.target)
            elif isinstance(node, ast.Call):
                roots |= self._changed_by_call(node)
            elif (
                statement_calls and isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
            ):
                # A call whose result nobody takes is there for what it does.
                if not _only_shows(node):
                    roots |= self._receivers(node.value)
        return roots

    def _changed_by_call(self, call):
        arguments = set().union(*map(_names, [*call.args, *(k.value for k in call.keywords)]))
        if isinstance(call.func, ast.Name):
            names, given = self.effects.get(call.func.id, (frozenset(), call.func.id in CHANGES))
            return names | (arguments if given else set())
        if isinstance(call.func, ast.Attribute) and call.func.attr in CHANGES:
            return self._receivers(call)
        return set()

    def _receivers(self, call):
        """What a call may change: its object, or what it is given when it is a module's or an
        unknown function.
        """
        if isinstance(call.func, ast.Name) and call.func.id in self.made:
            return set()  # known by its effects
        receivers = _names(call.func.value) if isinstance(call.func, ast.Attribute) else set()
        if receivers - self.imported:
            return receivers
        return set().union(*map(_names, [*call.args, *(k.value for k in call.keywords)]))


def _stored(node):
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def _measures(statement):
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith((".compare", ".tune"))


def _names(tree):
    """The names that an expression is made of, without those of the functions that it calls."""
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called}


def _aliases(statements):
    """Name → the names of what it was made from and may be a part of: `layer` → `model` in a loop
    over its layers.
    """
    found = {}
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            targets, origin = getattr(node, "targets", None) or [node.target], node.value
        elif isinstance(node, (ast.For, ast.comprehension)):
            targets, origin = [node.target], node.iter
        elif isinstance(node, ast.withitem) and node.optional_vars:
            targets, origin = [node.optional_vars], node.context_expr
        else:
            continue
        origins = _names(origin) if origin else set()
        if "plt" not in origins:  # axes are no part of what is drawn on them
            for target in targets:
                for name in _names(target):
                    found.setdefault(name, set()).update(origins)
    return found


def _closure(names, aliases):
    found, todo = set(), set(names)
    while todo:
        found |= todo
        todo = set().union(*(aliases.get(name, ()) for name in todo)) - found
    return found


def _only_shows(statement):
    if not isinstance(statement, ast.Expr):
        return False
    if not isinstance(statement.value, ast.Call):  # a name or a text at a cell's end
        return not any(isinstance(n, (ast.Call, ast.NamedExpr)) for n in ast.walk(statement))
    called = ast.unparse(statement.value.func)
    return any(called == show or called.startswith(f"{show}.") for show in SHOWS)


@functools.lru_cache(maxsize=10_000)
def _imports_in(tree) -> tuple:
    return tuple(n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)))


def _imported(tree):
    return {
        alias.asname or alias.name.split(".")[0]
        for node in _imports_in(tree)
        for alias in node.names
    }


def computing(tree):
    """A cell without the statements that only show something."""
    return ast.Module([statement for statement in tree.body if not _only_shows(statement)], [])


@functools.lru_cache(maxsize=10_000)
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
    """A syntax tree as text, the same in every version of Python, which `ast.dump` is not."""
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
    """The modules of the package that the cells reach, by what they import and use, and by what
    that imports in turn.

    Dotted names without `translearn`, such as `data.registry`. Raises `CourseError` for an import
    that leads nowhere.
    """
    used = frozenset().union(*(reads(cell) for cell in cells))
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
    """The modules of the package that a syntax tree imports, anywhere in it; of a cell's, those
    whose names are in `only`.
    """
    found = set()
    for node in _imports_in(tree):
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
                if not _file(inner) and alias.name != "*" and alias.name not in _defined(origin):
                    module = ".".join(filter(None, ["translearn", origin]))
                    said = f"from {module} import {alias.name}"
                    raise CourseError(
                        f"In {where}, `{said}` leads "
                        "nowhere: there is no such module and no such name. Correct the import."
                    )
    return found


def _origin(node, home):
    """What a `from … import` imports from, without `translearn`; None when that is another
    package's.
    """
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
    return _tree(_file(module).read_text(encoding="utf-8"))


@functools.lru_cache
def _tree(text):
    return ast.parse(text)


class _Anything:
    def __contains__(self, name):
        return True


def _defined(module):
    """The names that a module has; any name when it makes them on demand (`__getattr__`) or
    imports everything.
    """
    tree = (
        source(module)
        if module
        else _tree((paths.ROOT / "translearn" / "__init__.py").read_text("utf-8"))
    )
    found = writes(tree)
    return _Anything() if "__getattr__" in found or "*" in _imported(tree) else found


def numerics(modules) -> dict:
    """The `NUMERICS` of each module, or of the package that it stands in; modules without one make
    no numbers.
    """
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
    """The data and weights that the cells name, by hash; with weights their vocabulary; and the
    labels
    and vocabularies that a module they reach names.
    """
    registry = _registry()
    named = _texts(cells) & registry.keys()
    named |= {registry[name].get("vocabulary") for name in named} & registry.keys()
    helpers = _texts([source(module) for module in modules]) & registry.keys()
    named |= {name for name in helpers if registry[name]["kind"] in ("labels", "vocabulary")}
    hashes = {name: registry[name].get("sha256") for name in sorted(named)}
    return {name: sha[:16] for name, sha in hashes.items() if sha}  # a network may have no file


def _registry():
    return tomllib.loads((paths.DATA / "registry.toml").read_text(encoding="utf-8"))


def _texts(trees):
    return set().union(*map(_texts_in, trees))


@functools.lru_cache(maxsize=10_000)
def _texts_in(tree) -> frozenset:
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def packages() -> dict:
    """The version of each package that makes numbers, as requirements.lock pins it (several, where
    platforms differ).
    """
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
