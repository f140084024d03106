"""What the event streams say that Swift Testing writes."""

import json
import re

# Test NAME() skipped: "REASON", or Test "NAME" skipped: "REASON"
SKIPPED = re.compile(r'[")] skipped: "(.*)"', re.DOTALL)


class Run:
    """One run of a test program, read back from its events."""

    def __init__(self, path):
        self.path = path
        self.names = {}  # of test functions, by id
        self.ended = set()
        self.skipped = {}  # reasons, by id
        self.issues = {}  # messages, by id; "" for those that belong to no test
        self.is_complete = False
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue  # the process died while it wrote
            self.read(record["kind"], record["payload"])

    def read(self, kind, payload):
        if kind == "test":
            if payload["kind"] == "function":
                suite = payload["id"].split("/")[0]
                name = payload.get("displayName") or payload["name"]
                self.names[payload["id"]] = f"{suite}: {name}"
            return
        test = payload.get("testID", "")
        if payload["kind"] == "runEnded":
            self.is_complete = True
        elif payload["kind"] == "testEnded":
            self.ended.add(test)
        elif payload["kind"] == "testSkipped":
            text = " ".join(message["text"] for message in payload["messages"])
            found = SKIPPED.search(text)
            self.skipped[test] = found.group(1) if found else "no reason given"
        elif payload["kind"] == "issueRecorded":
            issue = payload["issue"]
            if not issue.get("isKnown") and issue.get("severity", "error") == "error":
                text = "\n".join(message["text"] for message in payload["messages"])
                place = issue.get("sourceLocation") or {}
                where = f'{place.get("fileID", "?")}:{place.get("line", "?")}'
                self.issues.setdefault(test, []).append(f"{where}: {text}")

    def passed(self):
        """The ids of the tests that ended well."""
        return {test for test in self.ended
                if test in self.names and test not in self.issues and test not in self.skipped}

    def failed(self):
        """The ids of the tests that did not, as far as they are known."""
        return {test for test in self.issues if test in self.names}

    def skipped_for(self, reason):
        """The ids of the tests that were skipped with that in the reason."""
        return {test for test, words in self.skipped.items()
                if test in self.names and reason in words}


def filter_of(tests):
    """What `--filter` takes to run exactly these: their ids without the place in the file."""
    names = sorted({without_place(test) for test in tests})
    return "|".join(f"^{re.escape(name)}" for name in names)


def without_place(test):
    """The id of a test as --list-tests has it; as it is, when it comes from there."""
    head, _, tail = test.rpartition("/")
    return head if re.search(r"\.swift:\d+:\d+$", tail) else test
