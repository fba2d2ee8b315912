#!/usr/bin/env python3
"""lint.py [TOP] - the rules of the house, as far as a machine can tell.

Each rule is one function below: its first line says what must hold, and it gives
what it finds as (file, line, complaint).  Prints `file:line: complaint` for each,
and ends with 1 when there are any.  test_lint.py breaks each rule and sees it told.
"""
import collections
import pathlib
import re
import subprocess
import sys

AGREED = {"Makefile", "README.md", "LICENSE", "core", "postfix-policy", "exim-module", "sniffer",
          "monitor", "tests"}
ROOMS = ["base", "mail", "store", "evidence", "engine", "program"]  # each may know those before it
FRONTS = ["postfix-policy", "exim-module", "sniffer", "monitor"]

FUNCTION_LINES, FILE_LINES, LINE_COLUMNS = 60, 600, 100

SUFFIXES = {".c", ".h", ".py", ".pl", ".sh", ".rules", ".map", ".md", ".tsv", ".eml",
            ".1", ".5", ".8", ".service", ".socket", ".conf", ".bash-completion", ".sieve",
            ".html", ".css", ".js", ".svg", ".json", ".yml", ".template"}
NAMES = {"Makefile", "LICENSE", ".gitignore", ".gitattributes", "run"}
FREE_FOLDERS = ("tests/fuzz/corpus/", "tests/golden/", "tests/data/")  # any text or bytes of ours

# what touches the world: sockets, files, the clock, signals
WORLD = re.compile(r"(sys/(socket|un|uio|epoll|stat|mman|time|wait|file|signalfd|timerfd|eventfd)"
                   r"|netinet/\w+|arpa/inet|netdb|poll|fcntl|unistd|time|dirent|signal|lmdb"
                   r"|libmemcached/\w+|libmemcached-1.0/\w+)\.h$")
WORLD_CALLS = ("fopen", "freopen", "fdopen", "popen", "system", "getenv", "remove", "rename",
               "tmpfile", "mkstemp", "clock_gettime", "gettimeofday", "nanosleep", "usleep")
# what a guest must not do
FORBIDDEN_CALLS = ("exit", "_exit", "_Exit", "quick_exit", "abort", "printf", "puts", "putchar",
                   "perror", "vprintf", "pthread_create", "thrd_create", "fork")
MARKS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")
PLACES = ("/" + "work/", "/" + "tmp/weir/", "/" + "root/", "/" + "home/", "../" + "shared",
          "deb.debian" + ".org", "npmjs" + ".org", "snapshot." + "debian")

RULES = []


def rule(function):
    RULES.append(function)
    return function


# The tree. ------------------------------------------------------------------------


