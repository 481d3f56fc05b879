"""A stranger's client: written from proto/README.md and proto/jingguan/v1/*.proto alone, sharing no other file with the
repository. `wire_client.py CODE USER PASSWORD` enrols a device, logs in and pulls everything; the tests use its classes.

Owns one connection per Wire; the .proto files are compiled with protoc into a temporary directory once per process."""
import atexit
import base64
import datetime
import glob
import hashlib
import hmac
import importlib
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

PROTO = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "proto")
HELLO, WELCOME, CALL, REPLY, ERROR, EVENT, PING, PONG, GOAWAY = range(1, 10)
MORE = 1
HEADER = struct.Struct(">IBBHII")
CHUNK = 256 * 1024


# ---- the contract as protoc reads it ----

def load_proto():
    out = tempfile.mkdtemp(prefix="jgwire.")
    atexit.register(shutil.rmtree, out, True)
    files = sorted(glob.glob(PROTO + "/jingguan/v1/*.proto"))
    subprocess.run(["protoc", "-I", PROTO, "--python_out", out] + files, check=True)
    sys.path.insert(0, out)
    return {os.path.basename(f)[:-6]: importlib.import_module("jingguan.v1.%s_pb2" % os.path.basename(f)[:-6]) for f in files}


MODULES = load_proto()
OPTIONS = MODULES["options"]


class Messages:
    """pb.Student is the class of message jingguan.v1.Student."""

    def __getattr__(self, name):
        for module in MODULES.values():
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


pb = Messages()


class Method:
    def __init__(self, service, method):
        self.name = "%s.%s" % (service.name, method.name)
        self.rule = method.GetOptions().Extensions[OPTIONS.call]
        self.number = self.rule.number
        self.request, self.reply = getattr(pb, method.input_type.name), getattr(pb, method.output_type.name)


ANSWERED = set() # numbers of the methods that were called and answered with a REPLY
METHODS = {m.name: m for module in MODULES.values() for s in module.DESCRIPTOR.services_by_name.values() for m in (Method(s, x) for x in s.methods)}


class Kind:
    def __init__(self, descriptor):
        self.rule = descriptor.GetOptions().Extensions[OPTIONS.kind]
        self.number, self.name, self.message = self.rule.number, descriptor.name, getattr(pb, descriptor.name)
        self.rules = {f.name: f.GetOptions().Extensions[OPTIONS.rule] for f in descriptor.fields}

    @property
    def groups(self):
        return sorted({r.group for r in self.rules.values()})


KINDS = {k.number: k for k in (Kind(d) for module in MODULES.values() for d in module.DESCRIPTOR.message_types_by_name.values() if d.GetOptions().HasExtension(OPTIONS.kind))}
KIND_BY_NAME = {k.name: k for k in KINDS.values()}


# ---- §5, §6: bytes and hashes ----

def canonical(message, only_other=False, groups=None):
    """Ascending field numbers, no default or empty values, no unknown fields; perhaps only some fields."""
    rules = {f.name: f.GetOptions().Extensions[OPTIONS.rule] for f in message.DESCRIPTOR.fields}
    clean = type(message)()
    for field, value in message.ListFields():
        rule = rules[field.name]
        if value and (not only_other or rule.other) and (groups is None or rule.group in groups):
            setattr(clean, field.name, value)
    return clean.SerializeToString(deterministic=True)


def labelled(label, *parts):
    return hashlib.sha256(label + b"".join(parts)).digest()


def op_sha(data):
    return labelled(b"jg op bytes", data)


def chain_start(device, incarnation):
    return labelled(b"jg genesis", device, struct.pack(">I", incarnation))


def chain_next(chain, op_no, sha):
    return labelled(b"jg op", chain, struct.pack(">Q", op_no), sha)


def record_hash(data):
    return labelled(b"jg record", data)


def lanes(id, ver, kind, record):
    return struct.unpack(">8I", labelled(b"jg lane", id, struct.pack(">QI", ver, kind), record[:8]))


def lane_sum(records):
    """records: (id, ver, kind, canonical bytes) of all live records of a stream."""
    total = [0] * 8
    for id, ver, kind, body in records:
        for i, lane in enumerate(lanes(id, ver, kind, record_hash(body))):
            total[i] = (total[i] + lane) % 2 ** 32
    return total


def audit_root(parts):
    return labelled(b"jg root", parts)


def audit_next(head, n, root):
    return labelled(b"jg audit", head, struct.pack(">Q", n), root)


