#!/usr/bin/python3
"""The auditor's offline verifier: proto/README.md §5–§7 applied to exports, without the server's help.

    verify_audit.py DIR --county 329999 --cert server.pem [--heads heads.json]

DIR holds `audit_link.csv`, `stream.csv` and one CSV per record kind, as psql writes them as the database's owner, all in
one transaction: a record that a working server writes between two exports would stand in one of them only.

    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL app.county = '329999'; SET LOCAL app.scope = 'job'; SET LOCAL app.schools = ''; SET LOCAL app.streams = '';
    \\copy (SELECT * FROM audit_link) TO 'DIR/audit_link.csv' CSV HEADER
    …
    COMMIT;

heads.json is what a client kept of its pulls: rows [stream, n, head in hex, signature in hex]. The exports alone show that
they agree with themselves; only kept heads show that everything was written anew. Prints one line per finding, exits 1 when
there is any, and 2 when the exports cannot be read."""
import argparse
import csv
import datetime
import json
import os
import struct
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import wire_client as w

csv.field_size_limit(1 << 30)
ENTRY = struct.Struct(">16sQIBB2x32s")
NO_HEAD = bytes(32)


class Finding:
    """what: edit, delete, reorder, truncation, fork, signature or record."""

    def __init__(self, what, stream, n, story):
        self.what, self.stream, self.n, self.story = what, stream, n, story

    def __str__(self):
        return "%-10s stream %s%s: %s" % (self.what, self.stream, " link %s" % self.n if self.n is not None else "", self.story)


