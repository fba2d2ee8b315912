#!/usr/bin/env python3
"""demo.py [--once] - Weir at work, to be looked at and tried (make run).

Brings up a private Postfix on 127.0.0.1:2525 that asks weir-policyd (local store) about each
recipient and weir-milter (starter rules) about each message, gives them a little history, sends
a few mails as from different clients, and prints what became of each and why.  Then a weir-monitor
is there, with an agent and a sniffer, and one address sends too much.  Stays up until Ctrl-C, then
takes everything away; with --once it leaves after printing.  WEIR_PORT=2526 takes another port.

demo.py --send CLIENT SENDER [RECIPIENT]  sends one more mail to a running demo, as
from that client's address, and prints the replies.
"""
import argparse
import collections
import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True

import demo_monitor
import milter
import postfix
import rig
import smtp

PORT = int(os.environ.get("WEIR_PORT", "2525"))
TOM = "tom@test.example"

Sample = collections.namedtuple("Sample", "mail client sender")

LISTED, LISTED_NET = "203.0.113.7", "198.51.100.0/24"
RELAY = "198.51.100.25"
LENDER, LIGHTHOUSE, STRANGER = "192.0.2.66", "192.0.2.10", "203.0.113.99"

SAMPLES = (
    Sample("spam-doge.eml", LISTED, "alerts@gift-fund.example"),
    Sample("spam-loan.eml", LENDER, "david@quick-loans.example"),
    Sample("good-invoice.eml", RELAY, "rechnung@loewe-rad.example"),
    Sample("good-newsletter.eml", LIGHTHOUSE, "letters@lighthouse.example"),
    Sample("spam-auditor.eml", STRANGER, "letters@lighthouse.example"),
    Sample("good-personal.eml", "198.18.4.20", "hanna@garden.example"),
    Sample("good-bounce.eml", LISTED, ""),
)
STARTER = rig.TOP / "core/evidence/starter.rules"

HISTORY = (
    (f"{LISTED} is on the blacklist",
     ("blacklist", "add", LISTED, "--for", "4h", "--reason", "sends viruses")),
    (f"so is its neighbourhood {LISTED_NET},",
     ("blacklist", "add", LISTED_NET, "--for", "4h", "--reason", "hijacked network")),
    (f"but {RELAY} in it is acceptable",
     ("accept", "add", RELAY, "--forever", "--reason", "relay of our accountant")),
    (f"25 people called mail of quick-loans.example from {LENDER} spam",
     ("reputation", "add", "--verdict", "spam", "--count", "25", LENDER, "quick-loans.example")),
    (f"200 good mails of lighthouse.example came from {LIGHTHOUSE}",
     ("reputation", "add", "--verdict", "good", "--count", "200", LIGHTHOUSE,
      "lighthouse.example")),
    (f"a program took two mails from {STRANGER} for spam",
     ("reputation", "add", "--verdict", "spam", "--by", "computer", "--count", "2", STRANGER,
      "elsewhere.example")),
)

BECAUSE = {
    "blacklist": "the address is on the blacklist",
    "accept": "the address is on the acceptable list",
    "null-sender": "bounces always pass",
    "role": "postmaster and abuse always pass",
    "never": "the address is on the never-list",
    "whitelist": "the domain is acceptable, and this is its own mail",
}


def because(decision):
    """Why, in plain words, from a decision line of the log."""
    if decision["ground"] in BECAUSE:
        return BECAUSE[decision["ground"]]
    spam = f"{100 * float(decision['probability']):.0f} % spam"
    if decision["basis"] == "prior":
        return f"nothing is known of it ({spam} by the mail at large)"
    words = {"pair": "this address with this domain", "net-domain": "this network with this domain",
             "address": "this address", "domain": "this domain", "net": "this network"}
    forged = "; the domain's name seems forged" if "FORGED" in decision["rules"] else ""
    return f"what is known of {words[decision['basis']]}: {spam}{forged}"


def start_milter(server):
    """For postfix.MailServer: a weir-milter with the starter rules."""
    def start(weir):
        milter.write_rules(weir, STARTER.read_text(), "10-starter.rules")
        server.append(milter.Milter(weir))
        return milter.wiring(server[0].path)
    return start


def feed(server, sample):
    """Sends a sample; gives (outcome, decision, delivered mail or None)."""
    seen = len(server.policyd.decisions())
    before = len(server.postfix.mails())
    content = (rig.MAIL / sample.mail).read_bytes()
    outcome = smtp.send(server.postfix.port, sample.client, sample.sender, [TOM], content)
    decision = rig.wait_for(lambda: server.policyd.decisions()[seen:], what="a decision")[-1]
    if not outcome.accepted:
        return outcome, decision, None
    server.postfix.wait_mails(before + 1)
    return outcome, decision, newest(server)


