"""harness - runs the tests of one Python file and says of each how it came out.

A file of tests is a program: classes of unittest, and `harness.main()` at its end.
By hand it reads like any unittest; under run.py (WEIR_REPORT set) it speaks the
same lines as the unit tests in C do (subunit, version 1), as it goes, so that a
test that hangs or dies is known by name.
"""
import os
import sys
import traceback
import unittest

sys.dont_write_bytecode = True


class Lines(unittest.TestResult):
    """Prints `test: NAME`, then `success:`, `failure:` or `skip:` with the reason in brackets."""

    def startTest(self, test):
        super().startTest(test)
        self.parts = []
        say("test: " + name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        if self.parts:
            bracketed("failure", test, "\n".join(self.parts))

    def addSuccess(self, test):
        super().addSuccess(test)
        say("success: " + name_of(test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        bracketed("failure", test, story(err))

    def addError(self, test, err):
        super().addError(test, err)
        if not hasattr(test, "_testMethodName"):
            say("test: " + name_of(test))
        bracketed("failure", test, story(err))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.parts.append(f"{subtest._subDescription()}\n{story(err)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if not hasattr(test, "_testMethodName"):
            say("test: " + name_of(test))
        bracketed("skip", test, reason)


def name_of(test):
    """The test's name without `test_`; of a class's set-up, what unittest calls it."""
    method = getattr(test, "_testMethodName", None) or str(test)
    return method.removeprefix("test_").replace(" ", "_")


def story(err):
    """How an exception came about, without the frames of unittest itself."""
    told = traceback.TracebackException(*err)
    told.stack[:] = [frame for frame in told.stack if "/unittest/" not in frame.filename]
    return "".join(told.format())


def say(line):
    print(line, flush=True)


def bracketed(word, test, reason):
    lines = "\n".join(" " + line for line in reason.rstrip().split("\n"))
    say(f"{word}: {name_of(test)} [\n{lines}\n]")


def main():
    """Runs what the calling file defines; exit status 1 when anything failed."""
    sys.stdout.reconfigure(errors="backslashreplace")
    if "WEIR_REPORT" not in os.environ:
        unittest.main(module="__main__", verbosity=2)
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = suite.run(Lines())
    sys.exit(0 if result.wasSuccessful() else 1)
