"""The lint itself: a small house that keeps all rules, broken in one place at a time."""
import pathlib
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "lint")]

import harness
import lint

HEAD = "/*\n * {} - what this file is, and what it refuses, in words enough.\n */\n"


def header(guard, text):
    return HEAD.format("x") + f"#ifndef {guard}\n#define {guard}\n\n{text}\n#endif\n"


HOUSE = {
    "Makefile": "all: x\nrun test:\n\ttrue\n", "LICENSE": "free\n", ".gitignore": "/build/\n",
    "README.md": "# x\n\n    make run\n    make test\n",
    "exim-module/README.md": "later\n", "sniffer/README.md": "later\n",
    "core/base/address.h": header("WEIR_BASE_ADDRESS_H",
                                  "/* Parses it. 1 or 0. */\nint weir_address_parse(int a);\n"),
    "core/base/address.c": HEAD.format("x") + (
        '#include "core/base/address.h"\n\n#include <string.h>\n\n'
        "static const char *const names[] = {\"a\", \"b\"};\n"
        "static const int sizes[2] = {1, 2};\n\n"
        "static int twice(int a)\n{\n    static const int two = 2;\n"
        "    /* exit(1) is for others */\n    return a * two + sizes[0];\n}\n\n"
        "int weir_address_parse(int a)\n{\n    return twice(a) + (names[0] == NULL);\n}\n"),
    "core/base/log_io.c": HEAD.format("x") + "#include <syslog.h>\n",
    "core/store/lists_impl.h": header("WEIR_STORE_LISTS_IMPL_H", "struct weir_list_record;"),
    "core/store/lists_io.h": header("WEIR_STORE_LISTS_IO_H", "struct weir_lists;"),
    "core/store/lists_io.c": HEAD.format("x") + (
        '#include "core/store/lists_io.h"\n\n#include <sys/socket.h>\n\n'
        '#include "core/base/address.h"\n#include "core/store/lists_impl.h"\n'),
    "postfix-policy/policy_batch.h": header("WEIR_POLICY_BATCH_H", "struct weir_policy_batch;"),
    "postfix-policy/policyd.c": HEAD.format("x") + (
        '#include <stdio.h>\n\n#include "core/base/address.h"\n'
        '#include "postfix-policy/policy_batch.h"\n\n'
        "int main(void)\n{\n    printf(\"x\");\n    return 0;\n}\n"),
    "monitor/ctl/ctl.h": header("WEIR_CTL_H", "struct weir_ctl;"),
    "core/base/line.c": HEAD.format("x"),
    "tests/unit/test_address.c": HEAD.format("x with line.c"),
    "tests/unit/test_lists.c": HEAD.format("x"),
    "tests/unit/test_log.c": HEAD.format("x"),
    "tests/fuzz/fuzz_address.c": HEAD.format("x"), "tests/fuzz/corpus/address/one": "1\n",
}

C, H, MAIN = "core/base/address.c", "core/base/address.h", "postfix-policy/policyd.c"

