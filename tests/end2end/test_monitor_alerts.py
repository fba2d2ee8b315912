#!/usr/bin/env python3
"""What analysts are told by the monitor, how, and how often."""
import email
import email.policy
import http.server
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Hook, Monitor, sendmail
from test_monitor import BAD, OTHER, World

TO = "postmaster@example.org, root"


class Told(World):
    """A monitor that tells by mail, webhook and log."""

    def told_world(self, window="2s", hook=None, **more):
        self.box = self.folder / "box"
        self.hook = hook or Hook()
        self.addCleanup(self.hook.close)
        return self.world(monitor={"alert_mail": TO, "sendmail": sendmail(self.box),
                                   "alert_webhook": self.hook.url, "alert_window": window, **more})

    def mails(self):
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                for path in sorted(self.box.glob("*.eml"), key=lambda path: path.stat().st_mtime)]

    def wait_for_mails(self, count, seconds=10):
        rig.wait_for(lambda: len(self.mails()) >= count, seconds, f"{count} mails")
        return self.mails()

    def posted(self):
        """The addresses the webhook was told of, one after the other."""
        return [alert["address"] for post in self.hook.taken() for alert in post["alerts"]]

    def wait_for_posts(self, count, seconds=10):
        rig.wait_for(lambda: len(self.hook.taken()) >= count, seconds, f"{count} posts")
        return self.hook.taken()


