#!/usr/bin/env python3
"""Alerts in an operator's own words: mail and webhook filled from files, wrong ones refused."""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Hook, Monitor
from test_monitor import BAD, OTHER
from test_monitor_alerts import Told

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "monitor/console/examples"


class Template(Told):
    """Files named by settings."""

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def test_mail_and_webhook_are_in_the_words_of_a_file(self):
        self.told_world(
            alert_mail_template=self.file("mail", "Subject: Halt: ${address} ${level}\n\n"
                                          "Von ${servers} gesehen, über ${limit_most}.\n"),
            alert_webhook_template=self.file("hook", '{"text": "${address} \\"${level}\\"", '
                                             '"most": ${limit_most}, "who": ${servers}}'))
        self.exceed()
        mail, = self.wait_for_mails(1)
        post, = self.wait_for_posts(1)
        self.assertEqual(mail["Subject"], f"Halt: {BAD} reject")
        self.assertEqual(mail.get_content(), "Von mx1, mx2 gesehen, über 50.\n")
        self.assertEqual(mail.defects, [])
        self.assertIn("weir-monitor@", mail["From"])
        self.assertEqual(post, {"text": f'{BAD} "reject"', "most": 50, "who": "mx1, mx2"})

    def test_the_examples_are_right(self):
        boss = Hook()
        self.addCleanup(boss.close)
        self.told_world(alert_mail_template=EXAMPLES / "alert-mail.template",
                        alert_webhook_template=EXAMPLES / "alert-chat.json",
                        escalate_template=EXAMPLES / "alert-webhook.json",
                        escalate_webhook=boss.url, escalate_after="1s", escalate_most=1)
        self.exceed()
        mail, = self.wait_for_mails(1)
        self.assertEqual(mail["Subject"], f"[weir] reject {BAD} (default)")
        self.assertIn(f"undo: weirctl unblock {BAD}", mail.get_content())
        post, = self.wait_for_posts(1)
        self.assertEqual(post["attachments"][0]["title"], f"{BAD}: reject")
        self.assertTrue(post["text"].startswith("*1 alerts* from "))
        post = rig.wait_for(boss.taken, 15, "the others")[0]
        self.assertEqual([(one["address"], one["level"], one["again"]) for one in post["alerts"]],
                         [(BAD, "reject", 1)])

    def test_a_wrong_one_is_refused_with_its_line(self):
        for setting, text, why in (
                ("alert_mail_template", "Subject: x\n\n${address}\n${adress}\n",
                 ":4: there is no field of this name: adress"),
                ("alert_mail_template", "Subject: x\nBcc: y\n\nz", ":1: no empty line"),
                ("alert_webhook_template", '{\n"a": ${address}', ":2: filled in it is no JSON"),
                ("escalate_template", '{"a": "' + "x" * 16384 + '"}',
                 ":1: it is longer than 16384 octets")):
            with self.subTest(text[:40]):
                wrong = self.file("wrong", text)
                name = f"monitor{len(list(self.folder.iterdir()))}"
                with self.assertRaisesRegex(rig.Trouble, "."):
                    Monitor(self.folder, name, monitor={setting: wrong})
                conf = self.folder / name / "weir.conf"
                done = subprocess.run([rig.BUILD / "weir-monitor", "-t", "-c", conf], text=True,
                                      capture_output=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 78)
                self.assertIn(f"{wrong}{why}", done.stderr)

    def test_a_reload_takes_a_changed_file_and_refuses_a_wrong_one(self):
        path = self.file("hook", '{"text": "one ${address}"}')
        self.told_world(window="1s", alert_webhook_template=path)
        self.mx1.saw(BAD, connections=60)
        self.assertEqual(self.wait_for_posts(1)[0], {"text": f"one {BAD}"})
        path.write_text('{"text": "two ${address}"')
        self.monitor.process.send(1)
        rig.wait_for(lambda: "not reloaded: the configuration it has stays" in self.monitor.log())
        self.assertIn(f"{path}:1: filled in it is no JSON", self.monitor.log())
        path.write_text(json.dumps({"text": "two ${address}"}))
        self.monitor.process.send(1)
        rig.wait_for(lambda: "reloaded " + str(self.monitor.weir.conf) in self.monitor.log())
        self.mx1.saw(OTHER, connections=60)
        self.assertEqual(self.wait_for_posts(2)[1], {"text": f"two {OTHER}"})


if __name__ == "__main__":
    harness.main()
