"""An RTSP camera on loopback, written from RFC 2326 and RFC 2435: sound, or hostile, until healed.

Motion JPEG over RTP in the same TCP connection. Each hostile way is a function of its own.
"""

import contextlib
import random
import socket
import struct
import threading

import cv2
import numpy as np

SIZE = 64, 48  # width, height: multiples of 16
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=eye\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\na=control:track0\r\n"
)


def pictures():
    """JPEG scans with their quantisation tables: (tables, scan), brighter and brighter."""
    made = []
    for grey in range(0, 250, 10):
        picture = np.full((SIZE[1], SIZE[0], 3), grey, np.uint8)
        picture[::8, :] = 255 - grey
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        tables, at = b"", 2
        while jpeg[at + 1] != 0xDA:  # segment after segment, up to the start of scan
            length = struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
            if jpeg[at + 1] == 0xDB:
                body = jpeg[at + 4 : at + 2 + length]
                tables += b"".join(body[n + 1 : n + 65] for n in range(0, len(body), 65))
            at += 2 + length
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        made.append((tables, jpeg[at:-2]))
    return made


PICTURES = pictures()


def packet(seq, tables, scan):
    """One frame as one RTP packet, interleaved."""
    head = struct.pack(">BBHII", 0x80, 0x80 | 26, seq % 65_536, seq * 3600 % 2**32, 7)
    jpeg = struct.pack(">BBHBBBB", 0, 0, 0, 1, 255, SIZE[0] // 8, SIZE[1] // 8)
    body = head + jpeg + struct.pack(">BBH", 0, 0, len(tables)) + tables + scan
    return b"$\x00" + struct.pack(">H", len(body)) + body


def answered(peer, end, *, until="PLAY"):
    """Answer requests as a camera does; True once `until` was asked."""
    while not end.is_set():
        request = b""
        while b"\r\n\r\n" not in request:
            got = peer.recv(4096)
            if not got:
                return False
            request += got
        lines = request.decode(errors="replace").split("\r\n")
        asked = lines[0].split()[0]
        number = next((one.split(":")[1].strip() for one in lines if one.startswith("CSeq")), "0")
        if asked == until and until != "PLAY":
            return True
        more, body = "", ""
        if asked == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif asked == "DESCRIBE":
            body = SDP
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif asked == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        elif asked == "PLAY":
            more = "Session: 1\r\n"
        peer.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n{body}".encode())
        if asked == "PLAY":
            return True
    return False


def sound(peer, end, frames=10**9):
    """Frames, 25 a second, at most so many; whether it is still wanted."""
    if not answered(peer, end):
        return
    for seq in range(frames):
        if end.wait(0.04):
            return
        peer.sendall(packet(seq, *PICTURES[seq % len(PICTURES)]))


def silent(_peer, end):
    """Accepts, and says nothing."""
    end.wait()


def mute(peer, end):
    """Agrees to everything up to SETUP, then says nothing."""
    answered(peer, end, until="SETUP")
    end.wait()


def stalled(peer, end):
    """Some frames, then none, on an open connection."""
    sound(peer, end, frames=15)
    end.wait()


def garbage(peer, end):
    """Plays noise: packets of all lengths with nonsense in them."""
    if answered(peer, end):
        noise = random.Random(1)
        while not end.wait(0.01):
            body = noise.randbytes(noise.randrange(1, 3000))
            peer.sendall(b"$\x00" + struct.pack(">H", len(body)) + body)


def endless(peer, end):
    """A header that never ends."""
    peer.sendall(b"RTSP/1.0 200 OK\r\n")
    while not end.wait(0.005):
        peer.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


def lying(peer, end):
    """Promises gigabytes of description, and sends some."""
    peer.recv(4096)
    peer.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE\r\n\r\n")
    peer.recv(4096)
    head = (
        "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n"
    )
    peer.sendall(head.format(2**31 - 1).encode())
    while not end.wait(0.005):
        peer.sendall(b"a=x:" + b"y" * 4000 + b"\r\n")


HOSTILE = (silent, mute, stalled, garbage, endless, lying)


class RtspCamera:
    """Answers in one way, until it heals."""

    def __init__(self, answer):
        self._answer, self._end, self._over = answer, threading.Event(), False
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(0.2)
        self.url = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/live"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def heal(self):
        """As if switched off and on; from now on it is sound."""
        old, self._end, self._answer = self._end, threading.Event(), sound
        old.set()

    def close(self):
        """End."""
        self._over = True
        self._end.set()
        self._thread.join()
        self._door.close()

    def _serve(self):
        threads = []
        while not self._over:
            with contextlib.suppress(TimeoutError):
                peer, _ = self._door.accept()
                told = (peer, self._answer, self._end)
                threads.append(threading.Thread(target=self._one, args=told))
                threads[-1].start()
        for one in threads:
            one.join()

    @staticmethod
    def _one(peer, answer, end):
        with peer, contextlib.suppress(OSError):
            peer.settimeout(3)
            answer(peer, end)
