"""An agent before somebody who speaks as a monitor does, but not as one that is well."""
import base64
import hashlib
import http.server
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Server

REST_LEAST = 0.375  # s: the shortest of the first rest
IDENTITY = """server = mx1
secret = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
monitor = {url}
pin = {pin}
"""


class Troubled:
    """Whom an agent takes for its monitor: has no orders to give, whatever it is asked."""

    def __init__(self, folder):
        key = folder / "monitor.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=monitor", "-keyout", key, "-out", key], check=True,
                       capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout
        self.pin = "sha256//" + base64.b64encode(hashlib.sha256(public).digest()).decode()
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                asked.append((time.monotonic(), self.path))
                self.send_response(204)
                self.end_headers()

            def do_POST(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                """Quiet."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Door(unittest.TestCase):
    def test_a_monitor_that_has_no_answer_to_all_is_not_asked_without_rest(self):
        folder = rig.scratch()
        monitor = Troubled(folder)
        self.addCleanup(monitor.close)
        server = Server(folder, None, "mx1",
                        identity=IDENTITY.format(url=monitor.url, pin=monitor.pin))
        self.addCleanup(server.stop)
        rig.wait_for(lambda: len(monitor.asked) >= 4, 30, "the agent to ask four times")
        asked = list(monitor.asked)[:4]
        self.assertTrue(all("&all=1" in place for _, place in asked), asked)
        for (one, _), (other, _) in zip(asked, asked[1:]):
            self.assertGreaterEqual(other - one, REST_LEAST)


if __name__ == "__main__":
    harness.main()
