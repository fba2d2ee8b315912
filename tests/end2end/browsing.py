"""browsing - has Debian's Chromium, driven by playwright-core, look at a console.

Pictures go to build/screenshots.  Tests are skipped where there is no browser, node or what drives
it: tests/end2end/deps.sh --test fetches them.
"""
import json
import shutil
import subprocess
import threading
import unittest

import rig

DRIVER = rig.RIG / "browser"
BROWSER = shutil.which("chromium")
SHOTS = rig.TOP / "build/screenshots"
LASTS = 120  # seconds that a browser may take; it takes some on a busy machine


def needs_browser(tests):
    """Skips a class of tests where there is none."""
    for there, why in (
            (BROWSER, "there is no chromium (Debian's package)"),
            (shutil.which("node"), "there is no node (Debian's package npm)"),
            ((DRIVER / "version").exists(),
             "playwright-core and axe-core are not in build/rig: npm could not fetch them")):
        if not there:
            return unittest.skip(why)(tests)
    return tests


def look(test, script, asked, how):
    """Runs a script (console_driver.js) that is told how; asked: what is to be done when it asks
    for it, by name."""
    how = {"driver": str(DRIVER), "browser": BROWSER, "screenshots": str(SHOTS), **how}
    browser = subprocess.Popen(["node", script, json.dumps(how)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = threading.Timer(LASTS, browser.kill)
    end.start()
    try:
        lines = []
        for line in browser.stdout:
            lines.append(line.strip())
            if line.startswith("want: "):
                asked[line.split()[1]]()
                browser.stdin.write("done\n")
                browser.stdin.flush()
        test.assertEqual(browser.wait(), 0, "\n".join(lines[-12:]))
    finally:
        end.cancel()
        browser.kill()
        browser.wait()
        browser.stdin.close()
        browser.stdout.close()