def resume_proof(token, exporter):
    return hmac.new(hashlib.sha256(token).digest(), b"jingguan session" + exporter, hashlib.sha256).digest()


def head_message(stream, n, head):
    return b"jg head" + struct.pack(">qQ", stream, n) + head


def uuid7():
    ms = time.time_ns() // 1000000
    data = bytearray(ms.to_bytes(6, "big") + os.urandom(10))
    data[6] = data[6] & 0x0F | 0x70
    data[8] = data[8] & 0x3F | 0x80
    return bytes(data)


# ---- §4: connect code, keys ----

class BadCode(Exception):
    pass


def parse_code(text):
    """(first 10 bytes of the CA's SPKI hash, secret, address or None)."""
    code, _, address = text.strip().partition("@")
    plain = "".join(c for c in code.upper() if c not in "- ")
    try:
        raw = base64.b32decode(plain)
    except ValueError:
        raise BadCode("not base32")
    if len(raw) != 20:
        raise BadCode("%d bytes" % len(raw))
    if hashlib.sha256(b"jg connect code" + raw[:18]).digest()[:2] != raw[18:]:
        raise BadCode("check bytes")
    host, _, port = address.rpartition(":")
    return raw[:10], raw[10:18], (host, int(port)) if address else None


def make_code(pin, secret):
    raw = pin + secret
    return base64.b32encode(raw + hashlib.sha256(b"jg connect code" + raw).digest()[:2]).decode()


def spki(cert):
    return cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def make_csr(key, name="wire"):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def names_of(cert):
    return cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


# ---- §1–§3: the connection ----

class Closed(Exception):
    """The peer ended the connection; `error` is the Error of its GOAWAY, if it said one."""

    def __init__(self, why, error=None):
        super().__init__("%s%s" % (why, " (%s)" % error.name if error is not None else ""))
        self.error = error

    @property
    def name(self):
        return self.error.name if self.error is not None else ""


class WireError(Exception):
    def __init__(self, error):
        super().__init__("%s: %s [%s]" % (error.name, error.message, error.field))
        self.error, self.name, self.code, self.field = error, error.name, error.code, error.field