def newest(server):
    box = server.postfix.folder / "mail" / "box" / "new"
    return max(box.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def show(sample, outcome, decision, path):
    print(f"{sample.mail:20} {sample.client:14} {'<' + sample.sender + '>':29} "
          f"{decision['verdict']:8} {decision['action']}")
    print(f"    because    {because(decision)}")
    print(f"    reply      {outcome.reply.code} {outcome.reply.text}")
    if path is None:
        print("    delivered  no")
    else:
        print(f"    delivered  {path}")
        for name in ("X-Weir-Policy", "X-Spam-Status"):
            for value in smtp.header(path.read_bytes(), name):
                print(f"    header     {name}: {' '.join(value.split())}")
    print(flush=True)


def tell(server):
    """Where everything is, and what to try."""
    sudo = "sudo " if "SUDO_USER" in os.environ else ""
    ctl = f"{sudo}{os.path.relpath(rig.BUILD, rig.TOP)}/weirctl -c {server.weir.conf}"
    monitor = f"{ctl.rsplit(' ', 1)[0]} {server.loop.monitor.weir.conf}"
    log, port = server.policyd.process.log_path, server.postfix.port
    print(f"""\
Up: Postfix on 127.0.0.1:{port}, weir-policyd on 127.0.0.1:{server.policyd.port}; \
all in {server.folder}
weir-milter tags whole messages, and refuses them from 15 points on.

The console: {server.loop.console}   log in as admin with {server.loop.password()}

Try it (clients on 127.0.0.1 may play any address with XCLIENT):
    python3 tests/end2end/demo.py --send {LISTED} ann@shop.example
    telnet 127.0.0.1 {port}      and then    EHLO me
                                          XCLIENT ADDR={LISTED}
                                          EHLO me
                                          MAIL FROM:<ann@shop.example>
                                          RCPT TO:<{TOM}>
    {ctl} blacklist list
    {ctl} blacklist remove {LISTED}
    {ctl} reputation {LENDER} quick-loans.example
    {ctl} reputation add --verdict good {LENDER} quick-loans.example
    {ctl} check --explain {rig.MAIL}/spam-loan.eml
    {ctl} info decode {server.postfix.folder}/mail/box/new/...
    {ctl} status
    tail -f {log}
    tail -f {server.milter.process.log_path}

At the monitor:
    {monitor} top
    {monitor} events
    {monitor} decisions
    {monitor} unblock {demo_monitor.CROWD}
    {monitor} server list
    {monitor} rules stats

Ctrl-C ends it and takes it all away.""", flush=True)


def send_one(client, sender, recipient=TOM):
    """For a person at the keyboard: the whole dialogue matters less than its end."""
    outcome = smtp.send(PORT, client, sender, [recipient])
    print(f"{outcome.stage}: {outcome.reply.code} {outcome.reply.text}")
    sys.exit(0 if outcome.accepted else 1)


def demonstrate():
    print("What is known beforehand:")
    milters = []
    server = postfix.MailServer(mode="enforce", port=PORT, policyd={"prepend": "always"},
                                info={"sealed": "no"}, beside=start_milter(milters))
    server.milter = milters[0]
    for sentence, command in HISTORY:
        server.weir.ctl(*command)
        print(f"    {sentence}")
    print("""
Mode enforce: what is blocked or spam is refused.  Here all other mail gets the facts
as a header, too (prepend = always).

MAIL                 CLIENT         SENDER                        VERDICT  ACTION
""", flush=True)
    for sample in SAMPLES:
        show(sample, *feed(server, sample))
    server.loop = demo_monitor.Loop(server)
    show_crowd(server)
    return server


def show_crowd(server):
    """One address sends more than the monitor allows."""
    print(f"""A monitor, the server's agent and a sniffer are there now.  {demo_monitor.CROWD} may \
send {demo_monitor.MOST}
messages at once, and one a minute after that; it sends one after the other.
""", flush=True)
    taken, reply, seconds = server.loop.crowd()
    print(f"    taken      {taken} messages")
    if reply is None:
        print(f"    refused    not within {demo_monitor.WAITS} s: see "
              f"{server.loop.monitor.weir.folder}")
    else:
        print(f"    refused    {seconds:.1f} s after the first that was too many: {reply.code} "
              f"{reply.text}")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--send", nargs="+", metavar="WORD")
    options = parser.parse_args()
    if options.send:
        send_one(*options.send)
    try:
        rig.needs_root(ask=True)
    except unittest.SkipTest as why:
        sys.exit(f"run: {why}: Postfix can only be started by root (try: sudo make run)")
    if rig.accepts(PORT):
        sys.exit(f"run: 127.0.0.1:{PORT} is taken by another program; "
                 "stop it, or choose another port: make run WEIR_PORT=2526")
    try:
        server = demonstrate()
        if not options.once:
            tell(server)
            signal.pause()
    except rig.Trouble as trouble:
        sys.exit(f"run: {trouble}")
    except KeyboardInterrupt:
        print("\nTaking everything away.")


if __name__ == "__main__":
    main()
