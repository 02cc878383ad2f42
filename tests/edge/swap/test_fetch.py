"""A bundle that is fetched is the one that was asked for, or nothing is there."""

import hashlib
import http.server
import io
import json
import shutil
import socket
import ssl
import subprocess
import tarfile
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from deploy.box.authority import Authority
from edge.swap import fetch
from edge.swap.fetch import MANIFEST, Fetcher, Reference, unpack
from export.errors import BundleError, ConfigError, SignatureError
from export.signature import load_or_make, load_public
from tests.broker import free_port
from tests.export.small_bundle import small_bundle

ROOM = 100_000  # bytes, where a test is about them
EMPTY, LAYER = "application/vnd.oci.empty.v1+json", "application/vnd.oci.image.layer.v1.tar"
REGISTRY = shutil.which("docker-registry")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, tar of a bundle in it, its digest, the key that signed it)."""
    folder = tmp_path_factory.mktemp("made")
    key, _ = load_or_make(folder / "signing.key")
    small_bundle(folder / "bundle", key)
    tar = folder / "bundle.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(folder / "bundle", ".")
    return (
        folder,
        tar,
        hashlib.sha256(tar.read_bytes()).hexdigest(),
        load_public(folder / "signing.pub"),
    )


@pytest.fixture(scope="module")
def server(made):
    """(address, ca_file) of an HTTPS server that serves the folder; /away leads out of HTTPS."""
    folder = made[0]
    authority = Authority(folder / "ca", folder / "ca.pem", folder / "revoked.pem")
    authority.found("authority of a web server")
    authority.server(["localhost"], folder / "web.key", folder / "web.pem")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://elsewhere.example/bundle.tar")
                self.end_headers()
                return
            super().do_GET()

        def log_message(self, *_):
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "web.pem", folder / "web.key")
    served.socket = context.wrap_socket(served.socket, server_side=True)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"https://localhost:{served.server_address[1]}", folder / "ca.pem"
    served.shutdown()
    served.server_close()


def test_a_bundle_comes_over_https_and_is_verified(made, server, tmp_path):
    """Digest, signature and files are right: it lies where it was asked for, alone."""
    _, _, digest, key = made
    steps = []
    fetcher = Fetcher(server[1], lambda done, size: steps.append((done, size)))
    got = fetcher.fetch(Reference(f"{server[0]}/bundle.tar", digest), tmp_path / "b", [key])
    assert got.manifest.name == "small"
    assert [at.name for at in tmp_path.iterdir()] == ["b"]
    assert steps[-1][0] == steps[-1][1] > 0


def test_what_is_not_asked_for_leaves_nothing(made, server, tmp_path):
    """Another digest, another key, an unknown server, a missing file, a way out of HTTPS."""
    _, _, digest, key = made
    load_or_make(tmp_path / "stranger.key")
    good = f"{server[0]}/bundle.tar"
    out = tmp_path / "out" / "b"
    with pytest.raises(BundleError, match="not what was asked for"):
        Fetcher(server[1]).fetch(Reference(good, "0" * 64), out, [key])
    with pytest.raises(SignatureError):
        Fetcher(server[1]).fetch(
            Reference(good, digest), out, [load_public(tmp_path / "stranger.pub")]
        )
    with pytest.raises(BundleError, match="CERTIFICATE_VERIFY_FAILED"):
        Fetcher().fetch(Reference(good, digest), out, [key])
    with pytest.raises(BundleError, match="404"):
        Fetcher(server[1]).fetch(Reference(f"{server[0]}/none.tar", digest), out, [key])
    with pytest.raises(BundleError, match="not encrypted"):
        Fetcher(server[1]).fetch(Reference(f"{server[0]}/away", digest), out, [key])
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["https://host/b.tar", "https://host/b.tar@sha256:abc", "http://host/b.tar@sha256:" + "0" * 64,
     "file:///etc/passwd@sha256:" + "0" * 64, "oci://host/b:latest", ""],
)  # fmt: skip
def test_only_a_digest_over_https_names_a_bundle(text):
    """A tag may change, plain HTTP and files may be anybody's."""
    with pytest.raises(ConfigError):
        Reference.parse(text)


def planted(kind):
    """A tar with one hostile member."""
    member = tarfile.TarInfo({"up": "../x", "root": "/x"}.get(kind, "x"))
    if kind in ("symlink", "hardlink", "device"):
        member.type = {
            "symlink": tarfile.SYMTYPE,
            "hardlink": tarfile.LNKTYPE,
            "device": tarfile.CHRTYPE,
        }[kind]
        member.linkname = "/etc/passwd"
    member.size = {"bomb": 2 * ROOM}.get(kind, 0)
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    return body.getvalue()


@pytest.mark.parametrize(
    "kind", ["up", "root", "symlink", "hardlink", "device", "bomb", "nonsense"]
)
def test_a_hostile_tar_is_refused(tmp_path, monkeypatch, kind):
    """Nothing is written outside, nothing is linked, and a size that no bundle has is refused."""
    monkeypatch.setattr(fetch, "LARGEST", ROOM)
    tar = tmp_path / "hostile.tar"
    tar.write_bytes(b"nonsense" * 100 if kind == "nonsense" else planted(kind))
    said = {"bomb": "larger than", "nonsense": "can't be unpacked"}.get(kind, "no bundle has")
    with pytest.raises(BundleError, match=said):
        unpack(tar, tmp_path / "in" / "b")
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "in" / "x").exists()
    assert not (tmp_path / "in" / "b" / "x").exists()


