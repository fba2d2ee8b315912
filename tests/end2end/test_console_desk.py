#!/usr/bin/env python3
"""What an analyst does at the console: takes an acceptance back, tries a threshold on recorded
traffic, acknowledges alerts, and decides about what people reported."""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Server
from test_console import Console
from test_console_mail import Beside

HOUR = 3600
SPAMMER, PARTNER, SMALL = "203.0.113.9", "198.51.100.7", "192.0.2.5"
LIMITS = {"rate": [1, 0, 0], "maximum": [100, 0, 0], "ladder": "alert 1h"}


class Address(Console):
    def block(self, place, who=None, **said):
        (who or self.admin).do("POST", place + "/block", {
            "list": "blacklist", "ends": int(time.time()) + HOUR, "reason": "a spam run"} | said)

    def told(self, place):
        """What its page tells of it, the newest first."""
        return [(row["list"], row["reason"], row["by"], bool(row["undone"]), row["undone_by"])
                for row in self.admin.get(place)["decisions"]]

    def test_what_was_decided_is_told_after_it_was_replaced_or_taken_back(self):
        place, anna = "/addresses/192.0.2.90", self.desk.made("anna", "analyst")
        self.block(place, ends=int(time.time()) + 24 * HOUR, reason="ticket 4711")
        self.block(place, anna, defer=True, reason="milder")
        rows = self.admin.get(place)["decisions"]
        self.assertEqual([row["defer"] for row in rows], [True, False])
        self.assertEqual(rows[1]["undone"], rows[0]["made"])
        self.assertEqual(self.told(place), [
            ("blacklist", "milder", "user anna", False, None),
            ("blacklist", "ticket 4711", "user admin", True, "user anna")])
        self.admin.do("POST", place + "/undo", {"reason": "a customer"})
        self.assertEqual(self.told(place), [
            ("blacklist", "milder", "user anna", True, "user admin"),
            ("blacklist", "ticket 4711", "user admin", True, "user anna")])
        self.assertEqual(self.admin.get(place)["standing"],
                         {"blacklist": None, "score": None, "accept": None})
        self.assertIsNotNone(self.admin.get(place)["decisions"][1]["ends"])
        own = self.monitor.weir.ctl("decisions", "192.0.2.90", "--past")
        self.assertRegex(own, r"192\.0\.2\.90 +refused .* user admin +ticket 4711; taken back "
                         r".* by user anna \(number \d+\)\n")
        rows = json.loads(self.monitor.weir.ctl("decisions", "192.0.2.90", "--past", "--json"))
        self.assertEqual(rows, self.admin.get(place)["decisions"])
        self.assertNotIn("192.0.2.90", self.monitor.weir.ctl("decisions"))
        self.assertEqual(self.monitor.weir.ctl("decisions", "--past", check=False).returncode, 64)

    def test_an_unblocking_is_taken_back(self):
        place, wide = "/addresses/192.0.2.81", "/addresses/192.0.2.80%2F30"
        self.block(place, reason="a spam run")
        self.block(wide, list="score", points=2, reason="all of them")
        done = self.admin.do("POST", wide + "/undo", {})
        self.assertEqual((done["undone"], self.admin.get(place)["standing"]["blacklist"]),
                         (2, None))
        viewer = self.desk.made("vesna", "viewer")
        self.refused(viewer.ask("POST", wide + "/restore", {"at": done["at"]}), 403)
        self.assertEqual(self.admin.do("POST", wide + "/restore", {"at": done["at"]}),
                         {"restored": 2})
        standing = self.admin.get(place)["standing"]
        self.assertEqual([(standing[name]["reason"], standing[name]["by"]) for name in
                          ("blacklist", "score")], [("a spam run", "user admin"),
                                                    ("all of them", "user admin")])
        self.assertEqual(self.admin.get("/audit")["rows"][0]["what"], "restore")
        self.refused(self.admin.ask("POST", wide + "/restore", {"at": done["at"]}), 404,
                     "nothing")
        for at in (None, "x", -1, 1.5, True):
            self.refused(self.admin.ask("POST", wide + "/restore", {"at": at}), 400, "at")

    def test_what_was_accepted_meanwhile_is_not_blocked_again(self):
        place, wide = "/addresses/192.0.2.101", "/addresses/192.0.2.100%2F30"
        for taken in (place, wide):
            self.block(taken, reason="a spam run")
            at = self.admin.do("POST", taken + "/undo", {})["at"]
            self.admin.do("POST", place + "/accept", {"reason": "they called"})
            self.refused(self.admin.ask("POST", taken + "/restore", {"at": at}), 400, "accept")
            self.assertIsNone(self.admin.get(taken)["standing"]["blacklist"])
            self.admin.do("POST", place + "/unaccept", {})
            self.admin.do("POST", place + "/undo", {})

    def test_what_an_acceptance_removed_stands_again_when_it_is_taken_back(self):
        place = "/addresses/192.0.2.85"
        self.block(place, ends=int(time.time()) + 2, reason="is over soon", list="score", points=1)
        self.block(place, reason="a spam run")
        self.admin.do("POST", place + "/accept", {"reason": "they called"})
        self.assertEqual([self.admin.get(place)["standing"][name] for name in
                          ("blacklist", "score")], [None, None])
        ends = min(row["ends"] for row in self.admin.get(place)["decisions"] if row["ends"])
        rig.wait_for(lambda: self.admin.get(place)["now"] > ends, 10, "the end of the points")
        self.assertEqual(self.admin.do("POST", place + "/unaccept", {}),
                         {"undone": 1, "restored": 1})
        standing = self.admin.get(place)["standing"]
        self.assertEqual((standing["blacklist"]["reason"], standing["blacklist"]["by"]),
                         ("a spam run", "user admin"))
        self.assertEqual((standing["score"], standing["accept"]), (None, None))

    def test_only_an_administrator_accepts_a_wide_network(self):
        anna = self.desk.made("ada", "analyst")
        for wide in ("10.0.0.0/8", "172.16.0.0/15", "2001::/16", "2001:db8::/31"):
            place = "/addresses/" + wide.replace("/", "%2F")
            self.refused(anna.ask("POST", place + "/accept", {}), 403, "administrator")
            self.refused(anna.ask("POST", place + "/undo", {"accept": True}), 403, "administrator")
            self.assertIsNone(self.admin.get(place)["standing"]["accept"])
            anna.do("POST", place + "/undo", {})
            self.admin.do("POST", place + "/accept", {})
            anna.do("POST", place + "/unaccept", {})
        for narrow in ("172.16.0.0/16", "2001:db8::/32", "192.0.2.200"):
            anna.do("POST", "/addresses/" + narrow.replace("/", "%2F") + "/accept", {})
        for wider in ("12.0.0.0/7", "2000::/15"):
            place = "/addresses/" + wider.replace("/", "%2F")
            self.refused(self.admin.ask("POST", place + "/accept", {}), 400, "wider than")

    def test_an_acceptance_is_taken_back(self):
        place, viewer = "/addresses/192.0.2.77", self.desk.made("vera", "viewer")
        self.refused(self.admin.ask("POST", place + "/unaccept", {}), 404, "not accepted")
        self.admin.do("POST", place + "/accept", {"reason": "a partner"})
        self.assertIsNotNone(self.admin.get(place)["standing"]["accept"])
        self.refused(viewer.ask("POST", place + "/unaccept", {}), 403)
        self.assertEqual(self.admin.do("POST", place + "/unaccept", {"reason": "no more"}),
                         {"undone": 1, "restored": 0})
        self.assertIsNone(self.admin.get(place)["standing"]["accept"])
        self.assertEqual(self.admin.get("/audit")["rows"][0]["what"], "unaccept")
        self.refused(self.admin.ask("POST", "/addresses/nowhere/unaccept", {}), 400)
        self.refused(self.admin.ask("POST", place + "/unaccept", {"reason": 7}), 400)


