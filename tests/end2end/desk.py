"""desk - what the tests of the console share: a monitor with one, and somebody who sits at it."""
import http.client
import json
import ssl

import monitor
import rig


class Desk:
    """A monitor whose console listens, and the first account's password."""

    tls = False

    def __init__(self, folder, **sections):
        self.port = rig.free_port()
        sections.setdefault("console", {})["listen"] = f"inet:127.0.0.1:{self.port}"
        self.sit_at(monitor.Monitor(folder, **sections))

    @classmethod
    def at(cls, running, port):
        """The same of a monitor that runs already."""
        desk = cls.__new__(cls)
        desk.port = port
        desk.sit_at(running)
        return desk

    def sit_at(self, running):
        self.monitor = running
        self.ready()
        first = self.monitor.weir.folder / "first-password"
        self.password = first.read_text(encoding="ascii").strip()

    def link(self):
        """A connection; whose certificate it is, is not what is tested."""
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        trust = ssl._create_unverified_context()  # pylint: disable=protected-access
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trust)

    def ready(self):
        """Waits until the console listens, which is the last of what a monitor opens."""
        rig.wait_for(lambda: rig.accepts(self.port), 20, "the console")

    def somebody(self, name="admin", password=None):
        """Who has logged in."""
        person = Person(self)
        person.login(name, password or self.password)
        return person

    def made(self, name, role):
        """The same, with an account of his own."""
        made = json.loads(self.monitor.weir.ctl("user", "add", name, role, "--json"))
        return self.somebody(name, made["password"])


class Answer:
    """What came of a question."""

    def __init__(self, answer):
        self.status, self.headers = answer.status, answer.headers
        self.octets = answer.read()

    @property
    def json(self):
        return json.loads(self.octets)


class Person:
    """Somebody at the console: a cookie, and a token against forgery."""

    def __init__(self, desk, token=None):
        self.desk, self.cookie, self.csrf, self.token = desk, None, None, token

    def raw(self, method, path, body=None, headers=None):
        """A request as it is, with nothing added."""
        link = self.desk.link()
        try:
            link.request(method, path, body, headers or {})
            return Answer(link.getresponse())
        finally:
            link.close()

    def ask(self, method, path, body=None, **headers):
        """A request as a page makes it; headers that are None are left out."""
        fields = {}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            fields |= {"Cookie": self.cookie, "Weir-Csrf": self.csrf}
        if body is not None:
            fields["Content-Type"] = "application/json"
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        return self.raw(method, "/api/v1" + path, body, fields)

    def get(self, path):
        """What is there; it has to be."""
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise rig.Trouble(f"GET {path}: {answer.status} {answer.octets}")
        return answer.json

    def do(self, method, path, body=None):
        answer = self.ask(method, path, body)
        if answer.status != 200:
            raise rig.Trouble(f"{method} {path}: {answer.status} {answer.octets}")
        return answer.json

    def login(self, name, password):
        answer = self.ask("POST", "/login", {"name": name, "password": password})
        if answer.status != 200:
            raise rig.Trouble(f"login: {answer.status} {answer.octets}")
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.csrf = answer.json["csrf"]
        return answer

    def listen(self, last=None):
        """The stream of events."""
        return Stream(self, last)


class Stream:
    """Server-sent events, as they come."""

    def __init__(self, person, last=None):
        self.link = person.desk.link()
        fields = {"Last-Event-ID": last} if last else {}
        fields |= {"Authorization": f"Bearer {person.token}"} if person.token else {
            "Cookie": person.cookie}
        self.link.request("GET", "/api/v1/live", headers=fields)
        self.answer = self.link.getresponse()
        self.status, self.last = self.answer.status, last

    def next(self):
        """The next event: its name and what it says; comments are passed over."""
        event = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError
            line = line.rstrip("\n")
            if not line and "event" in event:
                self.last = event.get("id", self.last)
                return event["event"], json.loads(event["data"])
            name, _, value = line.partition(": ")
            event = {**event, name: value} if line else {}

    def until(self, name, holds):
        """The first event of a name that says what is waited for."""
        while True:
            is_name, data = self.next()
            if is_name == name and holds(data):
                return data

    def close(self):
        self.answer.close()
        self.link.close()