class Source:
    """A C file: its text, and its code with comments and strings blanked out, line for line."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.split("\n")
        self.code = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                           self.blank, text, flags=re.S)
        self.name = pathlib.PurePath(path).name
        self.folder = str(pathlib.PurePath(path).parent)
        self.is_main = re.search(r"^int main\(", self.code, re.M) is not None

    @staticmethod
    def blank(found):
        text = found.group()
        edge = '"' if text[0] == '"' else " "
        return edge + re.sub(r"[^\n]", " ", text[1:-1]) + edge if len(text) > 1 else " "

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def calls(self, names):
        """(line, name) of calls of library functions, not of members or own functions."""
        for found in re.finditer(rf"(?<![\w.>])({'|'.join(names)})\s*\(", self.code):
            yield self.line_of(found.start()), found.group(1)

    def includes(self):
        """(line, name, is ours)."""
        for number, line in enumerate(self.lines, 1):
            found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if found:
                yield number, found.group(2), found.group(1) == '"'

    def in_core(self):
        return self.path.startswith("core/")

    def is_guest(self):
        """Linked into Exim, too: all of the core but what only our own programs need."""
        return self.in_core() and not self.path.startswith("core/program/")

    def may_touch_world(self):
        return (self.path.startswith("tests/") or self.is_main
                or re.search(r"(_io\.[ch]|_impl\.h)$", self.name) is not None)


class Tree:
    """All files of the project: what git tracks or would track, or what lies there."""

    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.paths = sorted(set(self.listed()))
        self.c = [Source(path, self.read(path)) for path in self.paths if path[-2:] in (".c", ".h")]
        self.by_path = {source.path: source for source in self.c}

    def listed(self):
        command = ["git", "-C", self.top, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard", "--", "."]
        done = subprocess.run(command, capture_output=True, text=True)
        names = done.stdout.split("\0") if done.returncode == 0 else self.walk()
        return [name for name in names if name and (self.top / name).is_file()]

    def walk(self):
        for path in self.top.rglob("*"):
            name = str(path.relative_to(self.top))
            if not re.match(r"(build|\.git)/|.*__pycache__", name):
                yield name

    def read(self, path):
        return (self.top / path).read_text(encoding="utf-8", errors="replace")

    def texts(self):
        """(path, text) of everything people wrote; found data is left out."""
        for path in self.paths:
            if not path.startswith(("tests/data/mail/", "tests/fuzz/corpus/")):
                yield path, self.read(path)


# The house. -----------------------------------------------------------------------


@rule
def top_level_is_as_agreed(tree):
    """The top level holds exactly the agreed entries, dot-files and build/."""
    here = {path.split("/")[0] for path in tree.paths}
    for name in sorted(here - AGREED):
        if not name.startswith("."):
            yield name, 0, "is not one of the agreed entries of the top level"
    for name in sorted(AGREED - here):
        yield name, 0, "is missing at the top level"


@rule
def files_are_of_known_types(tree):
    """Only sources and texts are kept; nothing that was built."""
    for path in tree.paths:
        pure = pathlib.PurePath(path)
        if (tree.top / path).read_bytes()[:4] in (b"\x7fELF", b"!<ar"):
            yield path, 0, "was built, and does not belong here"
        elif not (pure.suffix in SUFFIXES or pure.name in NAMES or path.startswith(FREE_FOLDERS)):
            yield path, 0, "is of a type that is not kept here"


@rule
def no_machine_paths(tree):
    """Nothing names a place that exists on one machine only."""
    for path, text in tree.texts():
        for number, line in enumerate(text.split("\n"), 1):
            for place in PLACES:
                if place in line:
                    yield path, number, f"names {place}"


@rule
def nothing_is_left_unfinished(tree):
    """No marks for later."""
    for path, text in tree.texts():
        for number, line in enumerate(text.split("\n"), 1):
            for mark in MARKS:
                if re.search(rf"\b{mark}\b", line):
                    yield path, number, f"is marked {mark}"


@rule
def readme_commands_exist(tree):
    """Every `make X` of the README is a target of the Makefile."""
    if not {"README.md", "Makefile"} <= set(tree.paths):
        return
    targets = set()
    for line in tree.read("Makefile").split("\n"):
        found = re.match(r"([a-z][a-z ]*):(?!=)", line)
        targets.update(found.group(1).split() if found else [])
    for number, line in enumerate(tree.read("README.md").split("\n"), 1):
        for name in re.findall(r"(?:`|^\s*\$?\s*|sudo )make ([a-z]+)", line):
            if name not in targets:
                yield "README.md", number, f"make {name} is no target of the Makefile"


# Sizes. -----------------------------------------------------------------------------


@rule
def files_and_lines_are_short(tree):
    """No source is longer than 600 lines, no line than 100 columns."""
    for path, text in tree.texts():
        if not path.endswith((".c", ".h", ".py", ".sh")):
            continue
        lines = text.split("\n")
        if len(lines) - 1 > FILE_LINES:
            yield path, 0, f"has {len(lines) - 1} lines, more than {FILE_LINES}"
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_COLUMNS:
                yield path, number, f"has {len(line)} columns, more than {LINE_COLUMNS}"
            if "\t" in line and not path.endswith(".sh"):
                yield path, number, "has a tab"
            if line != line.rstrip():
                yield path, number, "ends in blanks"


@rule
def functions_are_short(tree):
    """No function body is longer than 60 lines."""
    for source in tree.c:
        start = None
        for number, line in enumerate(source.lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > FUNCTION_LINES:
                    yield (source.path, start,
                           f"function of {number - start - 1} lines, more than {FUNCTION_LINES}")
                start = None


# Words. -----------------------------------------------------------------------------


@rule
def files_begin_with_what_they_are(tree):
    """Every .c and .h begins with a comment of more than a few words."""
    for source in tree.c:
        found = re.match(r"/\*(.*?)\*/", source.text, re.S)
        if not found or len(found.group(1).split()) < 8:
            yield source.path, 1, "does not begin with a comment that says what it is"


def prototypes(source):
    """(line, text, explained) of functions declared in a header; a comment explains those that
    follow it without an empty line between them."""
    code = re.sub(r"\{[^{}]*\}", lambda m: re.sub(r"[^\n]", " ", m.group()), source.code)
    for found in re.finditer(r"^[a-z][\w \*]*\bweir_\w+\([^;{]*;", code, re.M):
        before, _, group = source.text[:found.start()].rpartition("\n\n")
        explained = "*/" in group or before.endswith("*/")
        yield source.line_of(found.start()), found.group(), explained


@rule
def declared_functions_are_explained(tree):
    """What a header declares has a comment above it or above its group, unless its name and
    arguments say it all: at most two of them, and no error code."""
    for source in tree.c:
        if source.name.endswith(".h") and not source.path.startswith("tests/"):
            for number, text, explained in prototypes(source):
                if not explained and (text.startswith("int ") or text.count(",") > 1):
                    yield source.path, number, "declares a function without a comment"


@rule
def public_names_are_defined_once(tree):
    """No two files define a function of one name: all of them go into one library, where the
    linker would take either."""
    definition = re.compile(r"^(?!static)\w[\w \t*]*?[ *](weir_\w+)\([^;{]*\)\n\{", re.M)
    first = {}
    for source in tree.c:
        if source.name.endswith(".h") or source.path.startswith("tests/"):
            continue
        for found in definition.finditer(source.code):
            other = first.setdefault(found.group(1), source.path)
            if other != source.path:
                yield (source.path, source.line_of(found.start()),
                       f"defines {found.group(1)}, as {other} does")


@rule
def guards_are_named_after_the_path(tree):
    """An include guard is WEIR_ROOM_FILE_H."""
    for source in tree.c:
        if not source.name.endswith(".h"):
            continue
        room = "tests" if source.path.startswith("tests/") else source.folder.split("/")[-1]
        room = room.removeprefix("postfix-").upper().replace("-", "_")
        file = source.name[:-2].upper()
        good = {f"WEIR_{room}_{file}_H"}
        if file == room or file.startswith(room + "_"):
            good.add(f"WEIR_{file}_H")
        found = re.search(r"^#ifndef (\w+)\n#define (\w+)$", source.text, re.M)
        if not found or found.group(1) != found.group(2) or found.group(1) not in good:
            yield source.path, 1, f"has no include guard {' or '.join(sorted(good))}"


# Layers. ----------------------------------------------------------------------------


def place(path):
    """(room number, front end): of core a number, of a front end its name, else None."""
    parts = path.split("/")
    if parts[0] == "core" and len(parts) > 2:
        return (ROOMS.index(parts[1]) if parts[1] in ROOMS else -1), None
    return None, parts[0] if parts[0] in FRONTS else None


@rule
def includes_point_downward(tree):
    """base < mail < store < evidence < engine < program < front ends; front ends keep apart."""
    for source in tree.c:
        room, front = place(source.path)
        if source.in_core() and room == -1:
            yield source.path, 0, "lies in no known room of core"
        for number, name, ours in source.includes():
            if not ours:
                continue
            to_room, to_front = place(name)
            if name not in tree.by_path:
                yield source.path, number, f"includes {name} not by its path from the top"
            elif room is not None and (to_room is None or to_room > room):
                yield source.path, number, f"includes upward: {name}"
            elif front and to_front not in (None, front):
                yield source.path, number, f"includes another front end: {name}"
            elif front == "exim-module" and name.startswith("core/program/"):
                yield source.path, number, f"includes what is only for our own programs: {name}"
            elif (room is not None or front) and name.startswith("tests/"):
                yield source.path, number, f"includes a test's file: {name}"


@rule
def private_headers_stay_private(tree):
    """An _impl.h is included in its own folder and by tests only."""
    for source in tree.c:
        for number, name, ours in source.includes():
            if (ours and name.endswith("_impl.h") and not source.path.startswith("tests/")
                    and str(pathlib.PurePath(name).parent) != source.folder):
                yield source.path, number, f"includes {name}, which is private to its folder"


@rule
def own_header_comes_first(tree):
    """X.c includes X.h (or X_impl.h) before anything else: so every header stands on its own."""
    for source in tree.c:
        noun, header = source.path[:-2], source.path[:-2] + ".h"
        if (source.path.endswith(".c") and header in tree.by_path
                and not source.path.startswith("tests/")):
            line, first, _ = next(source.includes(), (1, "", True))
            if first not in (header, noun + "_impl.h"):
                yield source.path, line, f"does not include {header} first"


# The core as a guest. -----------------------------------------------------------------


@rule
def only_io_files_touch_the_world(tree):
    """Sockets, files, signals and the clock belong to *_io.c and to main files."""
    for source in tree.c:
        if source.may_touch_world():
            continue
        for number, name, _ in source.includes():
            if WORLD.match(name):
                yield source.path, number, f"includes <{name}>, but is no *_io.c"
        for number, name in source.calls(WORLD_CALLS):
            yield source.path, number, f"calls {name}(), but is no *_io.c"


@rule
def core_is_a_good_guest(tree):
    """The core never exits, prints, forks, or starts threads, but for core/program; syslog is
    log_io.c's."""
    for source in tree.c:
        if not source.is_guest():
            continue
        for number, name in source.calls(FORBIDDEN_CALLS):
            yield source.path, number, f"calls {name}()"
        if source.name == "log_io.c":
            continue
        for number, name in source.calls(("syslog", "vsyslog", "openlog", "closelog")):
            yield source.path, number, f"calls {name}()"
        if not source.name.endswith("_io.c"):
            for found in re.finditer(r"\b(stderr|stdout)\b", source.code):
                yield source.path, source.line_of(found.start()), f"uses {found.group(1)}"


