"""axe finds nothing on any page, built from text or from code, in either theme.

Wide and light, narrow as a phone and dark: that is every theme and every layout once.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

# What passes is not listed: of the longest pages that would be megabytes, and minutes.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
         "resultTypes": ["violations"]}


@pytest.mark.parametrize("theme, width", [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(book, built, browser, theme, width):
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.add_init_script(f"localStorage.setItem('mode', '{theme}')")
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = context.new_page()
    found = []
    for name in built:
        page.goto((book.site / f"{name}.html").as_uri())
        page.wait_for_function("!window.MathJax || (MathJax.startup && MathJax.startup.promise)")
        page.evaluate("window.MathJax && MathJax.startup.promise")
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        found += [f"{name}: {each['id']}: {node['html'][:150]}"
                  for each in Axe().run(page, options=RULES).response["violations"]
                  for node in each["nodes"]]
    context.close()
    assert found == []
