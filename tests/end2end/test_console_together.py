#!/usr/bin/env python3
"""Several people at the console at once: what one of them changed, another one who read it before
does not overwrite without knowing."""
import concurrent.futures
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
from test_console import Console

HOUR = 3600
LIMITS = {"prefixes": "192.0.9.0/24", "rate": [5, 0, 0], "maximum": [50, 0, 0], "observe": True,
          "ladder": "alert 1h"}


class Together(Console):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.anna = cls.desk.made("anna", "administrator")

    def threshold(self, name):
        return next((row for row in self.admin.get("/thresholds")["rows"] if row["name"] == name),
                    None)

    def late(self, method, path, body, was, why):
        """What is based on something else is refused, and told what is there."""
        answer = self.admin.ask(method, path, body | {"was": was})
        self.refused(answer, 409, why)
        return answer.json["present"]

    def test_a_rule_that_was_changed_meanwhile_is_not_overwritten(self):
        place = "/rules/TOGETHER"
        self.admin.do("POST", "/rules", {"text": "body TOGETHER /one/\nscore TOGETHER 2\n",
                                         "reason": "new"})
        read = self.admin.get(place)
        was = {name: read[name] for name in ("text", "state", "score", "low", "high", "approved")}
        self.anna.do("PUT", place, {"text": "body TOGETHER /anna's/\n", "was": was, "reason": "a"})
        mine = {"text": "body TOGETHER /mine/\n", "reason": "b"}
        present = self.late("PUT", place, mine, was, "changed meanwhile: text is now "
                            "“body TOGETHER /anna's/")
        self.assertEqual(self.admin.get(place)["text"], present["text"])
        self.assertIn("anna's", present["text"])
        self.late("PUT", place, {"score": 3}, {"score": 2.5}, "score is now 2, and was 2.5")
        self.late("POST", place + "/reject", {}, {"state": "draft"}, "state is now “")
        self.admin.do("PUT", place, mine | {"was": {"text": present["text"], "score": 2}})
        self.assertIn("mine", self.admin.get(place)["text"])
        self.anna.do("PUT", place, {"score": 1.5})  # without it all is as it was
        self.assertEqual(self.admin.get(place)["score"], 1.5)

    def test_a_new_rule_takes_no_other_ones_place(self):
        new = {"text": "body TAKEN /one/\nscore TAKEN 2\n", "was": None}
        self.admin.do("POST", "/rules", new)
        answer = self.anna.ask("POST", "/rules", new | {"text": "body TAKEN /two/\n"})
        self.refused(answer, 409, "TAKEN is there already")
        self.assertIn("one", self.admin.get("/rules/TAKEN")["text"])
        self.anna.do("POST", "/rules", {"text": "body TAKEN /two/\n"})

    def test_a_threshold_that_was_changed_meanwhile_is_not_overwritten(self):
        place = "/thresholds/lost"
        self.admin.do("PUT", place, LIMITS | {"was": None})
        self.late("PUT", place, LIMITS, None, "there is one already")
        was = self.threshold("lost")
        self.anna.do("PUT", place, LIMITS | {"rate": [1, 0, 0], "was": was})
        present = self.late("PUT", place, LIMITS, was, "connections is now “1/s:50”, and was "
                            "“5/s:50”")
        self.assertEqual(present, self.threshold("lost"))
        self.late("DELETE", place, {}, was, "connections is now")
        self.anna.do("DELETE", place, {"was": present})
        self.late("PUT", place, LIMITS, present, "there is none any more")
        self.admin.do("PUT", place, LIMITS)

    def test_a_user_who_was_changed_meanwhile_is_not_overwritten(self):
        self.desk.made("boris", "viewer")
        was = {"role": "viewer", "disabled": False}
        self.anna.do("PUT", "/users/boris", {"role": "analyst", "was": was})
        self.late("PUT", "/users/boris", {"disabled": True}, was, "role is now “analyst”, and was "
                  "“viewer”")
        self.late("DELETE", "/users/boris", {}, was, "role is now")
        self.anna.do("DELETE", "/users/boris", {"was": was | {"role": "analyst"}})

    def test_what_stands_about_an_address_is_not_replaced_unseen(self):
        place, ends = "/addresses/203.0.117.2", int(time.time()) + HOUR
        day = {"list": "blacklist", "ends": ends + 24 * HOUR, "reason": "ticket 4711"}
        nothing = self.admin.get(place)["standing"]
        self.anna.do("POST", place + "/block", day | {"was": nothing})
        hour = {"list": "blacklist", "ends": ends, "defer": True, "reason": "b"}
        for what, body in (("block", hour), ("accept", {}), ("undo", {})):
            present = self.late("POST", f"{place}/{what}", body, nothing,
                                "blacklist is now “refused until .* by user anna: ticket 4711”, "
                                "and was nothing")
        self.assertEqual(present, self.admin.get(place)["standing"])
        self.admin.do("POST", place + "/accept", {"was": present})
        self.late("POST", place + "/unaccept", {}, present, "blacklist is now nothing, and was")
        self.admin.do("POST", place + "/unaccept", {})

    def test_a_set_is_not_published_on_what_was_changed_meanwhile(self):
        self.admin.do("POST", "/rules", {"text": "body SETS /one/\nscore SETS 2\n"})
        self.admin.do("POST", "/publish", {})
        read = self.admin.get("/sets/newest")
        was = {name: read[name] for name in ("serial", "change")}
        self.anna.do("PUT", "/rules/SETS", {"score": 1.5})
        present = self.late("POST", "/publish", {}, was, "changed meanwhile: change is now")
        self.assertEqual(self.admin.get("/sets/newest")["serial"], was["serial"])
        was = {name: present[name] for name in was}
        self.assertTrue(self.admin.do("POST", "/publish", {"was": was})["published"])
        back = {"serial": was["serial"]}
        self.late("POST", "/rollback", back, back, f"serial is now {was['serial'] + 1}, and was")
        self.assertTrue(self.admin.do("POST", "/rollback", back | {
            "was": {"serial": was["serial"] + 1}})["published"])

    def test_of_those_who_publish_at_once_on_the_same_one_is_first(self):
        """Publishing takes its time, and who waits for his turn has read what was before."""
        people = [self.desk.somebody() for _ in range(4)]
        self.admin.do("POST", "/rules", {"text": "body FIRST /one/\nscore FIRST 2\n"})
        self.admin.do("POST", "/publish", {})
        for points in (1.5, 1.75, 2.25):
            self.admin.do("PUT", "/rules/FIRST", {"score": points})
            read = self.admin.get("/sets/newest")
            was = {name: read[name] for name in ("serial", "change")}
            with concurrent.futures.ThreadPoolExecutor(len(people)) as hands:
                answers = list(hands.map(lambda one, was=was: one.ask(
                    "POST", "/publish", {"was": was}), people))
            self.assertEqual(sorted(answer.status for answer in answers), [200, 409, 409, 409])
            for late in (answer for answer in answers if answer.status == 409):
                self.refused(late, 409, "meanwhile: serial is now")
                self.assertEqual(late.json["present"]["serial"], was["serial"] + 1)

    def test_what_it_was_is_read_strictly(self):
        for was, why in ((7, "was"), ("x", "was"), ([], "was"), ({"nosuch": 1}, "nosuch")):
            self.refused(self.admin.ask("PUT", "/users/admin", {"role": "administrator",
                                                                "was": was}), 400, why)


if __name__ == "__main__":
    harness.main()
