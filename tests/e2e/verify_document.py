#!/usr/bin/python3
"""A second opinion on a paper's package: what its trace proves, by the contract alone (doc/documents.md "Trace"). Shares no code with the product.

    verify_document.py FILE.zip      {"entries", "ok", "first_bad"}, exit 1 unless ok"""
import base64
import datetime
import hashlib
import json
import re
import sys
import unicodedata
import xml.etree.ElementTree
import zipfile

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# What a state may become, and by which events (doc/documents.md).
IN = """ register>registered registered accept>proposing registered refuse>refused proposing propose>instructing,circulating instructing instruct>handling,circulating
instructing pass>instructing instructing return>proposing handling report>handling handling finish>reviewing handling decline>proposing handling transfer>handling handling extend>handling
circulating read>circulating,done reviewing approve>done reviewing return>handling done reopen>handling done archive>archived"""
OUT = """ draft>draft draft edit>draft draft submit>reviewing reviewing approve>countersigning,signing reviewing return>draft countersigning agree>countersigning,signing
countersigning object>draft signing sign>signing,rechecking signing joint>signing,rechecking signing return>draft,issued rechecking recheck>numbering,numbered
rechecking change>rechecking,signing numbering number>numbered numbered press>printing printing proof_pass>proofed printing proof_fail>numbered proofed seal>sealed proofed issue>issued
sealed issue>issued issued close>closed issued recall>recalled issued reissue>signing closed archive>archived recalled archive>archived
reviewing withdraw>draft countersigning withdraw>draft signing withdraw>draft"""
VOID = {"in": "registered proposing instructing handling circulating reviewing", "out": "draft reviewing countersigning signing rechecking numbering numbered printing proofed sealed"}


def table(text, kind):
    moves = {}
    for state, event, to in re.findall(r"(?:(\w+) )?(\w+)>(\S+)", text):
        moves[state, event] = to.split(",")
    moves.update({(state, "void"): ["void"] for state in VOID[kind].split()})
    return moves


MOVES = {"in": table(IN, "in"), "out": table(OUT, "out")}
# Of an order or a meeting on it; what lies between two of the bureau's acts is signed elsewhere: a school's answer, the issue of the meeting's paper.
MATTER = table(""" add>open open answer>answered returned answer>answered answered accept>closed answered return>returned open transfer>open returned transfer>returned
open extend>open answered extend>answered returned extend>returned open cancel>cancelled answered cancel>cancelled returned cancel>cancelled
 plan>planned planned approve>approved approved move>approved noticed move>approved noticed hold>held minuted close>closed planned cancel>cancelled approved cancel>cancelled
noticed cancel>cancelled""", "in")
BETWEEN = {"open": "answered", "returned": "answered", "approved": "noticed", "held": "minuted"}
INTENT = "county doc event by for version digest text device made".split()
ENTRY = "n prev at state intent sig".split()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def lines_of(data, word, keys):
    lines = data.decode().split("\n")
    if lines[0] != word or lines[-1] or [x.partition("=")[0] for x in lines[1:-1]] != keys:
        raise ValueError("not a %s" % word)
    return dict(x.split("=", 1) for x in lines[1:-1])


class Package:
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path)
        self.names = self.zip.namelist()

    def read(self, name):
        return self.zip.read(name)

    def certs(self, name):
        found = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", self.read(name) if name in self.names else b"", re.DOTALL)
        return [x509.load_pem_x509_certificate(pem) for pem in found]


def is_good(cert, ca, at):
    try:
        ca.public_key().verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm))
    except InvalidSignature:
        return False
    moment = at.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return cert.issuer == ca.subject and cert.not_valid_before <= moment <= cert.not_valid_after


def is_signed(certs, ca, at, data, sig):
    for cert in certs:
        try:
            if is_good(cert, ca, at):
                cert.public_key().verify(sig, data, ec.ECDSA(hashes.SHA256()))
                return True
        except InvalidSignature:
            pass
    return False


def draft_of(text):
    head, _, body = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).partition("\n---\n")
    fields = dict(re.split("[：:]", line, maxsplit=1) for line in head.split("\n") if line.strip())
    names = lambda key: ";".join(x.strip() for x in re.split("[；;]", fields.get(key, "")) if x.strip())
    paragraphs = [p.strip() for p in body.split("\n")]
    return fields["标题"].strip(), fields["文种"].strip(), names("主送"), names("抄送"), "\n".join(p for p in paragraphs if p)


def digest_of(package, kind):
    tree = xml.etree.ElementTree.fromstring(package.read("封装包.xml"))
    value = lambda name: next((e.text or "" for e in tree.iter(name)), "")
    parts = [{e.tag: e.text or "" for e in part} for part in tree.iter("文档")]
    if kind == "out":
        typed = next(p for p in parts if p["文档角色"] == "定稿")
        title, genre, to, cc, body = draft_of(package.read(typed["计算机文件名"]).decode())
    else:
        title, genre, to, cc, body = value("题名"), value("文种"), "", "", value("事由")
    files = "".join("file=%s %s\n" % (sha(package.read(p["计算机文件名"])), p["原文件名"]) for p in parts if p.get("原文件名"))
    return sha(("jg document version\ntitle=%s\ngenre=%s\nto=%s\ncc=%s\ntext=%s\n%s" % (title, genre, to, cc, sha(body.encode()), files)).encode())