def rows(directory, name):
    with open(os.path.join(directory, name + ".csv"), encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def unhex(text):
    if not text.startswith("\\x"):
        raise ValueError("bytea without \\x: %.20s" % text)
    return bytes.fromhex(text[2:])


def parse_parts(parts):
    """Yields the entries (id, ver, kind, action, mask, hash) of a link; ValueError when the bytes do not add up."""
    at = 0
    while at < len(parts):
        end = parts.index(b"\0", at)
        count = struct.unpack_from(">I", parts, end + 1 + 32)[0]
        at = end + 1 + 36
        if at + ENTRY.size * count > len(parts):
            raise ValueError("entries are cut off")
        for i in range(count):
            yield ENTRY.unpack_from(parts, at + ENTRY.size * i)
        at += ENTRY.size * count


class Verifier:
    def __init__(self, directory, county, cert, heads):
        self.directory, self.county, self.cert, self.heads = directory, county, cert, heads
        self.findings = []
        self.links = {}  # stream -> [(n, parts, root, head)] in the order of n
        self.newest = {} # (stream, record) -> newest entry
        self.entries = 0

    def find(self, what, stream, n, story):
        self.findings.append(Finding(what, stream, n, story))

    def run(self):
        for row in rows(self.directory, "audit_link"):
            if int(row["county"]) == self.county:
                self.links.setdefault(int(row["stream_id"]), []).append((int(row["n"]), unhex(row["parts"]), unhex(row["root"]), unhex(row["head"])))
        for stream, links in sorted(self.links.items()):
            links.sort(key=lambda link: link[0])
            self.check_chain(stream, links)
        self.check_streams()
        self.check_heads()
        self.check_records()
        return self.findings

    def check_chain(self, stream, links):
        head, expected = NO_HEAD, 1
        heads = {w.audit_next(h, n, r): n for (n, _, r, _), h in zip(links, [NO_HEAD] + [l[3] for l in links])}
        for n, parts, root, stored in links:
            if n != expected:
                self.find("delete", stream, expected, "is missing: the next one is %d" % n)
            if w.audit_root(parts) != root:
                self.find("edit", stream, n, "its entries do not give its root")
            elif w.audit_next(head, n, root) != stored and n == expected:
                self.find("reorder", stream, n, "does not follow the one before it" + (", it belongs elsewhere" if stored in heads else ""))
            try:
                for entry in parse_parts(parts):
                    self.newest[stream, entry[0]] = entry
                    self.entries += 1
            except (ValueError, struct.error) as error:
                self.find("edit", stream, n, "its entries cannot be read: %s" % error)
            head, expected = stored, n + 1

    def check_streams(self):
        for row in rows(self.directory, "stream"):
            stream, n, head = int(row["stream_id"]), int(row["audit_n"]), unhex(row["audit_head"])
            if int(row["county"]) != self.county:
                continue
            links = self.links.get(stream, [])
            last = (links[-1][0], links[-1][3]) if links else (0, NO_HEAD)
            if last[0] < n:
                self.find("truncation", stream, n, "the stream counts %d links, %d are there" % (n, last[0]))
            elif last != (n, head):
                self.find("fork", stream, n, "the stream's head is not its last link's")

    def check_heads(self):
        for stream, n, head, sig in self.heads:
            try:
                self.cert.public_key().verify(sig, w.head_message(stream, n, head), ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                self.find("signature", stream, n, "a kept head was not signed by this server")
                continue
            stored = {link[0]: link[3] for link in self.links.get(stream, [])}
            if n and n not in stored:
                self.find("truncation", stream, n, "a client was shown this link, it is gone")
            elif n and stored[n] != head:
                self.find("fork", stream, n, "a client was shown another head: the trace was written anew")

    # ---- what the tables say now against the newest entries ----

    def value(self, field, rule, text):
        if text == "":
            return None
        if rule.check == "date":
            return int(text.replace("-", ""))
        if rule.check == "time":
            at = datetime.datetime.fromisoformat(text)
            return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
        if field.type == field.TYPE_BOOL:
            return text == "t"
        if field.type == field.TYPE_BYTES:
            return bytes.fromhex(text.replace("-", "")) if rule.check == "uuid" else unhex(text)
        return text if field.type == field.TYPE_STRING else int(text)

    def message(self, kind, row):
        message = kind.message()
        for field in kind.message.DESCRIPTOR.fields:
            value = self.value(field, kind.rules[field.name], row[field.name])
            if value:
                setattr(message, field.name, value)
        return message

    def check_records(self):
        live = set()
        for kind in w.KINDS.values():
            for row in rows(self.directory, kind.rule.table):
                if int(row["county"]) == self.county and row["deleted"] != "t":
                    live |= self.check_record(kind, row)
        for (stream, id), entry in self.newest.items():
            if entry[3] == w.pb.PUT and (stream, id) not in live:
                self.find("record", stream, None, "%s of kind %d should be here and is not" % (id.hex(), entry[2]))

    def check_record(self, kind, row):
        """The streams that must carry the record; finds where its bytes are not what the trace says."""
        id, message, seen = bytes.fromhex(row["rec_id"].replace("-", "")), self.message(kind, row), set()
        if kind.name == "Slip" and message.state == "draft":
            return seen # nobody's business until it is issued
        for school, only_other in ((row["owner_school"], False), (row["other_school"], True)):
            if only_other and school in ("", row["owner_school"]):
                continue
            stream = int(school or self.county)
            seen.add((stream, id))
            entry = self.newest.get((stream, id))
            if entry is None:
                self.find("record", stream, None, "%s %s stands in no link" % (kind.rule.table, id.hex()))
            elif entry[3] != w.pb.PUT:
                self.find("record", stream, None, "%s %s was taken away and is here" % (kind.rule.table, id.hex()))
            elif (entry[1], entry[2]) != (int(row["ver"]), kind.number):
                self.find("record", stream, None, "%s %s is version %s, the trace says %d" % (kind.rule.table, id.hex(), row["ver"], entry[1]))
            elif w.record_hash(w.canonical(message, only_other=only_other)) != entry[5]:
                self.find("record", stream, None, "%s %s has other values than were written" % (kind.rule.table, id.hex()))
        return seen


def verify(directory, county, cert_path, heads):
    with open(cert_path, "rb") as file:
        return Verifier(directory, county, x509.load_pem_x509_certificate(file.read()), heads)


def main():
    parser = argparse.ArgumentParser(description="verify exports of the trace offline")
    parser.add_argument("directory")
    parser.add_argument("--county", type=int, required=True)
    parser.add_argument("--cert", required=True, help="server.pem, whose chain the CA's printed hash proves")
    parser.add_argument("--heads", help="JSON rows [stream, n, head, signature] that a client kept")
    options = parser.parse_args()
    try:
        heads = [(s, n, bytes.fromhex(h), bytes.fromhex(g)) for s, n, h, g in json.load(open(options.heads))] if options.heads else []
        verifier = verify(options.directory, options.county, options.cert, heads)
        findings = verifier.run()
    except (OSError, ValueError, KeyError) as error:
        print("cannot read the exports: %r" % error, file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print("%d links, %d entries, %d kept heads: %s" % (sum(map(len, verifier.links.values())), verifier.entries, len(heads),
                                                     "%d findings" % len(findings) if findings else "whole"))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
