"""The viewer: one page that shows the samples behind the numbers, question by question.

`page_data` is what the page shows, as plain values; `samples_page` is the page; its template, its
script and its style sheet are files in `static`. May import everything down to `analysis`.
"""

from dynlab.viewer.page_data import page_data
from dynlab.viewer.samples_page import SamplesPage, browse

__all__ = ["SamplesPage", "browse", "page_data"]
