"""Code cells of notebooks, run here."""

import ast
import json


def cells_of(path):
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]


def run(path, **parameters):
    """Executes a notebook's code cells here, and returns what they show."""
    shown, space = [], {}
    space["display"] = lambda *values: shown.extend(values)
    for number, cell in enumerate(cells_of(path)):
        tree = ast.parse("".join(cell["source"]))
        if isinstance(tree.body[-1], ast.Expr):  # as Jupyter does: the last value is shown
            call = ast.Call(ast.Name("display", ast.Load()), [tree.body[-1].value], [])
            tree.body[-1] = ast.Expr(call)
        exec(compile(ast.fix_missing_locations(tree), path.name, "exec"), space)
        space.update({k: v for k, v in parameters.items() if k in space} if number == 0 else {})
    return shown
