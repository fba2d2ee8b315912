"""run.py and claims.py themselves: a failure, a crash or a silence must never look like success."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import harness

GOOD = "echo 'test: C1_holds'; echo 'success: C1_holds'\n"

# what a program of unit tests may do: (script, the last line of the run)
PROGRAMS = {
    "passes": (GOOD, "1 passed, 0 failed"),
    "is noisy": ("echo 'test: a'; echo noise; printf more; echo 'success: a'\n",
                 "1 passed, 0 failed"),
    "skips": (GOOD + "echo 'test: b'; echo 'skip: b'\n", "1 passed, 0 failed, 1 skipped"),
    "fails": (GOOD + "echo 'test: b'; echo 'failure: b ['; echo '1 != 2'; echo ']'; exit 1\n",
              "1 passed, 1 failed"),
    "cannot set up": ("echo 'test: b'; echo 'error: b [ no set-up ]'; exit 1\n",
                      "0 passed, 1 failed"),
    "crashes in a test": (GOOD + "echo 'test: b'; kill -SEGV $$\n", "1 passed, 1 failed"),
    "crashes in telling": (GOOD + "echo 'test: b'; echo 'failure: b ['; kill -SEGV $$\n",
                           "1 passed, 1 failed"),
    "crashes at the end": (GOOD + "kill -ABRT $$\n", "1 passed, 1 failed"),
    "leaks": (GOOD + "echo leak; exit 23\n", "1 passed, 1 failed"),
    "says nothing": ("exit 0\n", "0 passed, 1 failed"),
    "stops short": ("echo 'test: a'\nexit 0\n", "0 passed, 1 failed"),
}


class Runner(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        for name in ("tests/unit", "tests/fuzz/corpus/x", "tests/x", "build/test", "build/replay"):
            (self.top / name).mkdir(parents=True)
        for name in ("run.py", "claims.py", "claims.tsv", "harness.py"):
            shutil.copy(TESTS / name, self.top / "tests")

    def program(self, path, script):
        path = self.top / path
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def unit(self, script):
        (self.top / "tests/unit/test_x.c").touch()
        self.program("build/test/test_x", script)

    def replayer(self, script):
        (self.top / "tests/fuzz/fuzz_x.c").touch()
        self.program("build/replay/fuzz_x", script)

    def tool(self, name, *words):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
        return subprocess.run([sys.executable, self.top / "tests" / name, *words], text=True,
                              capture_output=True, timeout=60, env=environment)

    def last_line(self, *words):
        done = self.tool("run.py", *words)
        last = done.stdout.rstrip("\n").split("\n")[-1]
        well = " 0 failed" in last and not last.startswith("0 passed")
        self.assertEqual(done.returncode, 0 if well else 1, done.stdout + done.stderr)
        return last

    def test_each_end_of_a_program_is_told(self):
        for what, (script, last) in PROGRAMS.items():
            with self.subTest(what):
                self.unit(script)
                self.assertEqual(self.last_line(), last)

    def test_program_that_was_not_built_has_failed(self):
        (self.top / "tests/unit/test_y.c").touch()
        self.assertEqual(self.last_line(), "0 passed, 1 failed")

    def test_program_without_a_source_is_not_run(self):
        self.program("build/test/test_old", "exit 1\n")
        self.unit(GOOD)
        self.assertEqual(self.last_line(), "1 passed, 0 failed")

    def test_nothing_to_run_is_no_success(self):
        self.assertEqual(self.last_line(), "0 passed, 0 failed")

    def test_corpus_is_replayed_and_the_guilty_file_named(self):
        (self.top / "tests/fuzz/corpus/x/one").write_text("1")
        (self.top / "tests/fuzz/corpus/x/two").write_text("2")
        self.replayer("test $# -ge 1\n")
        self.assertEqual(self.last_line(), "1 passed, 0 failed")
        self.replayer('for f in "$@"; do case $f in *two) exit 77;; esac; done\n')
        done = self.tool("run.py")
        self.assertIn("tests/fuzz/corpus/x/two: ended with status 77", done.stdout)

    def test_target_without_a_corpus_has_failed(self):
        self.replayer("exit 0\n")
        self.assertEqual(self.last_line(), "0 passed, 1 failed")

    def test_python_tests_are_told_one_by_one(self):
        (self.top / "tests/x/test_p.py").write_text(
            "import sys, pathlib, unittest\n"
            "sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))\n"
            "import harness\n"
            "class T(unittest.TestCase):\n"
            "    def test_C1_good(self): pass\n"
            "    def test_bad(self): self.fail('because')\n"
            "    def test_parts(self):\n"
            "        for i in range(3):\n"
            "            with self.subTest(i): self.assertLess(i, 1)\n"
            "    def test_skipped(self): self.skipTest('not today')\n"
            "class U(unittest.TestCase):\n"
            "    @classmethod\n"
            "    def setUpClass(cls): raise OSError('no')\n"
            "    def test_never(self): pass\n"
            "harness.main()\n")
        self.assertEqual(self.last_line(), "1 passed, 3 failed, 1 skipped")
        results = (self.top / "build/test-results.tsv").read_text()
        self.assertRegex(results, r"test_p\tC1_good\tok\t")
        self.assertRegex(results, r"test_p\tskipped\tskip\t[0-9.]+\tnot today\n")

    def test_only_some_suites_leave_the_results_as_they_are(self):
        self.unit(GOOD)
        self.last_line("--only", "test_x")
        self.assertFalse((self.top / "build/test-results.tsv").exists())

    def claims(self, *rows):
        lines = "".join(f"{suite}\t{test}\t{result}\t0.1\t\n" for suite, test, result in rows)
        (self.top / "build/test-results.tsv").write_text("suite\ttest\tresult\tseconds\tnote\n"
                                                         + lines)
        return self.tool("claims.py")

    def test_claims_are_shown_by_tests_named_after_them(self):
        done = self.claims(("test_x", "C5_C6_cells_are_separate", "ok"), ("test_x", "A5_x", "ok"))
        self.assertEqual(done.returncode, 0)
        for line in (r"C5   shown ", r"C6   shown ", r"A5   shown ", r"A16  shown ", r"C7   open "):
            self.assertRegex(done.stdout, "(?m)^" + line)

    def test_claim_that_needs_both_mail_servers_is_shown_in_part_by_one(self):
        one, other = ("test_postfix", "A2_x", "ok"), ("test_exim", "A2_x", "ok")
        self.assertRegex(self.claims(one).stdout, r"(?m)^A2   in part ")
        self.assertRegex(self.claims(one, other).stdout, r"(?m)^A2   shown ")

    def test_claim_that_says_the_same_needs_the_same(self):
        done = self.claims(("test_x", "B10_servers_share_their_counters", "ok"))
        self.assertRegex(done.stdout, r"(?m)^B10  in part ")
        self.assertRegex(done.stdout, r"(?m)^B30  in part ")

    def test_claim_with_a_failed_test_has_failed(self):
        done = self.claims(("test_x", "C5_x", "ok"), ("test_y", "C5_y", "fail"))
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^C5   FAILED ")

    def test_claim_that_does_not_exist_is_an_error(self):
        done = self.claims(("test_x", "C99_x", "ok"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("C99, which is no claim", done.stdout)

    def test_skipped_test_shows_nothing(self):
        self.assertRegex(self.claims(("test_x", "C5_x", "skip")).stdout, r"(?m)^C5   skipped ")


if __name__ == "__main__":
    harness.main()
