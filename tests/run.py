#!/usr/bin/env python3
"""run.py - runs the tests, says how they came out, and keeps the results for claims.py.

    run.py [--build DIR] [--sanitized DIR] [--only WORD]

Runs what belongs to a source file of the tree, so that nothing stale counts and
nothing that was not built is forgotten:
    tests/unit/test_NOUN.c     DIR/test/test_NOUN of both builds, two at a time
    tests/fuzz/fuzz_NOUN.c     DIR/replay/fuzz_NOUN of the sanitized build, given
                               its corpus tests/fuzz/corpus/NOUN: it must survive
    tests/*/test_*.py          two at a time, in lanes whose ports are apart: most of their time
                               they wait

One line a suite, the details of what failed, and last `N passed, N failed`
(`, N skipped` when there are any).  Results go to DIR/test-results.tsv, but not
with --only (suites whose name holds the word).  Exit status 1 when anything
failed, or nothing ran.
"""
import argparse
import collections
import concurrent.futures
import ctypes
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parent
TOP = TESTS.parent
AT_ONCE = 3  # more than processors: end-to-end tests wait most of the time
DETAIL_LINES = 40
SECONDS = {"unit": 180, "replay": 120, "script": 900}

Row = collections.namedtuple("Row", "suite test result seconds note")
Suite = collections.namedtuple("Suite", "kind name command")

OUTCOME = re.compile(r"(success|failure|error|skip): (\S+)(?: \[ ?(.*))?$")


class Reading:
    """Turns the lines of one suite into rows, as they arrive."""

    def __init__(self, suite):
        self.suite, self.rows, self.tail = suite, [], collections.deque(maxlen=DETAIL_LINES)
        self.test, self.began, self.open = None, time.monotonic(), None

    def line(self, text):
        if self.open:
            self.more(text)
        elif text.startswith("test: "):
            self.died("ended without a word")
            self.test, self.began = text[6:].strip(), time.monotonic()
            self.tail.clear()
        else:
            found = OUTCOME.search(text)
            if found and self.test:
                self.outcome(*found.groups())
            else:
                self.tail.append(text)

    def outcome(self, word, name, bracket):
        if bracket is None:
            self.row(name, word, "")
        elif bracket.endswith("]"):
            self.row(name, word, bracket[:-1].strip())
        else:
            self.open = (word, name, [bracket] if bracket else [])

    def more(self, text):
        word, name, lines = self.open
        if text == "]":
            self.open = None
            self.row(name, word, "\n".join(lines))
        else:
            lines.append(text)

    def row(self, name, word, note):
        result = {"success": "ok", "skip": "skip"}.get(word, "fail")
        if result == "fail" and self.tail:
            note = note + "\n" + "\n".join(self.tail)
        self.add(name, result, note)
        if name == self.test:
            self.test = None

    def add(self, name, result, note):
        seconds = time.monotonic() - self.began
        self.rows.append(Row(self.suite.name, name, result, seconds, note.strip("\n")))

    def died(self, how):
        """A test that was begun has no outcome."""
        if self.open:
            self.more("]")
        if self.test:
            self.add(self.test, "fail", how + "\n" + "\n".join(self.tail))
            self.test = None