def words_hash(line):
    return sha((line["text"] + ("\n" + line["given"] if line["given"] else "")).encode())


def matters_are_good(package, ca):
    """The traces of what hangs on the paper, one behind the other."""
    prev, last, state, doc, n = "", None, "", None, 0
    for line in package.read("matters.jsonl").decode().splitlines() if "matters.jsonl" in package.names else []:
        x = json.loads(line)
        intent, intent_sig, entry, entry_sig = (base64.b64decode(x[k], validate=True) for k in ("intent", "intent_sig", "entry", "entry_sig"))
        meant, written = lines_of(intent, "jg intent", INTENT), lines_of(entry, "jg entry", ENTRY)
        if written["n"] == "1":
            prev, last, state, doc, n = "0" * 64, None, "", meant["doc"], 0
        n, at = n + 1, datetime.datetime.fromisoformat(written["at"])
        to = MATTER.get((state, meant["event"]), []) + MATTER.get((BETWEEN.get(state), meant["event"]), [])
        if not (int(written["n"]) == n and written["prev"] == prev and (last is None or at >= last) and written["intent"] == sha(intent) and written["sig"] == sha(intent_sig)
                and meant["device"] == x["device"] and meant["doc"] == doc and meant["text"] == words_hash(x) and written["state"] in to
                and is_signed(package.certs("certs/%s.pem" % x["device"]), ca, at, intent, intent_sig) and is_signed(package.certs("certs/server.pem"), ca, at, entry, entry_sig)):
            return False
        prev, last, state = sha(entry), at, written["state"]
    return True


def copies_are_good(package, ca, doc):
    """What each school has signed of its copy."""
    for line in package.read("copies.jsonl").decode().splitlines() if "copies.jsonl" in package.names else []:
        x = json.loads(line)
        intent, sig = (base64.b64decode(x[k], validate=True) for k in ("intent", "intent_sig"))
        meant = lines_of(intent, "jg intent", INTENT)
        at = datetime.datetime.fromtimestamp(int(meant["made"]) / 10 ** 6, datetime.timezone.utc)
        if not (meant["doc"] == doc and meant["event"] == x["event"] and meant["device"] == x["device"] and meant["text"] == sha(x["text"].encode())
                and is_signed(package.certs("certs/%s.pem" % x["device"]), ca, at, intent, sig)):
            return False
    return True


def verify(path):
    package = Package(path)
    ca = package.certs("certs/ca.pem")[0]
    prev, last, state, doc, kind, meant = "0" * 64, None, "", None, None, {}
    lines = package.read("trace.jsonl").decode().splitlines()
    words = [json.loads(line) for line in package.read("words.jsonl").decode().splitlines()] if "words.jsonl" in package.names else []
    for n, line in enumerate(lines, 1):
        try:
            x = json.loads(line)
            intent, intent_sig, entry, entry_sig = (base64.b64decode(x[k], validate=True) for k in ("intent", "intent_sig", "entry", "entry_sig"))
            meant, written = lines_of(intent, "jg intent", INTENT), lines_of(entry, "jg entry", ENTRY)
            at = datetime.datetime.fromisoformat(written["at"])
            kind = kind or ("out" if meant["event"] == "draft" else "in")
            device = [c for c in package.certs("certs/%s.pem" % x["device"]) if c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == x["device"]]
            good = (int(written["n"]) == n and written["prev"] == prev and (last is None or at >= last) and written["intent"] == sha(intent) and written["sig"] == sha(intent_sig)
                    and meant["device"] == x["device"] and (n > len(words) or words_hash(words[n - 1]) == meant["text"]) and doc in (None, meant["doc"]) and written["state"] in MOVES[kind].get((state, meant["event"]), [])
                    and is_signed(device, ca, at, intent, intent_sig) and is_signed(package.certs("certs/server.pem"), ca, at, entry, entry_sig))
        except (ValueError, KeyError):
            good = False
        if not good:
            return {"entries": len(lines), "ok": False, "first_bad": n}
        prev, last, state, doc = sha(entry), at, written["state"], meant["doc"]
    if not lines or digest_of(package, kind) != meant["digest"] or not is_listed(package, ca) or not matters_are_good(package, ca) or not copies_are_good(package, ca, doc):
        return {"entries": len(lines), "ok": False, "first_bad": None}
    return {"entries": len(lines), "ok": True, "first_bad": None}


def is_listed(package, ca):
    """The list of files is that of the files, and the server has signed it."""
    named = {name for name in package.names if not name.startswith("manifest-sha256.")}
    listed = package.read("manifest-sha256.txt")
    wanted = "".join("%s  %s\n" % (sha(package.read(name)), name) for name in sorted(named, key=lambda x: x.encode())).encode()
    try:
        package.certs("certs/server.pem")[0].public_key().verify(base64.b64decode(package.read("manifest-sha256.sig")), listed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return listed == wanted


if __name__ == "__main__":
    result = verify(sys.argv[1])
    print(json.dumps(result))
    sys.exit(0 if result["ok"] else 1)
