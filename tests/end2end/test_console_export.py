#!/usr/bin/env python3
"""Tables of the console as files: whole, with a head also when they are empty, and where a file
ends before its table does, that is told."""
import csv
import io
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
from test_console import Console

MOST = 100_000


class Files(Console):
    def file(self, path, kind="csv", status=200):
        answer = self.admin.ask("GET", f"{path}{'&' if '?' in path else '?'}format={kind}")
        self.assertEqual(answer.status, status, (path, answer.octets[:300]))
        return answer

    def table(self, path):
        return list(csv.reader(io.StringIO(self.file(path).octets.decode(), newline="")))


class Empty(Files):
    def test_an_empty_table_has_its_head(self):
        self.assertEqual(self.file("/messages").octets,
                         b'"uid","time","server","address","domain","verdict","score","serial",'
                         b'"reported","queue"\r\n')
        for path in ("/alerts?since=1s", "/lists", "/reports", "/rules", "/sets", "/servers",
                     "/traffic", "/traffic/minutes", "/tokens"):
            self.assertGreater(len(self.table(path)[0]), 3, path)
            self.assertEqual(self.file(path, "json").json["rows"], [], path)


class Export(Files):
    def fill(self, rows):
        """The audit, as years of work fill it."""
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=20) as database:
            database.execute("DELETE FROM audit")
            database.executemany("INSERT INTO audit (time, who, what, detail) VALUES (?, ?, ?, ?)",
                                 ((int(time.time() * 1e6), "user anna", "undo", f"row {i}")
                                  for i in range(rows)))
        database.close()

    def test_a_file_is_the_whole_table(self):
        self.fill(12_345)
        rows = self.table("/audit")
        self.assertEqual(rows[0], ["number", "time", "who", "what", "detail"])
        self.assertEqual([row[4] for row in rows[1:]], [f"row {i}" for i in range(12_344, -1, -1)])
        answer = self.file("/audit", "json")
        self.assertEqual([row["detail"] for row in answer.json["rows"]],
                         [row[4] for row in rows[1:]])
        self.assertIsNone(answer.json["more"])
        self.assertIsNone(answer.headers["Weir-More"])
        self.assertEqual(len(self.admin.get("/audit?most=500")["rows"]), 500)

    def test_where_a_file_ends_before_its_table_that_is_told(self):
        self.fill(MOST)
        rows = self.table("/audit")
        self.assertEqual((len(rows), len(rows[-1])), (MOST + 1, 5))
        self.fill(MOST + 1)
        answer = self.file("/audit")
        *rows, last = csv.reader(io.StringIO(answer.octets.decode(), newline=""))
        more = answer.headers["Weir-More"]
        self.assertEqual((len(rows), last),
                         (MOST + 1, [f"({MOST} rows, and there are more: after={more})"]))
        rest = self.table(f"/audit?after={more}")
        self.assertEqual([row[4] for row in rest[1:]], ["row 0"])
        answer = self.file("/audit?most=7", "json")
        self.assertEqual((len(answer.json["rows"]), answer.json["more"]),
                         (7, answer.headers["Weir-More"]))
        for most in ("0", str(MOST + 1), "x"):
            self.refused(self.file(f"/audit?most={most}", status=400), 400, "most")

    def test_a_file_of_traffic_tells_that_it_is_cut_and_how_far_it_looked(self):
        minute = int(time.time()) // 60 - 120
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=20) as database:
            database.executemany("INSERT INTO minutes VALUES (?, ?, 1, 1, 0, 0, 0, 0, 0)",
                                 ((minute - n // 600, bytes(10) + b"\xff\xff\xc6\x33"
                                   + (n % 600).to_bytes(2, "big")) for n in range(120_000)))
        database.close()
        shown = self.admin.get("/traffic?minutes=1440")
        answer = self.file("/traffic?minutes=1440", "json").json
        self.assertEqual((len(answer["rows"]), answer["more"], answer["cut"]), (500, None, True))
        self.assertEqual(answer["looked_to"], shown["looked_to"])
        *_, cut, looked = self.table("/traffic?minutes=1440")
        self.assertEqual((cut, looked), (["(500 rows, and there are more)"],
                                         [f"(looked back to {shown['looked_to']} only)"]))
        answer = self.file("/traffic?minutes=150", "json").json
        self.assertEqual(list(answer), ["now", "rows", "more", "cut"])
        self.assertEqual(list(self.file("/lists", "json").json), ["now", "rows", "more"])

    def test_all_columns_of_rows_are_in_the_file(self):
        self.admin.do("POST", "/rules", {"text": "body EXPORTED /a, \"b\"/\n"})
        self.admin.do("POST", "/addresses/192.0.2.1/accept", {"reason": "=1+1"})
        for path in ("/rules", "/rules/EXPORTED/history", "/lists", "/users", "/thresholds"):
            row = self.admin.get(path)["rows"][0]
            self.assertEqual(self.table(path)[0], list(row), path)
        self.assertEqual(dict(zip(*self.table("/lists")))["reason"], "'=1+1")

    def test_what_is_no_table_or_no_format_is_refused(self):
        self.refused(self.file("/audit", "xml", 400), 400, "csv nor json")
        for path in ("/me", "/overview", "/addresses/192.0.2.1", "/openapi.json", "/metrics"):
            self.refused(self.file(path, status=400), 400, "no table")


if __name__ == "__main__":
    harness.main()