@pytest.mark.skipif(
    REGISTRY is None,
    reason="docker-registry is not installed (Debian: apt install docker-registry)",
)
def test_a_bundle_comes_from_an_oci_registry(made, tmp_path):
    """Pushed to a real registry as a manifest with one layer, it comes by its digest."""
    _, tar, digest, key = made
    port = free_port()
    conf = tmp_path / "registry.yml"
    conf.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/r}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    registry = subprocess.Popen(
        [REGISTRY, "serve", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{port}/v2"
        until_up(f"{base}/")
        empty = b"{}"
        for body in (tar.read_bytes(), empty):
            began = send("POST", f"{base}/brackets/blobs/uploads/").headers["Location"]
            send("PUT", f"{began}&digest=sha256:{hashlib.sha256(body).hexdigest()}", body)
        nothing = hashlib.sha256(empty).hexdigest()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": EMPTY, "size": 2, "digest": f"sha256:{nothing}"},
            "layers": [
                {"mediaType": LAYER, "size": tar.stat().st_size, "digest": f"sha256:{digest}"}
            ],
        }).encode()  # fmt: skip
        send("PUT", f"{base}/brackets/manifests/2", manifest, MANIFEST)
        wanted = Reference.parse(
            f"oci://127.0.0.1:{port}/brackets@sha256:{hashlib.sha256(manifest).hexdigest()}"
        )
        assert Fetcher().fetch(wanted, tmp_path / "b", [key]).manifest.name == "small"
        with pytest.raises(BundleError, match="404"):
            Fetcher().fetch(Reference(wanted.address, "0" * 64), tmp_path / "c", [key])
    finally:
        registry.kill()
        registry.wait()


def send(method, address, body=b"", kind="application/octet-stream"):
    """One request; returns its answer."""
    request = urllib.request.Request(
        address, data=body, method=method, headers={"Content-Type": kind}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer


def until_up(address):
    """Wait until somebody answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the registry does not answer")


def test_the_path_is_a_path(tmp_path):
    """An existing folder is never written over."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "kept").touch()
    with pytest.raises(BundleError):
        Fetcher().fetch(Reference("https://localhost:1/b.tar", "0" * 64), Path(tmp_path / "b"), [])
    assert (tmp_path / "b" / "kept").exists()


@pytest.mark.parametrize(
    "said",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_a_server_that_talks_nonsense_is_a_sentence(made, tmp_path, said):
    """No trace, and nothing is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def talk():
            line, _ = door.accept()
            with line:
                line.recv(65_536)
                line.sendall(said)

        server = threading.Thread(target=talk)
        server.start()
        there = Reference(f"http://127.0.0.1:{door.getsockname()[1]}/b.tar", made[2])
        with pytest.raises(BundleError):
            Fetcher().fetch(there, tmp_path / "b", [made[3]])
        server.join()
    assert list(tmp_path.iterdir()) == []


def test_more_than_any_bundle_has_is_not_taken(made, server, tmp_path, monkeypatch):
    """However long a server goes on."""
    monkeypatch.setattr(fetch, "LARGEST", 1000)
    there = Reference(f"{server[0]}/bundle.tar", made[2])
    with pytest.raises(BundleError, match=r"bundle\.tar is larger than 1000 bytes"):
        Fetcher(server[1]).fetch(there, tmp_path / "b", [made[3]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("layers", "said"),
    [([{"digest": "sha512:" + "0" * 128}], "layer's digest"),
     ([{"digest": "sha256:../../blobs"}], "layer's digest"),
     ([], "one layer"), ([{}, {}], "one layer"), ([{"digest": 7}], "one layer")],
)  # fmt: skip
def test_a_registrys_manifest_names_one_layer_by_its_digest(made, tmp_path, layers, said):
    """Nothing else is asked for."""
    body = json.dumps({"layers": layers}).encode()
    (tmp_path / "manifest").write_bytes(body)
    fetcher, asked = Fetcher(), []

    def download(address, _digest, to, *_):
        asked.append(address)
        to.write_bytes(body)

    fetcher._download = download
    with pytest.raises(BundleError, match=said):
        fetcher.fetch(Reference("oci://localhost:1/x", made[2]), tmp_path / "b", [made[3]])
    assert len(asked) == 1


@pytest.mark.parametrize("inside", [".", "bundle", "b-3/bundle"])
def test_a_tar_of_the_folder_is_one_of_what_is_in_it(made, tmp_path, inside):
    """As people tar: the folder itself; one folder deep and no deeper."""
    tar = tmp_path / "some.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(made[0] / "bundle", inside)
    fetch.unpack(tar, tmp_path / "out")
    assert (tmp_path / "out" / "manifest.json").exists() is (inside != "b-3/bundle")
    assert not list(tmp_path.glob("*.lifted"))
