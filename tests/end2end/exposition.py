"""exposition - the text format of Prometheus, read strictly: what it would refuse, and what our own
rules forbid, is Wrong."""
import re

NAME = "[a-z_][a-z0-9_]*"
ESCAPED = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}
TYPES = ("counter", "gauge", "histogram")


class Wrong(AssertionError):
    """The text is not as the format says."""


def value_of(text):
    if text in ("NaN", "+Inf", "-Inf"):
        return float(text)
    if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", text):
        raise Wrong(f"no number: {text}")
    return float(text)


def labels_of(text):
    """{name="value",...} as a dictionary."""
    found, at = {}, 0
    while at < len(text):
        label = re.compile(rf'({NAME})="((?:[^"\\\n]|\\[\\n"])*)"(,(?=.)|$)').match(text, at)
        if not label or label[1] in found:
            raise Wrong(f"labels: {text}")
        found[label[1]] = re.sub(r'\\[\\n"]', lambda m: ESCAPED[m[0]], label[2])
        at = label.end()
    return found


class Histogram:
    """One of a family: its bounds in order, what is below each, the sum and the count."""

    def __init__(self):
        self.below, self.sum, self.count = [], None, None

    def add(self, part, labels, value):
        if part == "_bucket":
            bound = value_of(labels.pop("le", "none"))
            if self.below and (bound <= self.below[-1][0] or value < self.below[-1][1]):
                raise Wrong(f"buckets out of order: {bound} {value}")
            self.below.append((bound, value))
        elif part == "_sum" and self.sum is None:
            self.sum = value
        elif part == "_count" and self.count is None:
            self.count = value
        else:
            raise Wrong(f"comes twice: {part}")

    def check(self):
        if not self.below or self.below[-1] != (float("inf"), self.count) or self.sum is None:
            raise Wrong(f"a histogram without its end: {self.below[-1:]}, count {self.count}")

    def bounds(self):
        return [bound for bound, _ in self.below]


class Metrics:
    """What a text says: families by name, values by name and labels; all that it must be, it is."""

    def __init__(self, text):
        self.type, self.help, self.samples, family = {}, {}, {}, None
        self.histograms, self.open = {}, None
        if text and not text.endswith("\n"):
            raise Wrong("the last line has no end")
        for line in text.splitlines() if "\r" not in text else [text]:
            head = re.fullmatch(rf"# (HELP|TYPE) (weir_{NAME}) (.+)", line)
            if head and head[1] == "HELP":
                family = head[2]
                if family in self.help:
                    raise Wrong(f"comes twice: {family}")
                self.help[family] = head[3]
            elif head:
                if head[2] != family or family in self.type or head[3] not in TYPES:
                    raise Wrong(line)
                self.type[family] = head[3]
                if (head[3] == "counter") != family.endswith("_total"):
                    raise Wrong(f"a name that does not go with its type: {line}")
            else:
                self.sample(line, family)
        for histogram in self.histograms.values():
            histogram.check()

    def sample(self, line, family):
        found = re.fullmatch(rf"({NAME})(?:\{{(.+)\}})? (\S+)", line)
        if not found or family not in self.type:
            raise Wrong(line)
        labels, value = labels_of(found[2] or ""), value_of(found[3])
        if self.type[family] == "histogram":
            self.part(line, family, found[1].removeprefix(family), labels, value)
            return
        key = (family, tuple(sorted(labels.items())))
        if found[1] != family or key in self.samples:
            raise Wrong(f"comes twice, or of another family: {line}")
        self.samples[key] = value
        if self.type[family] == "counter" and not value >= 0:
            raise Wrong(line)

    def part(self, line, family, part, labels, value):
        """Of a histogram, whose parts stand together."""
        key = (family, tuple(sorted(pair for pair in labels.items() if pair[0] != "le")))
        if not value >= 0 or (part != "_bucket" and "le" in labels):
            raise Wrong(line)
        if key != self.open and key in self.histograms:
            raise Wrong(f"comes twice: {line}")
        self.open = key
        self.histograms.setdefault(key, Histogram()).add(part, labels, value)

    def get(self, name, **labels):
        return self.samples[(name, tuple(sorted(labels.items())))]

    def histogram(self, name, **labels):
        return self.histograms[(name, tuple(sorted(labels.items())))]

    def of(self, name, *labels):
        """{values of these labels: value} of a family."""
        return {tuple(dict(pairs)[label] for label in labels): value
                for (family, pairs), value in self.samples.items() if family == name}
