#!/usr/bin/python3
"""Writes proto/vectors.json: an example of every frozen rule, computed from proto/README.md with hashlib and nothing else —
not by the programs and not by wire_client, which both read the file. Run it only when the document grows a rule; what
stands in the file never changes. `--check` compares instead of writing."""
import base64
import hashlib
import hmac
import json
import os
import struct
import sys

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "proto/vectors.json")
ID = bytes.fromhex("0190a1b2c3d47e5f8a6b7c8d9e0f1a2b")
# SubjectPublicKeyInfo of two P-256 keys that nobody uses: the curve's generator G, and 2G.
SPKI = [bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004" + xy) for xy in (
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978" "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1")]
OTHER_ID = bytes.fromhex("0190ffffffff7fffbfffffffffffffff")

# Field numbers of the kinds, in their order; the second list: `other: true`.
STUDENT = dict(name=1, cert_type=2, cert_no=3, student_no=4, gender=5, birth=6, ethnic=7, keep_invalid=8, grade=9, class_no=10, status=11, hukou_area=12,
               live_area=13, live_address=14, migrant=15, left_behind=16)
DESTINATION = dict(year=1, name=2, cert_type=3, cert_no=4, student_no=5, class_no=6, gender=7, hukou_address=8, live_address=9, guardian_name=10,
                   guardian_phone=11, guardian_confirmed=12, category=13, dest_school=14, dest_school_name=15, place=16, registration_no=17,
                   evidence_note=18, note=19)
DESTINATION_OTHER = {1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 17}
GUARDIAN = dict(student=1, ordinal=2, name=3, relation=4, phone=5)


def sha(label, *parts):
    return hashlib.sha256(label.encode() + b"".join(parts)).digest()


def varint(n):
    out = b""
    n &= 2 ** 64 - 1 # a negative int32 takes ten bytes
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def canonical(numbers, fields, only=None):
    out = b""
    for name, number in sorted(numbers.items(), key=lambda x: x[1]):
        value = fields.get(name)
        if not value or (only and number not in only):
            continue
        if isinstance(value, (bool, int)):
            out += varint(number << 3) + varint(int(value))
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def record(kind, number, numbers, fields, only=None):
    data = canonical(numbers, fields)
    shown = {k: {"hex": v.hex()} if isinstance(v, bytes) else v for k, v in fields.items()}
    out = {"kind": kind, "number": number, "fields": shown, "bytes": data.hex(), "hash": sha("jg record", data).hex()}
    if only:
        other = canonical(numbers, fields, only)
        out.update(other=other.hex(), other_hash=sha("jg record", other).hex())
    return out


def headers():
    rows = [(0, 7, 0, 0, 0, 0), (5, 3, 0, 0x0301, 1, 60000), (65520, 4, 1, 0x0302, 4294967295, 0), (1048560, 3, 0, 0x0501, 7, 1)]
    names = ("length", "type", "flags", "method", "call", "deadline")
    return [{**dict(zip(names, r)), "bytes": (u32(r[0]) + bytes([r[1], r[2]]) + struct.pack(">H", r[3]) + u32(r[4]) + u32(r[5])).hex()} for r in rows]


def chain(device, incarnation, ops):
    head = sha("jg genesis", device, u32(incarnation))
    out = {"device": device.hex(), "incarnation": incarnation, "genesis": head.hex(), "next": []}
    for op_no, data in ops:
        head = sha("jg op", head, u64(op_no), sha("jg op bytes", data))
        out["next"].append({"op_no": op_no, "sha": sha("jg op bytes", data).hex(), "hash": head.hex()})
    return out


def lanes(id, ver, kind, data):
    digest = sha("jg lane", id, u64(ver), u32(kind), sha("jg record", data)[:8])
    return {"id": id.hex(), "ver": ver, "kind": kind, "record": sha("jg record", data).hex(), "lanes": list(struct.unpack(">8I", digest))}


def audit():
    entry = lambda id, ver, kind, action, mask, data: id + u64(ver) + u32(kind) + bytes([action, mask, 0, 0]) + (sha("jg record", data) if data else bytes(32))
    part = lambda author, device, first, last, entries: author.encode() + b"\0" + device + u64(first) + u64(last) + u32(len(entries)) + b"".join(entries)
    one = part("wangli", ID, 1, 2, [entry(OTHER_ID, 1, 5, 1, 3, b"a"), entry(ID, 2, 5, 2, 1, b"")])
    two = part("basicedu", OTHER_ID, 0, 0, [entry(ID, 3, 7, 1, 4, b"b")])
    head, out = bytes(32), []
    for n, parts in ((1, one), (2, one + two), (3, b"")):
        root = sha("jg root", parts)
        after = sha("jg audit", head, u64(n), root)
        out.append({"n": n, "before": head.hex(), "parts": parts.hex(), "root": root.hex(), "head": after.hex()})
        head = after
    return out


def codes():
    out = []
    for spki, secret, server in ((SPKI[0], bytes(range(8)), ""), (SPKI[1], b"\xff" * 8, "192.0.2.7:7420")):
        raw = hashlib.sha256(spki).digest()[:10] + secret
        text = base64.b32encode(raw + sha("jg connect code", raw)[:2]).decode()
        text = "-".join(text[i:i + 4] for i in range(0, 32, 4))
        out.append({"spki": spki.hex(), "pin": raw[:10].hex(), "secret": secret.hex(), "code": text + ("@" + server if server else "")})
    return out


def heads():
    return [{"stream": stream, "n": n, "head": (bytes([n]) * 32).hex(), "message": (b"jg head" + struct.pack(">q", stream) + u64(n) + bytes([n]) * 32).hex()}
            for stream, n in ((329999, 1), (2132990001, 200))]


def resumes():
    out = []
    for token, exporter in ((bytes(range(32)), bytes(range(32, 64))), (b"\0" * 32, b"\xff" * 32)):
        proof = hmac.new(hashlib.sha256(token).digest(), b"jingguan session" + exporter, hashlib.sha256).hexdigest()
        out.append({"token": token.hex(), "exporter": exporter.hex(), "proof": proof})
    return out


def make():
    student = dict(name="买买提·阿卜杜拉", cert_type="1", cert_no="329999201503020012", student_no="", gender="1", birth=20150302, ethnic="05", keep_invalid=False,
                   grade="16", class_no="3", live_area="329999100001", live_address="", migrant=True, left_behind=False)
    destination = dict(year=2027, name="𫗧子涵", cert_no="32999920150302002X", class_no="12", gender="2", guardian_name="𫗧某", guardian_phone="13900000002",
                       guardian_confirmed=True, category="A1", dest_school="3132990001", dest_school_name="演练县第一初级中学", registration_no="BM-1", note="随迁")
    guardian = dict(student=ID, ordinal=1, name="某", relation="父亲", phone="13900000001")
    ops = [(1, b"first"), (2, b""), (3, bytes(range(256)))]
    return {"header": headers(), "op": [{"bytes": b.hex(), "sha": sha("jg op bytes", b).hex()} for _, b in ops],
            "chain": [chain(ID, 1, ops), chain(OTHER_ID, 4294967295, [(1, b"x"), (2 ** 63 - 1, b"y")])],
            "record": [record("Student", 5, STUDENT, student), record("Student", 5, STUDENT, dict(name="a", birth=-1)), record("Student", 5, STUDENT, {}),
                       record("Destination", 7, DESTINATION, destination, DESTINATION_OTHER), record("Guardian", 6, GUARDIAN, guardian)],
            "lanes": [lanes(ID, 1, 5, b"a"), lanes(OTHER_ID, 2 ** 40, 7, b"")], "audit": audit(), "head": heads(), "connect_code": codes(), "resume": resumes()}


def main():
    text = json.dumps(make(), ensure_ascii=False, indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if open(PATH, encoding="utf-8").read() == text else "proto/vectors.json is not what the document says")
    with open(PATH, "w", encoding="utf-8") as out:
        out.write(text)


if __name__ == "__main__":
    main()
