"""A browser for the tests that need one: of JupyterLab, of reports, of the book.

It ends with its module: Playwright keeps an event loop running in the main thread, which nbval's
kernels, tested later in the same process, could not share.
"""

import os

import pytest


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    from translearn.lab.doctor import find_chromium

    program = find_chromium()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(
                "Chromium is missing, and on CI the browser tests must run. Install it: apt "
                "install chromium"
            )
        pytest.skip("no Chromium on this machine (Debian and Ubuntu: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
                "--disable-sync",
                "--no-first-run",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()
