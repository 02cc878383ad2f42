"""A box that has run, with its console: verdicts, kept pictures, and one person for each role."""

import time
from contextlib import contextmanager

import cv2
import numpy as np
from starlette.testclient import TestClient

from edge.config import load
from edge.console.accounts.roles import PEOPLE, Role
from edge.console.desk import Desk
from edge.console.web.app import application
from edge.console.web.live import drawer
from edge.outbox import OUTBOX_FILE, Outbox
from export import heat
from export.sample import Audit, Image, Sample, Why, Window, sample_id
from export.sample_folder import SampleFolder
from export.signature import load_or_make
from export.verdict import Outcome, Reason, Thresholds
from tests.edge.verdicts import verdict

PASSWORD = "a long enough one"
HOSTILE = "<script>alert('part')</script>\"'&{{7*7}}"
LIMITS = Thresholds(pass_below=0.3, fail_above=0.6, novel_above=3.0)
SHARES = {"good": 0.1, "scratch": 0.6, "dent": 0.3}
FAILED = {"outcome": Outcome.FAIL, "reason": Reason.ABOVE_FAIL, "score": 0.9,
          "probabilities": SHARES, "thresholds": LIMITS}  # fmt: skip
DOUBTED = {"outcome": Outcome.REVIEW, "reason": Reason.IN_REVIEW_BAND, "score": 0.45,
           "probabilities": SHARES, "thresholds": LIMITS}  # fmt: skip
NOVEL = {"outcome": Outcome.REVIEW, "reason": Reason.NOVEL, "score": 0.1, "novelty": 4.0,
         "probabilities": SHARES, "thresholds": LIMITS}  # fmt: skip


class Plant:
    """Settings, record and samples in `folder`."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        load_or_make(folder / "signing.key")
        self.settings = folder / "appliance.toml"
        self.settings.write_text(
            '[station]\nprefix = "acme/plant1/line1"\n[trust]\nkeys = ["signing.pub"]\n'
            "[console]\nport = 0\nsecond_reader = 1.0\n"
            '[cameras.top]\nbundle = "bundle"\nsource = { kind = "folder", path = "pictures" }\n'
            '[cameras.side]\nbundle = "bundle"\nsource = { kind = "folder", path = "pictures" }\n'
        )
        self.appliance = load(self.settings, {}).appliance
        self.samples = SampleFolder(self.appliance.samples.folder)
        self.samples.make()

    def record(self, *verdicts):
        """Record verdicts, each a camera and fields; returns them as they were published."""
        outbox = Outbox(self.appliance.store.folder / OUTBOX_FILE)
        made = [
            outbox.record(
                camera,
                lambda seq, camera=camera, more=more: verdict(outbox.epoch, seq, camera, **more),
            )
            for camera, more in verdicts
        ]
        outbox.close()
        self.count += len(made)
        return made

    def keep(self, told, *why, rate=None):
        """Keep a picture of a verdict's part, for these reasons."""
        pixels = np.full((60, 80, 3), 90, np.uint8)
        cv2.circle(pixels, (40, 30), 12, (200, 200, 200), -1)
        body = cv2.imencode(".png", pixels)[1].tobytes()
        sample = Sample(
            id=sample_id(*told.key), kept_at="2026-11-24T06:00:00.000000Z",
            why=why or (Why.FAIL,), verdict=told,
            image=Image(suffix="png", sha256="0" * 64, bytes=len(body), width=80, height=60),
            region=Window(x=0.25, y=0.25, width=0.5, height=0.5),
            heat=heat.kept(np.eye(4, dtype=np.float32)),
            audit=None if rate is None else Audit(rate=rate),
        )  # fmt: skip
        self.samples.add(sample, body)
        return sample.id

    @contextmanager
    def open(self):
        """The console, served; a Console to ask it with."""
        desk = Desk(self.appliance, drawer)
        desk.book.redeem(desk.book.new_code(), "the admin", PASSWORD)
        for role in PEOPLE[:-1]:
            desk.book.add("the admin", f"the {role.word}", role, PASSWORD)
        app = application(desk)
        with TestClient(app, follow_redirects=False) as client:
            while desk.feeder.report().taken < self.count:
                time.sleep(0.005)
            desk.shelf.look()
            yield Console(desk, client)


class Console:
    """Asks as whoever is named."""

    def __init__(self, desk, client):
        self.desk, self.client = desk, client
        self._secrets = {}

    def secret(self, role):
        """A session of the person of this role."""
        if role not in self._secrets:
            self._secrets[role] = self.desk.book.log_in(f"the {role.word}", PASSWORD, "test")
        return self._secrets[role]

    def csrf(self, role):
        """What the pages of this person's session send along."""
        return self.desk.book.session(self.secret(role)).csrf

    def get(self, path, role=Role.ADMIN, **more):
        """GET as a browser does."""
        self.client.cookies.clear()
        if role is not Role.PUBLIC:
            self.client.cookies.set("session", self.secret(role))
        headers = {"accept": "text/html", **more.pop("headers", {})}
        return self.client.get(path, headers=headers, **more)

    def post(self, path, form=None, role=Role.ADMIN, *, csrf=True, **more):
        """POST a form as our own page does."""
        self.client.cookies.clear()
        data = dict(form or {})
        if role is not Role.PUBLIC:
            self.client.cookies.set("session", self.secret(role))
            if csrf:
                data["csrf"] = self.csrf(role)
        headers = {"accept": "text/html", **more.pop("headers", {})}
        return self.client.post(path, data=data, headers=headers, **more)

    def put(self, path, body=b"", role=Role.ADMIN, *, csrf=True, **more):
        """PUT a file as a page of ours would."""
        self.client.cookies.clear()
        headers = {"accept": "application/json", **more.pop("headers", {})}
        if role is not Role.PUBLIC:
            self.client.cookies.set("session", self.secret(role))
            if csrf:
                headers["x-csrf-token"] = self.csrf(role)
        return self.client.put(path, content=body, headers=headers, **more)
