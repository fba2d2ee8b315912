#!/usr/bin/env python3
"""What an analyst does at the console about addresses."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
from test_console import Console


class Address(Console):
    def test_an_acceptance_is_taken_back(self):
        place, viewer = "/addresses/192.0.2.77", self.desk.made("vera", "viewer")
        self.refused(self.admin.ask("POST", place + "/unaccept", {}), 404, "not accepted")
        self.admin.do("POST", place + "/accept", {"reason": "a partner"})
        self.assertIsNotNone(self.admin.get(place)["standing"]["accept"])
        self.refused(viewer.ask("POST", place + "/unaccept", {}), 403)
        self.assertEqual(self.admin.do("POST", place + "/unaccept", {"reason": "no more"}),
                         {"undone": 1})
        self.assertIsNone(self.admin.get(place)["standing"]["accept"])
        self.assertEqual(self.admin.get("/audit")["rows"][0]["what"], "unaccept")
        self.refused(self.admin.ask("POST", "/addresses/nowhere/unaccept", {}), 400)
        self.refused(self.admin.ask("POST", place + "/unaccept", {"reason": 7}), 400)


if __name__ == "__main__":
    harness.main()
