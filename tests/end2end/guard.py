"""guard - ends the processes of a test that was killed and cannot do it itself.

Runs beside a test, in a session of its own.  Each process of the test writes its
pid, one a line, to standard input before it becomes the program it is to be; and the
test the name of each network namespace it makes, to be removed last.  When
the other end is closed, because the test has ended in whatever way, those still
there are asked to end, and after three seconds made to, with all their children.
(prctl's PR_SET_PDEATHSIG would not do: the kernel forgets it when a process
changes its user, as Postfix and memcached do.)
"""
import os
import select
import signal
import subprocess
import sys
import time


def tell(process, number):
    """Signals exactly that process, never a later one with the same number."""
    try:
        signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        pass


def ended(process):
    return bool(select.select([process], [], [], 0)[0])


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes, namespaces = {}, []
    for line in sys.stdin:
        if not line.strip().isdigit():
            namespaces.append(line.strip())
            continue
        try:
            processes[int(line)] = os.pidfd_open(int(line))
        except ProcessLookupError:
            pass
    for process in processes.values():
        tell(process, signal.SIGTERM)
        tell(process, signal.SIGCONT)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and not all(map(ended, processes.values())):
        time.sleep(0.05)
    for pid, process in processes.items():
        if not ended(process):
            os.killpg(pid, signal.SIGKILL)
    for name in namespaces:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


if __name__ == "__main__":
    main()