class Traffic(Console):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mx1 = Server(cls.folder, cls.monitor, "mx1")
        hour = (int(time.time()) // HOUR - 5) * HOUR
        for minute in range(10):
            at = hour + 60 * minute
            cls.mx1.saw(SPAMMER, at + 1, connections=90, messages=20, accepted=1)
            cls.mx1.saw(PARTNER, at + 2, connections=90, messages=90, accepted=90)
            cls.mx1.saw(SMALL, at + 3, connections=45)
        for _ in range(60):
            cls.mx1.saw(SPAMMER, connections=90)

    @classmethod
    def tearDownClass(cls):
        cls.mx1.stop()
        super().tearDownClass()

    def attempt(self, **changed):
        return self.admin.ask("POST", "/thresholds/try", LIMITS | changed)

    def test_a_threshold_is_tried_on_what_was_recorded(self):
        rig.wait_for(lambda: self.admin.get(f"/addresses/{SMALL}?minutes=1440")["sum"].get(
            "connections") == 450, 30, "the minutes")
        found = self.attempt().json
        rows = {row["prefix"]: row for row in found["caught"]}
        self.assertEqual({SPAMMER, PARTNER} - set(rows), set())
        self.assertNotIn(SMALL, rows)
        self.assertEqual((rows[SPAMMER]["good"], rows[PARTNER]["good"]), (False, True))
        self.assertEqual((found["threshold"], found["cut"]), ("default", False))
        own = json.loads(self.monitor.weir.ctl(
            "threshold", "test", "--since", "1d", "--connections", "1/s:100", "--messages", "none",
            "--recipients", "none", "--json"))
        self.assertEqual({row["prefix"] for row in own["caught"]}, set(rows))
        rows = {row["prefix"] for row in self.attempt(maximum=[40, 0, 0]).json["caught"]}
        self.assertIn(SMALL, rows)
        rows = {row["prefix"] for row in self.attempt(
            name="partners", prefixes="198.51.100.0/24").json["caught"]}
        self.assertEqual(rows, {PARTNER})
        self.assertEqual(self.attempt(hours=1, name="p", prefixes="198.51.100.0/24").json["caught"],
                         [])
        self.assertEqual([row["source"] for row in self.admin.get("/thresholds")["rows"]],
                         ["configuration"])

    def test_what_is_no_threshold_is_not_tried(self):
        for changed, why in (({"rate": [1, 2]}, "three numbers"), ({"rate": "x"}, "three numbers"),
                             ({"maximum": [-1, 0, 0]}, "maximum"), ({"ladder": "shout"}, "."),
                             ({"hours": 0}, "hours"), ({"hours": 169}, "hours"),
                             ({"hours": "9"}, "hours"), ({"name": "other"}, "prefixes"),
                             ({"prefixes": "192.0.2.0/24"}, "prefixes"), ({"name": 5}, "name"),
                             ({"observe": 1}, "observe"), ({"name": "x" * 32}, "too long")):
            self.refused(self.attempt(**changed), 400, why)
        self.assertEqual(self.attempt(hours=168).status, 200)
        viewer = self.desk.made("vera", "viewer")
        self.refused(viewer.ask("POST", "/thresholds/try", LIMITS), 403)

    def test_an_alert_is_acknowledged(self):
        rows = rig.wait_for(lambda: self.admin.get("/alerts?open=1")["rows"], 30, "an alert")
        number, place = rows[0]["number"], f"/alerts/{rows[0]['number']}/acknowledge"
        self.assertEqual([rows[0][name] for name in ("acknowledged", "acknowledged_by", "note")],
                         [None, None, None])
        before = self.admin.get("/overview")["open_events"]
        viewer = self.desk.made("vally", "viewer")
        self.refused(viewer.ask("POST", place, {"note": "me"}), 403)
        self.admin.do("POST", place, {"note": "their <b>newsletter</b>"})
        row = self.admin.get(f"/alerts?number={number}")["rows"]
        self.assertEqual([(one["number"], one["acknowledged_by"], one["note"]) for one in row],
                         [(number, "user admin", "their <b>newsletter</b>")])
        self.assertEqual(self.admin.get("/overview")["open_events"], before - 1)
        self.assertIn(number, [one["number"] for one in self.admin.get("/alerts?open=1")["rows"]])
        self.assertIn("user admin knows: their <b>newsletter</b>", self.monitor.weir.ctl("events"))
        self.monitor.weir.ctl("events", "acknowledge", str(number), "--note", "told them")
        row = self.admin.get(f"/alerts?number={number}")["rows"][0]
        self.assertEqual(row["note"], "told them")
        self.assertRegex(row["acknowledged_by"], "^uid ")
        audit = self.admin.get("/audit")["rows"]
        details = [one["detail"] for one in audit if one["what"] == "events acknowledge"]
        self.assertRegex(details[0], rf"^{number}: told them; was acknowledged by user admin at "
                                     r"\S+Z: their <b>newsletter</b>$")
        self.assertEqual(details[1:], [f"{number}: their <b>newsletter</b>"])
        self.refused(self.admin.ask("POST", "/alerts/999999/acknowledge", {}), 404)
        for wrong in ("0", "-1", "1x", "9" * 30):
            self.refused(self.admin.ask("POST", f"/alerts/{wrong}/acknowledge", {}), 400)
        self.refused(self.admin.ask("POST", place, {"note": 7}), 400)
        self.refused(self.admin.ask("POST", place, {"note": "x" * 10000}), 400)
        for hidden in ("\x1b]0;owned\x07", "two\nlines", "\u202eback"):
            self.refused(self.admin.ask("POST", place, {"note": hidden}), 400, "be shown")


class Reports(Beside):
    """Decisions about what people reported."""

    def report(self, kind, *users):
        mail = self.judge()
        for user in users:
            self.pipe(mail, kind, "--user", f"{user}@test.example")
        seen = [row["uid"] for row in self.admin.get("/reports?most=500")["rows"]]
        return rig.wait_for(lambda: [row for row in self.admin.get("/reports")["rows"]
                                     if row["votes"][kind] == len(users)], 30, seen)[0]["uid"]

    def row(self, uid):
        return [row for row in self.admin.get("/reports")["rows"] if row["uid"] == uid][0]

    def refused(self, answer, status):
        self.assertEqual(answer.status, status, answer.octets)

    def test_B16_who_decides_at_the_console_outweighs_the_majority(self):
        uid = self.report("spam", "ann", "bob", "carl")
        self.assertEqual(self.row(uid)["effect"], "spam")
        done = self.admin.do("POST", f"/reports/{uid}", {"do": "reject"})
        self.assertEqual(done, {"uid": uid, "user": "console:admin", "report": "ham",
                                "taken_back": False, "effect": "ham"})
        row = self.row(uid)
        self.assertEqual((row["effect"], row["votes"]), ("ham", {"spam": 3, "ham": 1}))
        self.assertEqual((row["user"], row["kind"]), ("console:admin", "ham"))
        self.assertEqual({row["server"] for row in self.admin.get("/reports")["rows"]},
                         {"the desk", "mx1"})
        self.assertRegex(self.monitor.weir.ctl("reports"), rf"{uid} the desk +ham .*console:admin")
        message = self.admin.get(f"/messages?uid={uid}")["rows"][0]
        self.assertEqual(message["reported"], "ham")
        self.admin.do("POST", f"/reports/{uid}", {"do": "confirm"})
        row = self.row(uid)
        self.assertEqual((row["effect"], row["votes"]), ("spam", {"spam": 4, "ham": 0}))
        self.admin.do("POST", f"/reports/{uid}", {"do": "reject"})
        self.assertEqual(self.admin.do("POST", f"/reports/{uid}", {"do": "undo"})["effect"],
                         "spam")
        self.assertEqual(self.row(uid)["votes"], {"spam": 3, "ham": 0})
        self.refused(self.admin.ask("POST", f"/reports/{uid}", {"do": "undo"}), 404)
        self.assertEqual([row["what"] for row in self.admin.get("/audit")["rows"][:4]],
                         ["reports undo", "reports reject", "reports confirm", "reports reject"])
        self.monitor.weir.ctl("reports", "reject", uid)
        self.assertEqual(self.row(uid)["effect"], "ham")
        self.monitor.weir.ctl("reports", "undo", uid)
        self.assertEqual(self.row(uid)["effect"], "spam")

    def test_what_another_one_decided_meanwhile_is_not_turned_round_unseen(self):
        uid = self.report("spam", "ann")
        self.assertIsNone(self.row(uid)["desk"])
        self.monitor.weir.ctl("reports", "reject", uid)
        answer = self.admin.ask("POST", f"/reports/{uid}", {"do": "confirm", "was": {"desk": None}})
        self.refused(answer, 409)
        self.assertIn("desk is now “ham”, and was nothing", answer.json["error"])
        self.assertEqual((answer.json["present"]["desk"], self.row(uid)["effect"]), ("ham", "ham"))
        self.admin.do("POST", f"/reports/{uid}", {"do": "confirm", "was": {"desk": "ham"}})
        self.assertEqual(self.row(uid)["desk"], "both")

    def test_many_are_decided_at_once(self):
        uid = self.report("spam", "ann")
        nobody = "0" * 16
        self.assertEqual(self.admin.do("POST", "/reports", {"uids": [uid, nobody],
                                                            "do": "reject"}), {"done": 1})
        self.assertEqual(self.row(uid)["effect"], "ham")
        self.refused(self.admin.ask("POST", f"/reports/{nobody}", {"do": "confirm"}), 404)
        for body in ({"do": "burn"}, {"do": 7}, {}):
            self.refused(self.admin.ask("POST", f"/reports/{uid}", body), 400)

    def test_of_many_none_is_turned_round_unseen(self):
        uids = [self.report("spam", "ann"), self.report("spam", "bob", "carl")]
        was = {uid: self.row(uid)["desk"] for uid in uids}
        self.monitor.weir.ctl("reports", "reject", uids[1])
        confirm = {"uids": uids, "do": "confirm"}
        answer = self.admin.ask("POST", "/reports", confirm | {"was": was})
        self.refused(answer, 409)
        self.assertIn(f"{uids[1]} is now “ham”, and was nothing", answer.json["error"])
        self.assertEqual(answer.json["present"], {uids[0]: None, uids[1]: "ham"})
        self.assertIsNone(self.row(uids[0])["desk"])
        done = self.admin.do("POST", "/reports", confirm | {"was": answer.json["present"]})
        self.assertEqual(done, {"done": 2})
        self.assertEqual([self.row(uid)["desk"] for uid in uids], ["spam", "both"])
        for wrong in ({"0" * 16: None}, 7):
            self.refused(self.admin.ask("POST", "/reports", confirm | {"was": wrong}), 400)
        self.refused(self.admin.ask("POST", "/reports", {"do": "confirm", "was": {}}), 400)

    def waiting(self):
        return [row["uid"] for row in self.admin.get("/reports?waiting=1")["rows"]]

    def test_what_the_desk_decided_waits_no_more_and_taken_back_it_does(self):
        uids = [self.report("spam", "ann"), self.report("spam", "bob", "carl")]
        rig.wait_for(lambda: len(self.waiting()) == 3, 30, "texts")
        self.admin.do("POST", f"/reports/{uids[1]}", {"do": "reject"})
        self.assertEqual(self.waiting(), uids[:1])
        self.assertEqual(len(self.admin.get("/reports")["rows"]), 4)
        self.admin.do("POST", f"/reports/{uids[1]}", {"do": "undo"})
        self.assertEqual(sorted(self.waiting()), sorted([uids[0], uids[1], uids[1]]))
        self.admin.do("POST", "/reports", {"uids": uids, "do": "confirm"})
        self.assertEqual(self.waiting(), [])
        self.admin.do("POST", "/reports", {"uids": uids, "do": "forget"})
        self.assertEqual(self.waiting(), [])


class Live(Console):
    """Pages of rules hear that rules are others."""

    def test_a_rule_that_is_changed_and_a_set_that_is_published_are_told(self):
        admin = self.desk.somebody()
        stream = admin.listen()
        self.addCleanup(stream.close)
        now = stream.until("rules", lambda data: True)
        self.assertEqual((now["serial"], now["change"]), (0, 0))
        admin.do("POST", "/rules", {"text": "body WEIR_TEA /tea/\nscore WEIR_TEA 1",
                                    "state": "active"})
        added = stream.until("rules", lambda data: data["change"] > 0)
        admin.do("PUT", "/rules/WEIR_TEA", {"score": 2})
        changed = stream.until("rules", lambda data: data["change"] > added["change"])
        admin.do("POST", "/publish", {})
        told = stream.until("rules", lambda data: data["serial"] > 0)
        self.assertEqual((told["serial"], told["change"]), (1, changed["change"]))


if __name__ == "__main__":
    harness.main()