def declares_constant(words):
    """Whether a declaration's object itself is constant: behind the last star, if there is one."""
    return re.search(r"\bconst\b", words.rsplit("*", 1)[-1] if "*" in words else words) is not None


def outermost(code):
    """(offset, text) of the statements outside all braces; what is inside is left out."""
    code = re.sub(r"^\s*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group()), code,
                  flags=re.M)
    depth, start, text = 0, 0, ""
    for offset, letter in enumerate(code):
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
        elif depth == 0:
            start = start if text.strip() else offset
            text += letter
        if depth == 0 and (letter == ";" or letter == "}" and "(" in text and "=" not in text):
            yield start, text.strip()
            text = ""


@rule
def core_has_no_globals(tree):
    """No variable of the core outlives a call: no extern, no mutable static."""
    for source in tree.c:
        if not source.in_core():
            continue
        for found in re.finditer(r"\bstatic\b([^;{}()=\[]*)([;=(\[])(\s*\*)?", source.code):
            words, ending, pointer = found.groups()
            if (ending != "(" or pointer) and not declares_constant(words):
                yield source.path, source.line_of(found.start()), "has a static variable"
        for offset, text in outermost(source.code):
            words = text.split("=")[0].rstrip(" ;")
            if (re.match(r"(static|typedef|_Static_assert)\b", words) or "(" in words
                    or re.fullmatch(r"(struct|enum|union)\s*\w*\s*", words) or not words):
                continue
            if not declares_constant(words.removeprefix("extern")):
                yield source.path, source.line_of(offset), "has a global variable"


