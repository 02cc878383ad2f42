"""deploy/audit.py: a known weakness is found, one explained is let be, and silence is no answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy import audit

TOLD = {
    "id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "summary": "bad",
    "affected": [{"package": {"name": "numpy", "ecosystem": "PyPI"},
                  "ranges": [{"type": "ECOSYSTEM",
                              "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]}],
}  # fmt: skip


@pytest.fixture
def service():
    """A stand-in for OSV: knows one weakness of each package in `bad`."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append((asked["package"]["name"], asked["version"]))
            known = asked["package"]["name"] in server.bad
            body = json.dumps({"vulns": [TOLD]} if known else {}).encode()
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.bad, server.asked, server.status = set(), [], 200
    server.url = f"http://127.0.0.1:{server.server_port}/v1/query"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def explained(tmp_path):
    """Writes a file of explanations."""

    def write(**more):
        told = {"package": "numpy", "id": "CVE-2026-1", "why": "not called", **more}
        until = told.pop("until", "9999-12-31")
        lines = [f'{key} = "{value}"' for key, value in told.items()]
        file = tmp_path / "weaknesses.toml"
        file.write_text("\n".join(["[[explained]]", *lines, f"until = {until}"]))
        return file

    return write


def test_every_pin_is_asked_about(service):
    """By name and version, once; nothing known is a clean audit."""
    assert audit.main(["--url", service.url]) == 0
    pinned = [tuple(pin.split("==")) for pin in audit.pins()]
    assert len(pinned) > 150
    assert sorted(service.asked) == sorted(pinned)


def test_a_weakness_fails_the_audit(service, capsys):
    """It is named with its version, its other names and the remedy."""
    service.bad = {"numpy"}
    assert audit.main(["--url", service.url]) == 1
    told = capsys.readouterr().out
    assert "numpy 2." in told
    assert "CVE-2026-1, PYSEC-2026-1; fixed in 99.0" in told


@pytest.mark.parametrize(
    ("more", "code"),
    [({}, 0), ({"until": "2026-01-01"}, 1), ({"package": "pillow"}, 1), ({"id": "CVE-1"}, 1)],
)
def test_an_explanation_is_for_one_weakness_and_a_while(explained, monkeypatch, more, code, capsys):
    """One of another package, of another weakness or out of date explains nothing, and is told."""
    found = audit.Weakness("numpy", "2.4.6", frozenset({"PYSEC-2026-1", "CVE-2026-1"}), ("99.0",))
    monkeypatch.setattr(audit, "weaknesses", lambda *_: [found])
    assert audit.main(["--explained", str(explained(**more))]) == code
    assert ("explained for nothing" in capsys.readouterr().out) is bool(more)


def test_silence_is_no_clean_audit(service, capsys):
    """A service that errs or isn't there: nothing was checked, and that is said."""
    service.status = 503
    nobody = "http://127.0.0.1:9/v1/query"
    for url in (service.url, nobody):
        assert audit.main(["--url", url]) == 3
        assert "nothing was checked" in capsys.readouterr().err
    assert audit.main(["--url", service.url, "--unless-offline"]) == 3
    assert audit.main(["--url", nobody, "--unless-offline"]) == 0
    assert "nothing was checked" in capsys.readouterr().err
