"""Real servers on loopback: moto's S3, and Python's own web server with its listing."""

import functools
import http.server
import threading

import pytest

from export.errors import DatasetError
from tests.trainer.tiny_run import draw
from trainer.progress import Progress
from trainer.storage.mirror import folder_of

QUIET = Progress(None)


def held(root):
    """Every file's bytes by its path."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def photos(tmp_path):
    """A folder of pictures, one name with a blank and an umlaut."""
    draw(tmp_path / "photos", per_class=4)
    (tmp_path / "photos" / "good" / "good_0.png").rename(tmp_path / "photos" / "good" / "ä b.png")
    return tmp_path / "photos"


@pytest.fixture
def s3(monkeypatch):
    """A client of moto's server."""
    pytest.importorskip("s3fs", reason="needs s3fs: pip install 'linewarden[s3]'")
    servers = pytest.importorskip("moto.server", reason="needs moto: pip install 'moto[server]'")
    import boto3

    server = servers.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    yield client
    server.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_s3_is_the_folder(s3, photos, tmp_path):
    """Folder markers are no files, a changed object is fetched again, a wrong bucket is named."""
    s3.put_object(Bucket="bucket", Key="photos/good/", Body=b"")
    for path, body in held(photos).items():
        s3.put_object(Bucket="bucket", Key=f"photos/{path}", Body=body)
    assert held(folder_of("s3://bucket/photos", QUIET, tmp_path / "c")) == held(photos)
    s3.put_object(Bucket="bucket", Key="photos/spot/spot_0.png", Body=b"other")
    s3.delete_object(Bucket="bucket", Key="photos/spot/spot_1.png")
    copy = held(folder_of("s3://k:s@bucket/photos", QUIET, tmp_path / "c"))
    assert copy["spot/spot_0.png"] == b"other"
    assert "spot/spot_1.png" not in copy
    assert len(list((tmp_path / "c").iterdir())) == 1, "credentials make no other copy"
    with pytest.raises(DatasetError, match="s3://nobucket/photos is not there"):
        folder_of("s3://nobucket/photos", QUIET, tmp_path / "c")


class Listing(http.server.SimpleHTTPRequestHandler):
    """Python's server, quiet, and behind a password where it has one."""

    password = ""

    def log_message(self, *_args):
        """Say nothing."""

    def do_GET(self):
        """Serve who knows the password."""
        if self.password and self.headers.get("Authorization") != self.password:
            self.send_error(403)
            return
        super().do_GET()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_listing_on_the_web_is_the_folder(photos, tmp_path, monkeypatch):
    """A password stays nowhere; without it, 403 is said; no ETag: all is fetched again."""
    pytest.importorskip("aiohttp", reason="needs aiohttp: pip install 'linewarden[https]'")
    monkeypatch.setattr(Listing, "password", "Basic bWU6cGFzcw==")
    handler = functools.partial(Listing, directory=str(photos.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_port}/photos"
        copy = folder_of(f"http://me:pass@{place}", QUIET, tmp_path / "c")
        assert held(copy) == held(photos)
        (photos / "spot" / "spot_0.png").write_bytes(bytes(len(held(copy)["spot/spot_0.png"])))
        assert held(folder_of(f"http://me:pass@{place}", QUIET, tmp_path / "c")) == held(photos)
        kept = [p.read_text() for p in copy.parent.iterdir() if p.is_file()]
        assert not any("pass" in text for text in kept)
        with pytest.raises(DatasetError, match="403") as caught:
            folder_of(f"http://{place}", QUIET, tmp_path / "d")
        assert place in caught.value.problem
        server.shutdown()
