"""The book's search, in Chinese: a small book opened from disk. English is Sphinx's own."""

import pytest

from translearn.authoring.book import site

PAGES = {
    "index": "# Home\n\n从零训练的小网络，主干网络保持冻结。\n\n```{toctree}\nother\n```\n",
    "other": "# Other\n\n学习率是每一步的步长。Adam 也有学习率。\n",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    (folder / "source" / "extra").mkdir(parents=True)
    for name, text in PAGES.items():
        (folder / "source" / f"{name}.md").write_text(text, encoding="utf-8")
    site.run(folder / "source", folder / "book", "zh_CN")
    return folder / "book"


def test_chinese_is_found_whatever_its_length_and_wherever_it_stands(chromium, book):
    pages = {
        "冻结": {"index"},
        "从零训练": {"index"},
        "的步长": {"other"},
        "Adam": {"other"},
        "学习率 Adam": {"other"},
        "过拟合": set(),
    }
    page, found = chromium.new_page(), {}
    for asked in pages:
        page.goto(f"{(book / 'search.html').as_uri()}?q={asked}")
        page.wait_for_function("document.querySelector('.search-summary').textContent")
        links = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
        found[asked] = {link.rpartition("/")[2].partition(".")[0] for link in links}
    page.close()
    assert found == pages