class Wire:
    """One TLS connection: frames in and out, calls and their answers."""

    def __init__(self, address, alpn="jingguan/1", key=None, cert=None, ca=None, county=None, now=None, low=SSL.TLS1_3_VERSION, high=None, timeout=20, source=None):
        self.key = key
        self.timeout, self.next_call, self.events, self.pongs, self.replies = timeout, 1, [], [], {}
        self.inbox, self.alive, self.numbers = b"", True, {}
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(low)
        context.set_max_proto_version(high or SSL.TLS1_3_VERSION)
        context.set_alpn_protos([alpn.encode()])
        if key is not None:
            context.use_privatekey(crypto.PKey.from_cryptography_key(key))
        if cert is not None:
            context.use_certificate(crypto.X509.from_cryptography(cert))
        if ca is not None:
            store = context.get_cert_store()
            store.add_cert(crypto.X509.from_cryptography(ca))
            if now is not None:
                store.set_time(now)
            context.set_verify(SSL.VERIFY_PEER, lambda _c, _x, _e, _d, ok: bool(ok))
        self.socket = socket.create_connection(address, timeout=timeout, source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.tls = SSL.Connection(context, self.socket)
        self.tls.set_connect_state()
        try:
            self._until(self.tls.do_handshake)
            self.leaf = self.tls.get_peer_certificate().to_cryptography()
            if ca is not None and county is not None and "jgd.%s" % county not in names_of(self.leaf):
                raise Closed("the server is not jgd.%s" % county)
        except BaseException:
            self.close()
            raise

    def _until(self, step, timeout=None):
        deadline = time.monotonic() + (timeout or self.timeout)
        while True:
            try:
                return step()
            except (SSL.WantReadError, SSL.WantWriteError) as want:
                left = deadline - time.monotonic()
                reading = isinstance(want, SSL.WantReadError)
                if left <= 0 or not any(select.select([self.socket] if reading else [], [] if reading else [self.socket], [], left)):
                    raise TimeoutError("no answer in %s s" % (timeout or self.timeout))
            except (SSL.ZeroReturnError, SSL.SysCallError, SSL.Error, ConnectionError) as error:
                self.alive = False
                raise Closed("connection closed: %r" % (error,))

    def close(self):
        self.alive = False
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_bytes(self, data):
        view = memoryview(data)
        while len(view):
            n = self._until(lambda: self.tls.send(view[:16384]))
            view = view[n:]

    def send(self, type, body=b"", flags=0, method=0, call=0, deadline=0, length=None):
        self.send_bytes(HEADER.pack(len(body) if length is None else length, type, flags, method, call, deadline) + body)

    def _need(self, n, timeout):
        while len(self.inbox) < n:
            self.inbox += self._until(lambda: self.tls.recv(65536), timeout)

    def read_frame(self, timeout=None):
        self._need(HEADER.size, timeout)
        length, type, flags, method, call, _ = HEADER.unpack(self.inbox[:HEADER.size])
        self._need(HEADER.size + length, timeout)
        body = self.inbox[HEADER.size:HEADER.size + length]
        self.inbox = self.inbox[HEADER.size + length:]
        return type, flags, method, call, body

    def step(self, timeout=None):
        """Reads one frame and files it; returns its type."""
        type, flags, method, call, body = self.read_frame(timeout)
        if type in (REPLY, ERROR):
            self.replies.setdefault(call, []).append((type, flags, method, body))
        elif type == EVENT:
            self.events.append(pb.Event.FromString(body))
        elif type == PING:
            self.send(PONG, body)
        elif type == PONG:
            self.pongs.append(body)
        elif type == GOAWAY:
            self.alive = False
            raise Closed("GOAWAY", pb.GoAway.FromString(body).error)
        elif type == WELCOME:
            self.welcome = pb.Welcome.FromString(body)
        else:
            raise Closed("frame of unknown type %d" % type)
        return type

    def hello(self, **fields):
        fields.setdefault("version_min", 1)
        fields.setdefault("version_max", 1)
        self.send(HELLO, pb.Hello(client="wire_client", now=time.time_ns() // 1000, **fields).SerializeToString())
        self.welcome = None
        while self.welcome is None:
            self.step()
        return self.welcome

    def start(self, number, body, deadline=0, call=None):
        call = call or self.next_call
        self.next_call = max(self.next_call, call + 2)
        self.numbers[call] = number
        self.send(CALL, body, method=number, call=call, deadline=deadline)
        return call

    def pages(self, call, timeout=None):
        """Raw reply bodies of one call, in order."""
        while True:
            while not self.replies.get(call):
                self.step(timeout)
            type, flags, _, body = self.replies[call].pop(0)
            if type == ERROR:
                raise WireError(pb.Error.FromString(body))
            ANSWERED.add(self.numbers[call])
            yield body
            if not flags & MORE:
                return

    def raw(self, number, body, timeout=None):
        return list(self.pages(self.start(number, body), timeout))

    def call(self, name, request=None, /, timeout=None, **fields):
        """The reply; of a streamed method all pages concatenated."""
        method = METHODS[name]
        request = request if request is not None else method.request(**fields)
        reply = method.reply()
        for body in self.pages(self.start(method.number, request.SerializeToString()), timeout):
            reply.MergeFromString(body)
        return reply

    def signed(self, name, /, **fields):
        """A call that the computer signs: what is meant by it is asked for, and goes with it."""
        lines = self.call(name, dry_run=True, **fields).intent
        return self.call(name, intent=lines, intent_sig=self.key.sign(lines, ec.ECDSA(hashes.SHA256())), **fields)

    def page_list(self, name, /, **fields):
        method = METHODS[name]
        return [method.reply.FromString(body) for body in self.pages(self.start(method.number, method.request(**fields).SerializeToString()))]

    def exporter(self):
        return self.tls.export_keying_material(b"EXPERIMENTAL jingguan session", 32)

    def ping(self, body=b"hello"):
        self.send(PING, body)
        while not self.pongs:
            self.step()
        return self.pongs.pop(0)

    def wait_event(self, seconds):
        until = time.monotonic() + seconds
        while not self.events and time.monotonic() < until:
            try:
                self.step(until - time.monotonic())
            except TimeoutError:
                break
        return self.events.pop(0) if self.events else None


# ---- a device with its outbox and its copy of the streams ----

class Stream:
    def __init__(self, id, what):
        self.id, self.what, self.cursor, self.epoch = id, what, 0, 0
        self.records = {}   # id -> (kind, ver, gver, owner, body)
        self.heads = []     # what every pull proved: n, head, signature


class Device:
    """What a client keeps on disk, here in memory."""

    def __init__(self, address):
        self.address = address
        self.key = self.cert = self.ca = None
        self.county = self.device_id = self.school = None
        self.last_server_time = 0
        self.incarnation, self.last_op, self.made, self.last_hash = 0, 0, 0, b""
        self.queue = {}     # op number -> bytes as queued
        self.results = {}   # op number -> OpResult
        self.streams = {}
        self.session = self.token = self.user = None

    def now(self):
        """The OS time clamped to [last server time, that + 30 days]."""
        at = datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
        if self.last_server_time:
            seen = datetime.datetime.fromtimestamp(self.last_server_time / 1e6, datetime.timezone.utc)
            at = min(max(at, seen), seen + datetime.timedelta(days=30))
        return at.replace(tzinfo=None)

    # enrolling

    def enrol(self, code, host="wire"):
        pin, secret, address = parse_code(code)
        self.address = address or self.address
        with Wire(self.address, "jingguan-enrol/1") as wire:
            chain = [c.to_cryptography() for c in wire.tls.get_peer_cert_chain()]
            authorities = [c for c in chain if hashlib.sha256(spki(c)).digest()[:10] == pin]
            if not authorities:
                raise BadCode("this server has another CA")
            store = crypto.X509Store()
            store.add_cert(crypto.X509.from_cryptography(authorities[0]))
            crypto.X509StoreContext(store, crypto.X509.from_cryptography(chain[0])).verify_certificate()
            if not any(name.startswith("jgd.") for name in names_of(chain[0])):
                raise BadCode("the certificate is not a jgd's")
            key = ec.generate_private_key(ec.SECP256R1())
            reply = wire.call("Enrol.Enrol", secret=secret, csr=make_csr(key), host=host)
            if "jgd.%s" % reply.county not in names_of(chain[0]):
                raise BadCode("the certificate is of another county")
        self.key, self.ca = key, authorities[0]
        self.take_cert(reply)
        return reply

    def take_cert(self, reply):
        self.cert = x509.load_der_x509_certificate(reply.cert)
        self.county, self.school = reply.county, reply.school
        self.device_id = bytes.fromhex(reply.device.replace("-", ""))

    def renew(self):
        key = ec.generate_private_key(ec.SECP256R1())
        with Wire(self.address, "jingguan-enrol/1", self.key, self.cert, self.ca, self.county, self.now()) as wire:
            reply = wire.call("Enrol.Renew", csr=make_csr(key))
        self.key = key
        self.take_cert(reply)
        return reply

    # connecting

    def connect(self, greet=True, address=None):
        wire = Wire(address or self.address, "jingguan/1", self.key, self.cert, self.ca, self.county, self.now())
        try:
            if greet:
                self.greet(wire)
        except BaseException:
            wire.close()
            raise
        return wire

    def greet(self, wire):
        welcome = wire.hello(**(dict(incarnation=self.incarnation, last_op=self.last_op, last_hash=self.last_hash, made=self.made) if self.incarnation else {}))
        self.last_server_time = max(self.last_server_time, welcome.now)
        for ref in welcome.stream:
            self.streams.setdefault(ref.stream, Stream(ref.stream, ref.what))
        if welcome.forked or not self.incarnation or welcome.incarnation != self.incarnation:
            self.review = dict(self.queue) if self.incarnation else {}
            self.incarnation, self.queue = welcome.incarnation, {}
            self.last_op = self.made = welcome.last_op
            self.last_hash = welcome.last_hash
        elif welcome.last_op < self.last_op:
            self.last_op, self.last_hash = welcome.last_op, welcome.last_hash
        return welcome

    def login(self, wire, user, password):
        reply = wire.call("Session.Login", user=user, password=password)
        self.session, self.token, self.user = reply.session, reply.token, user
        return reply

    def resume(self, wire):
        return wire.call("Session.Resume", session=self.session, proof=resume_proof(self.token, wire.exporter()))

    def open(self, address=None):
        wire = self.connect(address=address)
        self.resume(wire)
        return wire

    # pushing

    def queue_op(self, kind, id, message=None, /, seen=(), groups=None, author=None, **fields):
        """Queues a PUT of the message (or a DEL without one); seen: pairs (group, gver) or (group, None, own op)."""
        self.made += 1
        op = pb.Op(version=1, op_no=self.made, incarnation=self.incarnation, author=author or self.user, at=time.time_ns() // 1000,
                   action=pb.PUT if message is not None else pb.DEL, kind=kind, id=id)
        if message is not None:
            op.body = canonical(message, groups=groups)
        for group, gver, *own in seen:
            op.seen.add(group=group, **({"own_op": own[0]} if own else {"gver": gver}))
        for name, value in fields.items():
            setattr(op, name, value)
        self.queue[self.made] = op.SerializeToString()
        return self.made

    def sign_copy(self, copy, message):
        """Signs what a Delivery is to say of the copy of a paper as it came, bytes."""
        paper = pb.Delivery.FromString(copy)
        for word, event in (("read", "read"), ("signed", "sign"), ("answered", "answer")):
            if getattr(message, word + "_at"):
                said = hashlib.sha256(message.answer.encode() if event == "answer" else b"").hexdigest()
                lines = "jg intent\ncounty=%s\ndoc=%s\nevent=%s\nby=%s\nfor=-\nversion=%d\ndigest=%s\ntext=%s\ndevice=%s\nmade=%d\n" % (
                    self.county, uuid.UUID(bytes=paper.document), event, self.user, paper.version, paper.digest, said, uuid.UUID(bytes=self.device_id), time.time_ns() // 1000)
                setattr(message, word + "_intent", lines)
                setattr(message, word + "_sig", self.key.sign(lines.encode(), ec.ECDSA(hashes.SHA256())))
        return message

    def push_request(self, limit=500):
        request, size = pb.PushRequest(incarnation=self.incarnation), 0
        for n in range(self.last_op + 1, self.made + 1):
            size += len(self.queue[n])
            if len(request.op) == limit or size > 262144:
                break
            request.op.append(self.queue[n])
        return request

    def take_push(self, reply):
        for result in reply.result:
            if result.op_no != self.last_op + 1:
                raise Closed("answer to operation %d, expected %d" % (result.op_no, self.last_op + 1))
            self.last_hash = chain_next(self.last_hash, result.op_no, op_sha(self.queue[result.op_no]))
            self.last_op = result.op_no
            self.results[result.op_no] = result

    def push(self, wire):
        """All that waits; the server may answer for a first part only."""
        while self.last_op < self.made:
            reply = wire.call("Sync.Push", self.push_request())
            self.take_push(reply)
            if reply.control or not reply.result:
                return reply
            if reply.last_op == self.last_op and reply.last_hash != self.last_hash:
                raise Closed("the server has another chain")
        return None

    # pulling

    def pull(self, wire, id):
        """Stages the pages and makes them visible when the digest agrees; again from 0 on RESYNC, EPOCH or disagreement."""
        stream = self.streams[id]
        for _ in range(3):
            pages = wire.page_list("Sync.Pull", stream=id, cursor=stream.cursor, epoch=stream.epoch)
            last = pages[-1]
            if last.control:
                stream.cursor, stream.records = 0, {}
                continue
            staged = dict(stream.records) if stream.cursor else {}
            for page in pages:
                for change in page.change:
                    if change.action == pb.PUT:
                        staged[change.id] = (change.kind, change.ver, list(change.gver), change.owner, change.body)
                    else:
                        staged.pop(change.id, None)
            if lane_sum((i, r[1], r[0], r[4]) for i, r in staged.items()) != list(last.lane):
                stream.cursor, stream.records = 0, {}
                stream.disagreed = True
                continue
            stream.records, stream.cursor, stream.epoch = staged, last.next, last.epoch
            self.check_head(wire, id, last)
            stream.heads.append((last.audit_n, last.audit_head, last.audit_sig))
            return pages
        raise Closed("stream %d does not agree" % id)

    def check_head(self, wire, id, last):
        wire.leaf.public_key().verify(last.audit_sig, head_message(id, last.audit_n, last.audit_head), ec.ECDSA(hashes.SHA256()))

    def put_blob(self, wire, data):
        sha = hashlib.sha256(data).digest()
        state = wire.call("Sync.StatBlob", sha=sha, size=len(data))
        while not state.complete:
            n = state.have
            state = wire.call("Sync.PutChunk", sha=sha, size=len(data), n=n, data=data[n * CHUNK:(n + 1) * CHUNK])
        return sha

    def get_blob(self, wire, sha):
        return b"".join(page.data for page in wire.page_list("Sync.GetBlob", sha=sha))


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: wire_client.py CONNECT-CODE@HOST:PORT USER PASSWORD")
    device = Device(None)
    print("enrolled as", device.enrol(sys.argv[1]).device)
    with device.connect() as wire:
        print("logged in until", device.login(wire, sys.argv[2], sys.argv[3]).until)
        for id in device.streams:
            device.pull(wire, id)
            print("stream %d: %d records" % (id, len(device.streams[id].records)))


if __name__ == "__main__":
    main()
