#!/usr/bin/python3
"""Peers that send nonsense, half of something, one byte a second or nothing: jgd's memory stays flat, honest people log in
meanwhile, and /metrics counts it. At most 200 connections, all on the loopback."""
import random
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request

from OpenSSL import SSL

import wire_client as w
from harness import Cases, PASSWORD
from wire_county import P, WireCounty

cases = Cases()
pb = w.pb
RSS_MIB = 16
LOGIN_S = 2


def metrics(county):
    text = urllib.request.urlopen("http://%s/metrics" % county.server.metrics, timeout=10).read().decode()
    return text, {m[0]: float(m[1]) for m in re.findall(r"(?m)^(jingguan_[^ ]+) (\S+)$", text)}


def is_sanitized(pid):
    """The sanitizer keeps freed memory back on purpose."""
    with open("/proc/%d/maps" % pid) as file:
        return "libasan" in file.read()


def rss_mib(pid):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) / 1024


def client_hello():
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_alpn_protos([b"jingguan/1"])
    tls = SSL.Connection(context, None)
    tls.set_connect_state()
    try:
        tls.do_handshake()
    except SSL.WantReadError:
        pass
    return tls.bio_read(65536)


class Honest(threading.Thread):
    """Logs in again and again while the others do what they do."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device, self.took, self.failed, self.going = device, [], [], True

    def run(self):
        while self.going:
            begun = time.monotonic()
            try:
                with self.device.connect() as wire:
                    wire.call("Session.Login", user=self.device.user, password=PASSWORD)
                self.took.append(time.monotonic() - begun)
            except Exception as error:
                self.failed.append(repr(error))
            time.sleep(0.1)


class Attack:
    def __init__(self, county, device):
        self.county, self.device, self.random, self.count = county, device, random.Random(7), 0

    def socket(self):
        self.count += 1
        return self.county.raw_socket()

    def ended(self, s, seconds=3):
        """Whether the server closes it."""
        s.settimeout(seconds)
        try:
            while s.recv(65536):
                pass
            return True
        except socket.timeout:
            return False
        except OSError:
            return True

    def noise(self):
        ended = 0
        for i in range(24):
            with self.socket() as s:
                try:
                    s.sendall(self.random.randbytes(self.random.choice((6, 100, 5000))) if i % 3 else b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                except OSError:
                    pass
                ended += self.ended(s)
        cases.check("bytes that are not TLS are closed", ended >= 20, "%d of 24" % ended)

    def cut_hello(self):
        hello = client_hello()
        for n in range(24):
            with self.socket() as s:
                s.sendall(hello[:len(hello) * n // 24])
        broken = 0
        for n in range(16):
            data = bytearray(hello)
            for _ in range(4):
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            with self.socket() as s:
                s.sendall(bytes(data))
                s.shutdown(socket.SHUT_WR)
                broken += self.ended(s)
        cases.equal("a damaged ClientHello and a half-closed socket end", broken, 16)

    def silent(self, honest):
        """More sockets than handshakes may be in flight; half of them send a byte now and then."""
        hello = client_hello()
        sockets = [self.socket() for _ in range(70)]
        before = len(honest.took)
        for n in range(15):
            for s in sockets[:35]:
                try:
                    s.sendall(hello[n:n + 1])
                except OSError:
                    pass
            time.sleep(0.1)
        cases.check("people log in while 70 sockets say nothing", len(honest.took) - before >= 3, "%d, %s" % (len(honest.took) - before, honest.failed[-3:]))
        return sockets

    def crowd(self, honest):
        """Another address takes every place among the handshakes, again and again; who comes from ours is let in all the same."""
        hello, before, seen = client_hello(), len(honest.took), len(honest.failed)
        for _ in range(10):
            sockets = [socket.create_connection(self.county.address, timeout=20, source_address=("127.0.0.9", 0)) for _ in range(100)]
            for s in sockets:
                try:
                    s.sendall(hello[:len(hello) // 2])
                except OSError:
                    pass
            time.sleep(0.4)
            for s in sockets:
                s.close()
        cases.check("people log in while another address crowds in", len(honest.took) - before >= 3 and len(honest.failed) == seen,
                    "%d, %s" % (len(honest.took) - before, honest.failed[-3:]))

    def storm(self):
        """More ClientHellos at once than there are places: who finds none waits for one and is not thrown out."""
        sockets = [socket.create_connection(self.county.address, timeout=20, source_address=("127.0.0.10", 0)) for _ in range(200)]
        for s in sockets:
            s.sendall(client_hello())
        answered = 0
        for s in sockets:
            try:
                answered += len(s.recv(1)) == 1
            except OSError:
                pass
        for s in sockets:
            s.close()
        cases.equal("each of 200 ClientHellos at once is answered", answered, 200)

    def inside(self):
        """Nonsense behind a handshake that succeeded: with and without a log-in."""
        ended = 0
        for n in range(30):
            self.count += 1
            wire = self.device.open() if n % 2 else self.device.connect(greet=bool(n % 4))
            data = self.random.randbytes(self.random.choice((1, 16, 17, 300, 20000)))
            if n % 3 == 0: # a header that promises more than comes
                data = w.HEADER.pack(200, w.CALL, 0, 0x0101, 1001, 0) + data[:50]
            try:
                wire.send_bytes(data)
                wire.socket.shutdown(socket.SHUT_WR)
                while wire.alive:
                    wire.step(3)
            except (w.Closed, OSError):
                ended += 1
            except TimeoutError:
                pass
            wire.close()
        cases.equal("nonsense behind the handshake ends the connection", ended, 30)
        for call in (0x0101, 0x0301, 0x0302, 0x0406, 0x0605, 0x0701): # whole frames, random bodies: an answer each
            self.count += 1
            with self.device.open() as wire:
                answers = 0
                for _ in range(40):
                    try:
                        wire.raw(call, self.random.randbytes(self.random.randrange(60)))
                        answers += 1
                    except w.WireError:
                        answers += 1
                    except w.Closed:
                        break
                cases.equal("40 random bodies of %04x get 40 answers" % call, answers, 40)


def check_metrics(county):
    text, values = metrics(county)
    named = set(re.findall(r"(?m)^# TYPE (\S+)", text))
    helped = set(re.findall(r"(?m)^# HELP (\S+)", text))
    loose = [k for k in values if re.sub(r"(_bucket|_sum|_count)?(\{.*)?$", "", k) not in named and k.split("{")[0] not in named]
    cases.check("every sample has a type and a help", named == helped and loose == [], str(loose))
    promtool = shutil.which("promtool")
    if promtool:
        run = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        cases.check("promtool finds nothing", run.returncode == 0, run.stdout + run.stderr)


def main():
    with WireCounty() as county:
        county.registers()
        device = county.person("p", "REGISTRAR", P)
        honest = Honest(county.people["edu"])
        honest.start()
        attack = Attack(county, device)
        attack.inside() # warms up what it will use
        time.sleep(1)
        before, pid = metrics(county)[1], county.server.process.pid
        rss = rss_mib(pid)
        attack.noise()
        attack.cut_hello()
        sockets = attack.silent(honest)
        attack.crowd(honest)
        attack.storm()
        for _ in range(130): # the handshake's 10 s
            if metrics(county)[1]["jingguan_connections"] <= 3:
                break
            time.sleep(0.1)
        _, after = metrics(county)
        honest.going = False
        honest.join(20)
        for s in sockets:
            s.close()
        grown = rss_mib(pid) - rss
        cases.check("memory is flat", grown <= (300 if is_sanitized(pid) else RSS_MIB), "%.1f MiB more" % grown)
        cases.check("the silent ones are gone", after["jingguan_connections"] <= 3, str(after["jingguan_connections"]))
        cases.check("no honest log-in failed", honest.failed == [], str(honest.failed[:3]))
        cases.check("no honest log-in took more than %d s" % LOGIN_S, honest.took and max(honest.took) <= LOGIN_S, "%s" % sorted(honest.took)[-3:])
        moved = {k: after[k] - before.get(k, 0) for k in after}
        cases.check("accepted connections are counted", moved["jingguan_connections_accepted_total"] >= 130, str(moved["jingguan_connections_accepted_total"]))
        cases.check("failed handshakes are counted", moved["jingguan_tls_failed_total"] >= 20, str(moved["jingguan_tls_failed_total"]))
        closed = {k: v for k, v in moved.items() if k.startswith("jingguan_closed_total") and v}
        cases.check("closings are counted by their reason", sum(closed.values()) >= 60, str(closed))
        cases.check("at most 200 hostile connections were needed", attack.count <= 200, str(attack.count))
        cases.check("jgd lives", county.server.process.poll() is None)
        check_metrics(county)
        cases.check("and works", county.people["sysadmin"].open().call("Server.Status").version != "")
    cases.close()


if __name__ == "__main__":
    main()