# rule: what breaks it, each as (file, what is added to it; None: the file goes away)
FAULTS = {
    lint.top_level_is_as_agreed: [("notes.md", "x\n"), ("sniffer/README.md", None)],
    lint.files_are_of_known_types: [
        ("core/base/address.o", "\x7fELF"), ("tests/unit/core.123", "x"),
        ("tests/data/x", "\x7fELF"), ("monitor/x.zip", "x")],
    lint.no_machine_paths: [(C, "/* see /" + "tmp/weir/x */\n"),
                            ("README.md", "/" + "work/main\n")],
    lint.nothing_is_left_unfinished: [(C, "/* " + "TO" + "DO */\n"), ("Makefile", "# XX" + "X\n")],
    lint.readme_commands_exist: [("README.md", "    make cake\n"), ("README.md", "`make tea`\n"),
                                 ("README.md", "    sudo make soup\n")],
    lint.files_and_lines_are_short: [
        (C, "/*\n" + "x\n" * 600 + "*/\n"), (C, "/* " + "x" * 100 + " */\n"),
        (C, "\tint x(void);\n"), (C, "\n/* x */  \n")],
    lint.functions_are_short: [(C, "void f(void)\n{\n" + "    ;\n" * 61 + "}\n")],
    lint.files_begin_with_what_they_are: [("core/store/lists_x_io.c", "int f(void);\n"),
                                          ("core/store/lists_x_io.c", "/* lists */\n")],
    lint.declared_functions_are_explained: [
        (H, "\nint weir_address_x(int a);\n"),
        (H, "\nstruct a *weir_address_y(int a,\n    int b, int c);\n"),
        (H, "/* x */\n\nstruct x;\n\nint weir_address_z(int a);\n")],
    lint.public_names_are_defined_once: [
        ("core/base/line.c", "\nint weir_address_parse(int a)\n{\n    return a;\n}\n"),
        ("monitor/ctl/x.c", HEAD.format("x") +
         "\nstruct a *weir_address_parse(int a,\n    int b)\n{\n    return 0;\n}\n")],
    lint.guards_are_named_after_the_path: [
        ("core/base/arena.h",
         HEAD.format("x") + "#ifndef WEIR_ARENA_H\n#define WEIR_ARENA_H\n#endif\n"),
        ("monitor/ctl/x.h", HEAD.format("x") + "#ifndef WEIR_X_H\n#define WEIR_X_H\n#endif\n"),
        ("core/base/arena.h", HEAD.format("x"))],
    lint.includes_point_downward: [
        (H, '#include "core/store/lists_io.h"\n'),
        ("core/store/lists_io.c", '#include "postfix-policy/policy_batch.h"\n'),
        (MAIN, '#include "monitor/ctl/ctl.h"\n'), (C, '#include "monitor/ctl/ctl.h"\n'),
        (C, '#include "tests/unit/test_log.c"\n'), (C, '#include "address.h"\n'),
        ("core/new/x.h", header("WEIR_NEW_X_H", ""))],
    lint.private_headers_stay_private: [(MAIN, '#include "core/store/lists_impl.h"\n')],
    lint.own_header_comes_first: [
        ("core/store/lists_impl.c", HEAD.format("x") + "#include <string.h>\n"
         '#include "core/store/lists_impl.h"\n'),
        ("core/store/lists_impl.c", HEAD.format("x"))],
    lint.only_io_files_touch_the_world: [
        (C, "#include <sys/socket.h>\n"), (C, "#include <time.h>\n"),
        (C, "void f(void)\n{\n    fopen(0, 0);\n}\n"), (C, "#include <lmdb.h>\n"),
        ("postfix-policy/x.c", HEAD.format("x") + "#include <unistd.h>\n")],
    lint.core_is_a_good_guest: [
        (C, "void f(void)\n{\n    exit(1);\n}\n"), (C, "void f(void)\n{\n    printf(\"\");\n}\n"),
        (C, "void f(void)\n{\n    abort ();\n}\n"),
        (C, "void f(void)\n{\n    syslog(1, \"\");\n}\n"),
        (C, "void f(void)\n{\n    fprintf(stderr, \"\");\n}\n"),
        ("core/store/lists_io.c", "void f(void)\n{\n    syslog(1, \"\");\n}\n")],
    lint.core_has_no_globals: [
        (C, "static int count;\n"), (C, "int weir_count;\n"), (C, "static const char *last;\n"),
        (C, "void f(void)\n{\n    static int n = 0;\n}\n"), (C, "static int table[4] = {0};\n"),
        (C, "static int (*hook)(void);\n"), (C, "struct x weir_state = {0};\n"),
        (H, "extern int weir_x;\n"), (C, "static struct x *list = NULL;\n")],
    lint.pages_make_no_markup: [
        ("monitor/console/web/x.js", "a.innerHTML = b;\n"),
        ("monitor/console/web/x.js", "eval(b);\n"),
        ("monitor/console/web/x.js", "document.createElement(b);\n"),
        ("monitor/console/web/x.html", "<p style='x'>\n"),
        ("monitor/console/web/x.html", "<p onclick='x'>\n"),
        ("monitor/console/web/x.svg", "<image href='https://example.com/x'/>\n")],
    lint.every_core_file_has_a_test: [("core/base/cursor.c", HEAD.format("x")),
                                      ("tests/unit/test_lists.c", None)],
    lint.every_fuzzer_has_a_corpus: [("tests/fuzz/fuzz_mime.c", HEAD.format("x")),
                                     ("tests/fuzz/corpus/dns/one", "x")],
}


def build(top, fault=None):
    files = dict(HOUSE)
    if fault:
        path, text = fault
        files[path] = None if text is None else files.get(path, "") + text
    for path, text in files.items():
        if text is not None:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text)
    return lint.Tree(top)


def broken(tree):
    return {check for check in lint.RULES if list(check(tree))}


class Lint(unittest.TestCase):
    def check(self, fault=None):
        with tempfile.TemporaryDirectory() as top:
            return broken(build(pathlib.Path(top), fault))

    def test_a_house_that_keeps_the_rules_is_left_alone(self):
        self.assertEqual(self.check(), set())

    def test_every_rule_has_faults_to_find(self):
        self.assertEqual(set(FAULTS), set(lint.RULES))

    def test_each_fault_is_told_by_its_rule_and_no_other(self):
        for check, faults in FAULTS.items():
            for fault in faults:
                with self.subTest(rule=check.__name__, fault=fault):
                    self.assertEqual({c.__name__ for c in self.check(fault)}, {check.__name__})

    def test_this_house_keeps_the_rules(self):
        tree = lint.Tree(TESTS.parent)
        found = [f"{path}:{line}: {complaint}"
                 for check in lint.RULES for path, line, complaint in check(tree)]
        if found:
            self.fail("\n".join(found))


if __name__ == "__main__":
    harness.main()