class Alerts(Told):
    """Mail, webhook and log."""

    def test_A8_A19_A35_alert_by_mail_webhook_and_log(self):
        self.told_world()
        began = time.monotonic()
        self.exceed()
        mail, = self.wait_for_mails(1)
        post, = self.wait_for_posts(1)
        self.assertLess(time.monotonic() - began, 2)
        body = mail.get_content()
        for what in (f"{BAD}: ", "connections a second", "allowed 50 at once and 1.000 a second",
                     "seen by mx1, mx2", "response: reject until",
                     f"to undo it: weirctl unblock {BAD}"):
            self.assertIn(what, body)
            self.assertIn(what, post["text"])
            self.assertIn(what, self.monitor.log())
        alert, = post["alerts"]
        self.assertEqual((alert["address"], alert["quantity"], alert["limit"], alert["servers"],
                          alert["response"]),
                         (BAD, "connections", {"rate": 1, "maximum": 50}, ["mx1", "mx2"],
                          "reject"))
        self.assertGreater(alert["rate"], 1)

    def test_mail_is_a_proper_message_for_a_program_without_a_shell(self):
        self.told_world()
        self.exceed()
        mail, = self.wait_for_mails(1)
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertEqual([str(address) for address in mail["To"].addresses],
                         ["postmaster@example.org", "root"])
        self.assertEqual(mail.defects, [])
        self.assertIn(BAD, mail["Subject"])
        self.assertLess(abs(mail["Date"].datetime.timestamp() - time.time()), 10)
        self.assertIn("weir-monitor@", mail["From"])
        self.assertRegex(mail["Message-ID"], r"^<[^<>@\s]+@[^<>@\s]+>$")
        for octets in next(self.box.glob("*.eml")).read_bytes().split(b"\n"):
            self.assertRegex(octets, rb"^[ -~]{0,998}$")
        arguments = next(self.box.glob("*.arguments")).read_text().split("\n")
        self.assertEqual(arguments[:4], ["-i", "--", "postmaster@example.org", "root"])
        names = {line.split("=")[0] for line in
                 next(self.box.glob("*.environment")).read_text().split("\n")}
        self.assertLessEqual(names, {"", "PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"})

    def test_what_follows_within_the_window_is_one_message(self):
        self.told_world(window="3s")
        self.exceed()
        self.wait_for_mails(1)
        for n in range(30):  # in networks of their own
            self.mx1.saw(f"198.51.{n}.9", connections=60)
        first, second = self.wait_for_mails(2)
        self.assertIn("1 alert from", first.get_content())
        body = second.get_content()
        self.assertIn("30 alerts from", body)
        self.assertEqual(body.count("weirctl unblock"), 20)
        self.assertIn("and 10 more", body)
        post = self.wait_for_posts(2)[1]
        self.assertEqual((post["count"], post["more"], len(post["alerts"])), (30, 10, 20))
        self.assertEqual(post["responses"]["reject"], 30)
        times = [when for when, *_ in self.hook.posts]
        self.assertGreater(times[1] - times[0], 2.5)
        time.sleep(4)
        self.assertEqual((len(self.mails()), len(self.hook.posts)), (2, 2))

    def flood(self, window):
        self.told_world(window=window)
        for n in range(200):
            self.mx1.saw(f"198.51.{n}.9", at=time.time() - 7200 + n, connections=60)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts"] == 200, 15, "200 alerts")

    def gathered(self):
        return re.findall(r"alerts gathered: (\d+) alerts? from \S+ to \S+: (.*)",
                          self.monitor.log())

    def test_the_log_has_the_first_lines_of_a_window_and_one_for_the_rest(self):
        self.flood("1h")
        self.assertEqual(self.monitor.stop(), 0)
        (count, what), = self.gathered()
        self.assertEqual(count, "180")
        self.assertRegex(what, r"^alert 1\d\d reject 3\d; 198\.51\.20\.9, 198\.51\.21\.9, "
                               r"198\.51\.22\.9, 198\.51\.23\.9, 198\.51\.24\.9 and 175 more$")
        self.assertEqual(self.monitor.log().count("alert: "), 20)
        self.assertLess(self.monitor.log().count("over its limit: "), 50)

    def test_the_log_has_what_it_gathered_when_the_window_ends(self):
        self.flood("1s")
        rig.wait_for(lambda: self.monitor.log().count("alert: ") +
                     sum(int(count) for count, _ in self.gathered()) == 200, 15, "all in the log")

    def test_no_more_messages_an_hour_than_wanted_and_the_rest_at_the_end(self):
        self.told_world(window="1s", alert_hour=2)
        for n in range(5):
            self.mx1.saw(f"198.51.{n}.9", connections=60)
            time.sleep(1.3)
        self.assertEqual((len(self.mails()), len(self.hook.posts)), (2, 2))
        self.assertGreater(self.monitor.ask("status")["alerts_waiting"], 0)
        self.assertEqual(self.monitor.stop(), 0)
        self.assertEqual(sum(post["count"] for post in self.hook.taken()), 5)
        self.assertEqual(len(self.mails()), 3)

    def test_what_cannot_be_told_waits_and_is_logged_once(self):
        self.told_world(window="1s", hook=Hook(503))
        (self.box / "broken").touch()
        self.exceed()
        rig.wait_for(lambda: self.monitor.ask("status")["alert_failures"] >= 4)
        self.mx1.saw(OTHER, connections=60)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 4)
        log = self.monitor.log()
        self.assertEqual(log.count("alerts by mail cannot be told"), 1)
        self.assertIn("ended with 75: the queue is full", log)
        self.assertEqual(log.count("alerts by webhook cannot be told"), 1)
        self.assertIn("its status was 503", log)
        (self.box / "broken").unlink()
        self.hook.status = 204
        self.assertIn("2 alerts from", self.wait_for_mails(1)[0].get_content())
        self.assertEqual(self.wait_for_posts(1)[0]["count"], 2)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 0)
        rig.wait_for(lambda: self.monitor.log().count("are told again") == 2)

    def test_a_webhook_that_took_it_and_cuts_its_answer_is_not_told_again(self):
        self.told_world(window="1s", hook=Hook(promised=10))
        self.exceed()
        rig.wait_for(lambda: self.hook.posts)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 0)
        self.mx1.saw(OTHER, connections=60)
        rig.wait_for(lambda: len(self.hook.posts) > 1)
        self.assertEqual([alert["address"] for post in self.hook.taken()
                          for alert in post["alerts"]], [BAD, OTHER])
        self.assertNotIn("cannot be told", self.monitor.log())

    def test_hanging_program_and_web_server_hold_nobody_up(self):
        self.told_world()
        (self.box / "hangs").touch()
        with rig.socket.create_server(("127.0.0.1", 0)) as silent:
            self.monitor.stop()
            port = silent.getsockname()[1]
            self.monitor.weir.configure(
                monitor={"alert_webhook": f"http://127.0.0.1:{port}/x"})
            self.monitor.start()
            self.exceed()
            self.wait_for_event()
            self.wait_for_entries("blacklist")
            began = time.monotonic()
            self.mx1.saw(OTHER, connections=60)
            self.wait_for_event(OTHER)
            self.assertLess(time.monotonic() - began, 2)
            began = time.monotonic()
            self.assertEqual(self.monitor.stop(), 0)
            self.assertLess(time.monotonic() - began, 12)
        self.assertIn("took too long", self.monitor.log())
        self.assertIn("alerts were not told by mail", self.monitor.log())
        self.assertIn("alerts were not told by webhook", self.monitor.log())
        left = subprocess.run(["pgrep", "-fx", "sleep 600"], capture_output=True, text=True,
                              check=False).stdout.split()
        self.assertEqual([pid for pid in left if str(self.box) in
                          pathlib.Path(f"/proc/{pid}/cwd").resolve().as_posix()], [])

    def test_thousands_at_once_are_one_message(self):
        self.told_world(window="1h")
        self.exceed(OTHER)
        self.wait_for_posts(1)
        self.wait_for_mails(1)
        for n in range(5000):  # in networks of their own
            (self.mx1, self.mx2)[n % 2].saw(f"198.{20 + n // 250}.{n % 250}.9", connections=60)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 10000, 60, "all")
        self.assertEqual(self.monitor.ask("status")["alerts"], 5001)
        self.assertEqual(self.monitor.stop(), 0)  # which ends the window
        post = self.hook.taken()[1]
        self.assertEqual((post["count"], post["more"]), (5000, 4980))
        self.assertIn("5000 alerts from", self.mails()[1].get_content())
        self.assertEqual(self.monitor.rows("SELECT (SELECT count(*) FROM owed) AS owed, count(*) "
                                           "AS untold FROM events WHERE told = 0"),
                         [{"owed": 0, "untold": 0}])

    def test_certificate_of_the_webhook_is_checked(self):
        key, chain = self.folder / "key.pem", self.folder / "chain.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", chain,
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        hook = Hook()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), hook.server.RequestHandlerClass)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        threading.Thread(target=secure.serve_forever, daemon=True).start()
        self.addCleanup(secure.server_close)
        self.addCleanup(secure.shutdown)
        hook.url = f"https://127.0.0.1:{secure.server_address[1]}/"
        self.told_world(hook=hook)
        self.exceed()
        rig.wait_for(lambda: "alerts by webhook cannot be told" in self.monitor.log())
        self.assertEqual(hook.posts, [])

    def test_wrong_recipients_and_places_are_refused_at_the_start(self):
        for setting in ({"alert_mail": "-oQ/tmp"}, {"alert_mail": "a@b, |sh"},
                        {"alert_webhook": "file:///etc/passwd"}, {"sendmail": "sendmail"}):
            with self.subTest(setting):
                name = f"monitor{len(list(self.folder.iterdir()))}"
                with self.assertRaises(rig.Trouble):
                    Monitor(self.folder, name, monitor=setting)