class Running:
    """The processes under way, so that none outlives the runner."""

    libc = ctypes.CDLL(None)
    processes = set()

    @classmethod
    def start(cls, command, **options):
        """Starts a command in a process group of its own, tied to the runner's life."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="backslashreplace",
                                   cwd=TOP, start_new_session=True, preexec_fn=cls.tie, **options)
        cls.processes.add(process)
        return process

    @classmethod
    def tie(cls):
        cls.libc.prctl(1, signal.SIGTERM)

    @classmethod
    def end(cls, process):
        """Asks the group to end, and makes it after ten seconds."""
        cls.kill(process, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            cls.kill(process, signal.SIGKILL)

    @staticmethod
    def kill(process, number):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # gone; or gone on through sudo, which tells its own

    @classmethod
    def end_all(cls, number, frame):
        for process in list(cls.processes):
            cls.kill(process, signal.SIGTERM)
        os._exit(128 + number)

    @classmethod
    def read(cls, process, seconds, line):
        """Gives each line of output to line(); True when the process had to be ended."""
        late = threading.Event()
        timer = threading.Timer(seconds, lambda: (late.set(), cls.end(process)))
        timer.start()
        for text in process.stdout:
            line(text.rstrip("\n"))
        process.wait()
        timer.cancel()
        cls.processes.discard(process)
        return late.is_set()


class Lane(threading.local):
    """Which of those that run beside each other this thread is."""

    free = queue.SimpleQueue()

    @classmethod
    def all(cls):
        """Runs each of its tasks in a lane of its own."""
        for number in range(AT_ONCE):
            cls.free.put(number)
        return concurrent.futures.ThreadPoolExecutor(AT_ONCE, initializer=cls.enter)

    @classmethod
    def enter(cls):
        lane.number = cls.free.get()


lane = Lane()


def environment_for(build):
    """What tests find in their environment: how to report, and where the real parts are."""
    found = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="subunit", WEIR_REPORT="1",
                 WEIR_BUILD=str(build), WEIR_LANE=f"{lane.number}/{AT_ONCE}",
                 PYTHONDONTWRITEBYTECODE="1")
    rig = pathlib.Path(found.setdefault("WEIR_RIG", str(TOP / "build" / "rig")))
    memcached = rig / "memcached" / "usr" / "bin" / "memcached"
    if memcached.exists():
        found.setdefault("WEIR_MEMCACHED", str(memcached))
    return found


def run_reporting(suite, build):
    """Runs a suite that names its tests: unit or script."""
    reading = Reading(suite)
    process = Running.start(suite.command, env=environment_for(build))
    late = Running.read(process, SECONDS[suite.kind], reading.line)
    how = f"ended after {SECONDS[suite.kind]} s" if late else ending(process.returncode)
    reading.died(how)
    failed = any(row.result == "fail" for row in reading.rows)
    if not failed and (process.returncode != 0 or not reading.rows):
        note = how + "\n" + "\n".join(reading.tail)
        reading.add("the_suite_ends_well", "fail", note)
    return reading.rows


def ending(code):
    return f"ended by signal {-code}" if code < 0 else f"ended with status {code}"


def replay(command, seconds):
    """Runs a fuzz target over files; "" when it survived, else why not."""
    lines = collections.deque(maxlen=DETAIL_LINES)
    process = Running.start(command)
    if Running.read(process, seconds, lines.append):
        return f"took longer than {seconds} s"
    return "" if process.returncode == 0 else "\n".join([ending(process.returncode), *lines])


def run_replay(suite):
    """All files of a corpus at once; one by one only to find who did it."""
    began = time.monotonic()
    noun = suite.name.removeprefix("fuzz_")
    files = sorted(str(f) for f in (TESTS / "fuzz" / "corpus" / noun).glob("*") if f.is_file())
    if files:
        note = replay(suite.command + files, SECONDS["replay"])
    else:
        note = f"tests/fuzz/corpus/{noun} has no files"
    if note:
        guilty = next((f for f in files if replay(suite.command + [f], 30)), None)
        note = f"{os.path.relpath(guilty, TOP)}: {note}" if guilty else note
    test = f"the_corpus_of_{noun}_does_no_harm"
    result = "fail" if note else "ok"
    return [Row(suite.name, test, result, time.monotonic() - began, note or f"{len(files)} files")]


def nouns(folder, pattern):
    return sorted(source.stem for source in (TESTS / folder).glob(pattern))


def suites_of(build, sanitized):
    """What there is to run; build and sanitized may be the same."""
    for name in nouns("unit", "test_*.c"):
        yield Suite("unit", name, [build / "test" / name])
        if sanitized != build:
            yield Suite("unit", name + "/san", [sanitized / "test" / name])
    for name in nouns("fuzz", "fuzz_*.c"):
        yield Suite("replay", name, [sanitized / "replay" / name])
    for script in sorted(TESTS.glob("*/test_*.py")):
        yield Suite("script", script.stem, [sys.executable, "-u", script])


def run_suite(suite, build):
    """The rows of a suite; one that says so when its program was not built."""
    if suite.kind != "script" and not suite.command[0].exists():
        note = f"{os.path.relpath(suite.command[0], TOP)} was not built"
        return [Row(suite.name, "the_suite_is_built", "fail", 0.0, note)]
    return run_replay(suite) if suite.kind == "replay" else run_reporting(suite, build)


def report(suite, rows):
    """One line for the suite, and what there is to say about failures and skips."""
    count = collections.Counter(row.result for row in rows)
    words = [f"{count[word]} {word}" for word in ("ok", "fail", "skip") if count[word]]
    took = sum(row.seconds for row in rows)
    print(f"{suite.name:34} {', '.join(words):24} {took:7.1f} s")
    skipped = collections.defaultdict(list)
    for row in rows:
        if row.result == "fail":
            print(f"  FAIL {row.test}")
            for line in row.note.split("\n")[-DETAIL_LINES:]:
                print(f"       {line}")
        elif row.result == "skip":
            skipped[" ".join(row.note.split()) or "no reason given"].append(row.test)
    for reason, tests in skipped.items():
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        print(f"  skip {tests[0]}{more}: {reason}")
    sys.stdout.flush()


def run_all(suites, build):
    """Two at a time; reports in the order they were given."""
    rows = []
    with Lane.all() as lanes:
        for suite, found in zip(suites, lanes.map(lambda s: run_suite(s, build), suites)):
            report(suite, found)
            rows.extend(found)
    return rows


def write_results(path, rows):
    """The results of this run, one test a line, all in one piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8") as out:
        out.write("suite\ttest\tresult\tseconds\tnote\n")
        for row in rows:
            note = " ".join(row.note.split())[:300]
            out.write(f"{row.suite}\t{row.test}\t{row.result}\t{row.seconds:.3f}\t{note}\n")
    os.replace(fresh, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("--sanitized", type=pathlib.Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build = options.build.resolve()
    sanitized = (options.sanitized or options.build).resolve()
    signal.signal(signal.SIGINT, Running.end_all)
    signal.signal(signal.SIGTERM, Running.end_all)
    suites = [suite for suite in suites_of(build, sanitized) if options.only in suite.name]
    rows = run_all(suites, build)
    if not options.only:
        write_results(build / "test-results.tsv", rows)
    count = collections.Counter(row.result for row in rows)
    skipped = f", {count['skip']} skipped" if count["skip"] else ""
    print(f"{count['ok']} passed, {count['fail']} failed{skipped}", flush=True)
    sys.exit(0 if count["ok"] and not count["fail"] else 1)


if __name__ == "__main__":
    main()
