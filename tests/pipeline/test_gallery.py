"""Pages: what is escaped, what is bold, formulas without a network, and templates that ship."""

import json
import re

import pytest
from helpers.tiny_notebooks import code, notebook

from dynlab.pipeline import gallery
from dynlab.pipeline.cache import CacheEntry
from dynlab.plots.manifest import add_figure

EVIL = "<script>alert(1)</script>"


def with_text(text, *cells):
    made = json.loads(notebook("10-one"))
    made["cells"].insert(
        1, {"cell_type": "markdown", "id": "text", "metadata": {}, "source": [text]}
    )
    made["cells"] += cells
    return json.dumps(made)


def shown(name, **data):
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    return code(name, "1") | {"outputs": [output]}


@pytest.fixture
def index(tmp_path):
    (tmp_path / "notebooks").mkdir()
    words = shown("words", **{"text/markdown": f"- **Bold.** {EVIL}\nno bullet"})
    (tmp_path / "notebooks" / "10-one.ipynb").write_text(with_text("Words", words))
    (tmp_path / "10-one.svg").write_text("<svg/>")
    rows = "".join(f"{row / 100},{EVIL}{row},same\n" for row in range(63))
    (tmp_path / "10-one.csv").write_text(f"accuracy,recording,unit\n{rows}")
    add_figure(tmp_path, "10-one", ["svg", "csv"])
    copies = {f"notebooks/10-one.{kind}": "" for kind in ("ipynb", "html")}
    entry = CacheEntry("", f"One {EVIL}", 80, {"seed": 3, "quick": False}, ("10-one",), copies)
    samples = {"coins--tiny": tmp_path / "samples" / "coins--tiny.html"}
    return gallery.index_page(
        {"10-one": entry}, ["**44 %** saved"], {"10-one": EVIL}, tmp_path, samples
    )


def test_the_index_escapes_all_that_it_is_given(index):
    assert EVIL not in index
    assert index.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3 + 60  # rows that are shown


def test_the_index_shows_figures_numbers_words_and_settings(index):
    for piece in (
        '<img src="10-one.svg" alt="10-one">',
        '<a href="10-one.csv">CSV</a>',
        "and 3 more rows in the CSV",
        "<li><b>44 %</b> saved</li>",
        "<li><b>Bold.</b>",
        "1 min 20 s · seed = 3 · executed:",
        '<a href="notebooks/10-one.html">One',
        '<a href="samples/coins--tiny.html">coins · tiny</a>',
    ):
        assert piece in index
    for piece in ("no bullet", "10-one.png", "same"):  # what is the same in all rows is left out
        assert piece not in index


def test_numbers_are_not_pushed_aside_by_settings_that_a_policy_s_name_implies(tmp_path):
    rows = ["uniform,0,4,0.5", "ucb,2,4,0.6", "uniform,0,8,0.6", "ucb,2,8,0.7"]
    (tmp_path / "10-one.csv").write_text("\n".join(["allocator,warmup,budget,accuracy", *rows]))
    entry = CacheEntry("", "One", 80, {}, ("10-one",), {})

    def columns():
        add_figure(tmp_path, "10-one", ["csv"])
        page = gallery.index_page({"10-one": entry}, [], {}, tmp_path)
        return re.findall("<th>(.*?)</th>", page)

    assert columns() == ["allocator", "budget", "accuracy"]
    rows[3] = "ucb,3,8,0.7"  # a second setting of one policy
    (tmp_path / "10-one.csv").write_text("\n".join(["allocator,warmup,budget,accuracy", *rows]))
    assert columns() == ["allocator", "warmup", "budget", "accuracy"]


@pytest.mark.slow
def test_formulas_are_drawn_without_a_network():
    page = gallery.notebook_page(with_text(r"So $u \ge \sqrt{x}$, and $$\frac{a}{b}$$"), "One")
    assert "<msqrt>" in page and "<mfrac>" in page and 'display="block"' in page
    assert "$" not in page and not re.search(r"(src|href)=.http", page)


@pytest.mark.slow
def test_a_formula_that_cannot_be_read_stays_as_it_is():
    page = gallery.notebook_page(with_text(r"So $\left( x < y$."), "One")
    assert r"<code>\left( x &lt; y</code>" in page


def test_a_figure_s_title_is_the_heading_that_it_stands_under():
    figure = shown("more", **{"text/plain": "10-one.svg"})
    found = gallery.sections(with_text("# One\n\ntext\n\n## The heading\n\n### smaller", figure))
    assert found == {"10-one": "The heading"}
