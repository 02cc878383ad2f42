"""An outbox with verdicts in it, and a store fed from it, for tests."""

from edge.outbox import Outbox, OutboxSettings
from edge.store import schema
from edge.store.feeder import Feeder
from edge.store.retention import Keep
from tests.edge.verdicts import verdict

PLENTY = Keep(seconds=10**9, bytes=10**12, leave_free=0)


class Recorded:
    """One box's record in `folder`, and the store that follows it."""

    def __init__(self, folder, keep=PLENTY):
        self.folder, self.keep = folder, keep
        self.path = folder / "outbox.db"
        self.store = folder / "console" / "verdicts.db"
        self.heard = []
        self.feeder = None

    def record(self, count, camera="cam", **more):
        """The box runs, records `count` verdicts and stops; returns its epoch."""
        outbox = Outbox(self.path)
        for _ in range(count):
            outbox.record(camera, lambda seq: verdict(outbox.epoch, seq, camera, **more))
        outbox.close()
        return outbox.epoch

    def forget_delivered(self, last):
        """The box forgets what was delivered up to row `last`."""
        outbox = Outbox(self.path, OutboxSettings(keep_s=0))
        outbox.mark_acked(range(1, last + 1))
        outbox.flush()
        outbox._store._lived_s += 10
        outbox._store.prune(0)
        outbox.close()

    def open(self):
        """The console starts."""
        self.feeder = Feeder(self.store, self.path, self.keep, self.heard.extend)
        return self.feeder

    def close(self):
        """The console stops."""
        if self.feeder is not None:
            self.feeder.stop()
        self.feeder = None

    def catch_up(self):
        """The console runs until it is level with the record; returns a reading connection."""
        if self.feeder is None:
            self.open()
        while self.feeder.step():
            pass
        return schema.reader(self.store)

    def kept(self):
        """(camera, epoch, seq) of all that is kept, in the order in which it was taken in."""
        db = self.catch_up()
        rows = db.execute(
            "SELECT c.name, v.epoch, v.seq FROM verdict v JOIN camera c ON c.id = v.camera"
            " ORDER BY v.id"
        ).fetchall()
        db.close()
        return rows
