"""Which cell takes a name from which: what a lesson may lean on, and what it may not.

Two promises rest on it. Nothing below an unsolved exercise depends on its answer, and nothing in a
lesson's core depends on a section *Further*. Both are read off the syntax, so no cell has to run.
"""

import ast
import symtable


def gives_and_takes(statement) -> tuple:
    """(names that a statement of a cell binds, names of the notebook that it reads), two sets.

    What functions and lambdas in it read counts too, their own parameters and variables do not.
    """
    gives, takes, tables = set(), set(), [symtable.symtable(ast.unparse(statement), "", "exec")]
    for table in tables:
        tables += table.get_children()  # grows while it is read
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                takes.add(symbol.get_name())
            if (top or symbol.is_declared_global()) and (
                symbol.is_assigned() or symbol.is_imported()
            ):
                gives.add(symbol.get_name())
    if isinstance(statement, ast.AugAssign):  # which symtable counts as giving only
        takes |= gives
    elif not isinstance(statement, ast.Assign):
        takes -= gives  # a loop's variable, a function that calls itself
    return gives, takes


def leaks(steps) -> list:
    """(cell, statement, name) for each statement that leans on what it must not.

    `steps` is one (cell, statement, kind) each, in the lesson's order. A statement of kind
    "source" binds names that are then barred; one of kind "own" may read barred names, and what it
    binds from them is barred too; any other may not, and unbars what it binds itself. A function
    that was defined before, and reads a name that a source binds anew, leans on it as well.
    """
    found, barred, read_by_functions = [], set(), {}
    for cell, statement, kind in steps:
        gives, takes = gives_and_takes(statement)
        if kind == "source":
            found += [(*read_by_functions[n], n) for n in sorted(gives & set(read_by_functions))]
            barred |= gives
        elif kind == "own":
            barred = barred | gives if takes & barred else barred - gives
        else:
            found += [(cell, statement, name) for name in sorted(takes & barred)]
            barred -= gives
            if isinstance(statement, ast.FunctionDef):
                read_by_functions |= {n: (cell, statement) for n in takes - gives}
    return found