class Owed(Told):
    """What could not be told at once."""

    def both_fail(self):
        """Nobody can be told of an address: the number of its event."""
        self.told_world(window="1s", hook=Hook(503))
        (self.box / "broken").touch()
        self.mx1.saw(BAD, connections=60)
        number = self.wait_for_event()[0]["number"]
        rig.wait_for(lambda: self.monitor.log().count("cannot be told, and wait") == 2, 10,
                     "both to fail")
        self.assertEqual(self.monitor.events(BAD)[0]["told"], 0)
        return number

    def both_work(self):
        (self.box / "broken").unlink()
        self.hook.status = 204

    def told_of(self, *addresses):
        """Once the last of them is told, both ways have told of all of them once, and of no
        other."""
        rig.wait_for(lambda: addresses[-1] in self.posted(), 15, f"{addresses[-1]} to be told")
        self.assertEqual(sorted(self.posted()), sorted(addresses))
        text = "".join(mail.get_content() for mail in rig.wait_for(
            lambda: self.mails() if any(addresses[-1] in mail.get_content()
                                        for mail in self.mails()) else None, 15, "mail"))
        self.assertEqual([text.count(f"{address}: ") for address in addresses],
                         [1] * len(addresses))

    def again(self, end):
        self.both_fail()
        end()
        self.both_work()
        self.monitor.start()
        self.told_of(BAD)
        self.mx1.saw(OTHER, connections=60)
        self.told_of(BAD, OTHER)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 0, 5, "their note")
        self.assertGreater(self.monitor.events(BAD)[0]["told"], 0)
        end()
        self.monitor.start()
        self.mx1.saw("198.51.100.77", connections=60)
        self.told_of(BAD, OTHER, "198.51.100.77")

    def test_what_nobody_was_told_before_a_kill_is_told_once_after_it(self):
        self.again(self.monitor_killed)

    def monitor_killed(self):
        self.monitor.kill()

    def test_what_nobody_was_told_before_the_end_is_told_once_after_the_next_start(self):
        self.again(self.monitor_stopped)
        self.assertIn("1 alerts were not told by mail: they are after the next start",
                      self.monitor.log())

    def monitor_stopped(self):
        self.assertEqual(self.monitor.stop(), 0)

    def test_acknowledged_before_anybody_was_told_it_is_told_when_that_is_taken_back(self):
        number = self.both_fail()
        self.monitor.ask("events acknowledge", number=number, note="mine")
        self.assertEqual(self.monitor.ask("status")["alerts_waiting"], 0)
        self.both_work()
        self.mx1.saw(OTHER, connections=60)
        self.told_of(OTHER)
        self.monitor.ask("events unacknowledge", number=number)
        self.told_of(OTHER, BAD)

    def test_what_is_silenced_or_acknowledged_within_the_window_is_not_told(self):
        self.told_world(window="1h")
        self.mx1.saw(OTHER, connections=60)
        self.told_of(OTHER)
        addresses = [f"198.51.{n}.9" for n in range(3)]
        for address in addresses:
            self.mx1.saw(address, connections=60)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 6, 20, "them to wait")
        self.monitor.ask("events acknowledge", note="mine",
                         number=self.monitor.events(addresses[0])[0]["number"])
        self.monitor.ask("silence add", prefix=addresses[1], ends=int(time.time()) + 600,
                         reason="known")
        self.assertEqual(self.monitor.stop(), 0)  # which ends the window
        self.told_of(OTHER, addresses[2])
        self.assertEqual([self.monitor.events(address)[0]["told"] for address in addresses[:2]],
                         [0, 0])

    def test_ways_that_are_taken_away_are_owed_no_more(self):
        self.both_fail()
        self.monitor.weir.configure(monitor={"alert_webhook": ""})
        self.monitor.process.send(1)
        rig.wait_for(lambda: "1 alerts that waited for webhook are told no more: [monitor] "
                     "alert_webhook is not set any more" in self.monitor.log(), 10, "the line")
        self.assertEqual(self.monitor.ask("status")["alerts_waiting"], 1)
        (self.box / "broken").unlink()
        self.wait_for_mails(1)


if __name__ == "__main__":
    harness.main()
