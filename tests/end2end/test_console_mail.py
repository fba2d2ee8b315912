#!/usr/bin/env python3
"""Mail in the console: judged by a real weir-milter, reported with weirctl, and looked for,
explained and shown as text by the API, as weirctl shows it."""
import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
import rig
from test_reports import CLIENT, DOMAIN, LOAN, Base

HOSTILE = b"<script>alert(1)</script> you have won"


class Beside(Base):
    """A desk beside a mail server."""

    def monitor_with(self, **sections):
        self.port = rig.free_port()
        super().monitor_with(console={"listen": f"inet:127.0.0.1:{self.port}"}, **sections)

    def setUp(self):
        super().setUp()
        self.admin = desk.Desk.at(self.monitor, self.port).somebody()


class Mail(Beside):
    def found(self, query=""):
        return self.admin.get(f"/messages?{query}")["rows"]

    def test_messages_are_found_and_explained_point_by_point(self):
        for n in range(3):
            self.judge(subject=b"number %d" % n)
        rows = rig.wait_for(lambda: len(self.found()) == 3 and self.found(), 30, "messages")
        self.assertEqual({(row["address"], row["domain"], row["server"]) for row in rows},
                         {(CLIENT, DOMAIN, "mx1")})
        for query in (f"address={CLIENT}", "address=198.51.100.0%2F24", f"domain={DOMAIN}",
                      f"rule={LOAN}", "server=mx1", "from=1h", f"verdict={rows[0]['verdict']}",
                      f"address={CLIENT}&domain={DOMAIN}&rule={LOAN}&from=1h"):
            self.assertEqual(self.found(query), rows, query)
        for query in ("address=192.0.2.1", "domain=other.example", "rule=999", "to=1h",
                      "verdict=nothing", "reported=spam", "uid=0000000000000000"):
            self.assertEqual(self.found(query), [], query)
        self.assertEqual(self.found(f"uid={rows[1]['uid']}"), [rows[1]])
        first = self.admin.get("/messages?most=2")
        self.assertEqual(first["rows"] + self.found(f"most=2&after={first['more']}"), rows)
        one = self.admin.get(f"/messages/{rows[0]['uid']}")
        points = {point["what"]: point["points"] for point in one["explanation"]}
        self.assertIn(LOAN, [rule["id"] for rule in one["rules"]])
        self.assertAlmostEqual(sum(points.values()), one["score"], places=2)
        self.assertEqual({point["what"]: point["source"] for point in one["explanation"]},
                         {f"rule {LOAN}": "rule", "REPUTATION": "reputation"})
        self.assertIn("it is not in the rulebook", [p["why"] for p in one["explanation"]])
        self.monitor.weir.ctl("rules", "add", str(self.monitor.weir.folder / "rules"))
        one = self.admin.get(f"/messages/{rows[0]['uid']}")
        self.assertEqual([(rule["name"], rule["points"], rule["now"]) for rule in one["rules"]],
                         [("CHEAP_LOAN", 6, {"state": "active", "score": 6.0})])
        self.assertIn("offers a cheap loan", [p["why"] for p in one["explanation"]])
        self.assertTrue(all(point["why"] for point in one["explanation"]), one["explanation"])
        self.assertEqual(one["decided"]["ground"], "score")
        self.assertRegex(one["decided"]["words"], "the sum of all points decided; it was ")
        self.assertEqual([one["limits"][name] for name in ("unsure", "spam", "reject")],
                         [3, 5, 15])
        self.assertRegex(one["limits"]["words"], "points are at or above that for spam")
        self.assertRegex(one["reputation"]["words"], r"spam with \d+ % probability, confidence")
        self.assertEqual((one["lacking"], one["text"]["kept"]), ([], False))
        self.assertRegex(one["text"]["words"], "^not kept: only mail that people report")
        overview = self.admin.get("/overview")
        self.assertEqual(overview["limits"], [3, 5])
        self.assertEqual(overview["today"]["messages"], 3)
        self.assertEqual((overview["reports"], overview["blamed"], overview["addresses_seen"]),
                         (0, 0, 0))
        self.assertEqual(sum(row["count"] for row in overview["scores"]), 3)
        self.assertEqual(self.admin.get(f"/addresses/{CLIENT}")["domains"][0]["domain"], DOMAIN)

    def test_B16_a_reported_message_is_shown_as_text_and_its_string_read(self):
        mail = self.judge(subject=HOSTILE)
        self.pipe(mail, "spam", "--user", "<b>ann</b>@test.example")
        listed = rig.wait_for(lambda: self.admin.get("/reports")["rows"], 30, "the report")
        own = json.loads(self.monitor.weir.ctl("reports", "--json"))["reports"]
        self.assertEqual({name: listed[0][name] for name in own[0]}, own[0])
        self.assertEqual((listed[0]["kind"], listed[0]["votes"]), ("spam", {"spam": 1, "ham": 0}))
        uid = listed[0]["uid"]
        self.assertEqual(self.admin.get("/overview")["reports"], 1)
        rig.wait_for(lambda: self.admin.ask("GET", f"/reports/{uid}").status == 200, 30, "the text")
        shown = self.admin.get(f"/reports/{uid}")
        told, = json.loads(self.monitor.weir.ctl("reports", "show", uid, "--json"))
        self.assertEqual(shown["info"], told["info"])
        self.assertEqual(shown["message"]["text"], told["text"])
        self.assertIn(["Subject", HOSTILE.decode()], shown["message"]["headers"])
        self.assertEqual(shown["rules"][0]["then"], shown["rules"][0]["points"])
        self.assertEqual(len(self.admin.get("/reports?waiting=1")["rows"]), 1)
        tried = self.admin.do("POST", "/rules/test", {
            "text": "body LOAN_AGAIN /cheap loan/\nheader NO_SUCH Subject =~ /never said/"})
        self.assertEqual(tried["messages"], {"spam": 1, "ham": 0})
        self.assertEqual({rule["name"]: rule["spam"] for rule in tried["rules"]},
                         {"LOAN_AGAIN": 1, "NO_SUCH": 0})
        self.assertEqual([hit["message"] for hit in tried["hits"]], [uid])
        self.assertEqual(self.admin.ask("POST", "/rules/test", {"text": "body X /(/"}).status, 400)
        self.assertEqual(self.admin.get("/reports?kind=ham")["rows"], [])
        self.admin.do("POST", "/reports", {"uids": [uid], "do": "forget"})
        self.assertEqual(self.admin.ask("GET", f"/reports/{uid}").status, 404)
        self.assertEqual(self.admin.get("/reports?waiting=1")["rows"], [])
        lines = [line["what"] for line in self.admin.get("/audit?who=user%20admin")["rows"]]
        self.assertIn("reports forget", lines)

    def test_encoded_words_of_a_header_are_read_and_kept_as_they_stand(self):
        said = "grün \u202egnp.exe".encode()
        raw = "=?utf-8?b?" + base64.b64encode(said).decode() + "?= for you"
        self.pipe(self.judge(subject=raw.encode()), "spam", "--user", "ann@test.example")
        uid = rig.wait_for(lambda: self.admin.get("/reports")["rows"], 30, "the report")[0]["uid"]
        rig.wait_for(lambda: self.admin.ask("GET", f"/reports/{uid}").status == 200, 30, "the text")
        headers = self.admin.get(f"/reports/{uid}")["message"]["headers"]
        self.assertIn(["Subject", raw, said.decode() + " for you"], headers)
        self.assertIn(["From", "Ann <ann@client.example>"], headers)


del Base  # its tests are another file's

if __name__ == "__main__":
    harness.main()