# Tests. -----------------------------------------------------------------------------------


def test_names(file):
    """The tests that may be of a file: of its whole noun, or of what the noun begins with."""
    words = file.removesuffix(".c").removesuffix("_io").split("_")
    return ["test_" + "_".join(words[:count]) + ".c" for count in range(len(words), 0, -1)]


MARKUP = re.compile(r"(innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\("
                    r"|new Function|\.setAttribute\(\"style|createContextualFragment|srcdoc)")
INLINE = re.compile(r"(\sstyle=|\son[a-z]+=|<script>|<style|https?://(?!www\.w3\.org/))")


@rule
def pages_make_no_markup(tree):
    """What the console shows is text: no page makes elements of strings, runs them, has styles or
    scripts within its markup, or names another place; dom.js alone makes elements."""
    for path in tree.paths:
        if not path.startswith("monitor/console/web/"):
            continue
        for number, line in enumerate(tree.read(path).split("\n"), 1):
            found = (INLINE if path.endswith((".html", ".svg")) else MARKUP).search(line)
            if found:
                yield path, number, f"{found.group(1).strip()} has no place in the console"
            elif "createElement" in line and not path.endswith("/dom.js"):
                yield path, number, "makes an element: that is for dom.js"


@rule
def every_core_file_has_a_test(tree):
    """tests/unit/test_NOUN.c for each core/*/NOUN.c, or for what the noun begins with, or one
    whose first comment names the file; core/program is tested through the programs."""
    tests = {source.name: source.text.partition("*/")[0] for source in tree.c
             if source.path.startswith("tests/unit/test_")}
    for source in tree.c:
        if (source.is_guest() and source.path.endswith(".c")
                and not set(tests).intersection(test_names(source.name))
                and not any(re.search(rf"\b{source.name}\b", head) for head in tests.values())):
            yield source.path, 0, f"has no tests/unit/{test_names(source.name)[0]}"


@rule
def every_fuzzer_has_a_corpus(tree):
    """tests/fuzz/corpus/NOUN holds files for each tests/fuzz/fuzz_NOUN.c, and for nothing else."""
    nouns = {source.name[5:-2] for source in tree.c if source.path.startswith("tests/fuzz/fuzz_")}
    corpora = {path.split("/")[3] for path in tree.paths if path.startswith("tests/fuzz/corpus/")}
    for noun in sorted(nouns - corpora):
        yield f"tests/fuzz/fuzz_{noun}.c", 0, "has no corpus"
    for noun in sorted(corpora - nouns):
        yield f"tests/fuzz/corpus/{noun}", 0, "is the corpus of no fuzz target"


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    tree = Tree(top)
    count = collections.Counter()
    for check in RULES:
        for path, number, complaint in check(tree):
            count[check.__name__] += 1
            print(f"{path}:{number}: {complaint}" if number else f"{path}: {complaint}")
    for name, times in count.items():
        print(f"lint: {times} against {name}", file=sys.stderr)
    if not count:
        print(f"lint: {len(tree.paths)} files keep all {len(RULES)} rules")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
