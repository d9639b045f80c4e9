"""The notebooks: typed parameters, no outputs, code cells that only call the package, no numbers
typed by hand.
"""

import ast
import json
import re

import papermill
import pytest

from dynlab._util.shipped_files import named

NOTEBOOKS = named("notebooks", (".ipynb",))
COMMON = {
    "recording",
    "model",
    "task",
    "max_usd",
    "num_samples",
    "budgets",
    "replications",
    "seed",
    "out",
    "quick",
}

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS.values(), ids=list(NOTEBOOKS))


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def test_a_notebook_is_stored_without_outputs_in_the_current_format(path):
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert all(
        cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(path, "code")
    )
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-z-]+", name) for name in ids)


def test_the_first_code_cell_holds_typed_parameters_with_help(path):
    first = cells(path, "code")[0]
    assert first["metadata"]["tags"] == ["parameters"]
    found = papermill.inspect_notebook(str(path))
    assert set(found) >= (COMMON if "recording" in found else {"replications", "out", "quick"})
    assert len(found) == len(first["source"])  # papermill understood each line
    for parameter in found.values():
        assert parameter["inferred_type_name"] in ("list", "str", "int", "float", "bool")
        assert parameter["help"]
        assert (
            type(ast.literal_eval(parameter["default"])).__name__ == parameter["inferred_type_name"]
        )


def test_code_cells_are_short_and_define_nothing(path):
    for cell in cells(path, "code")[1:]:
        assert len(cell["source"]) <= 10
        nodes = list(ast.walk(ast.parse("".join(cell["source"]))))
        assert not [
            node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)
        ]


def test_every_figure_is_saved_and_then_read_in_words(path):
    sources = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    saving = [number for number, source in enumerate(sources) if "plots.save(" in source]
    assert saving
    for number in saving:
        after = "\n".join(sources[number : number + 3])
        assert "### Reading the figure" in after
        assert re.search(r"reports\..*of_|\.report\(|reading\.of_", after)
        assert re.search(rf'"{path.name[:2]}-[a-z-]+', sources[number])


def test_no_number_is_typed_under_a_figure(path):
    for cell in cells(path, "markdown"):
        source = "".join(cell["source"])
        if "Reading the figure" in source:
            assert not re.search(r"\d", source)
