#!/usr/bin/python3
"""Extreme values of every field of every kind that a school may push, one push each: every operation is answered by a result, never
by an error that would hold up all that waits behind it, and what is accepted comes back byte by byte."""
import os

from harness import Cases, PASSWORD, Server
from first_login import SCHOOLS, first_login
from wire_client import KINDS, Device, WireError, canonical, pb, uuid7

NUMBERS = (-2 ** 63, -2 ** 31, -1, 1, 2026, 99999999, 20260912, 20261399, 2 ** 31 - 1, 2 ** 63 - 1)
TEXTS = ("a", "'", "\\", "{\"", "\x01", "\u202e", "𬍛", "é" * 60, "NULL", "0", "2132999001", "T1", "1", "16", "A1", "present")
GOOD = {"name": "测试", "grade": "16", "class_no": "1", "stage": "T1", "category": "D5", "answer": "present", "year": 2026, "entry_year": 2020, "ordinal": 1,
        "present": True, "student_no": "G329999000000000001", "at": 1789142400000000, "school": SCHOOLS[0], "size": 10, "file_name": "a.pdf"}


def value_of(field, rule):
    if field.name in GOOD:
        return GOOD[field.name]
    if field.type == field.TYPE_BYTES:
        return os.urandom(32 if rule.check == "sha" else 16)
    return "1" if field.type == field.TYPE_STRING else 1


def variants(kind):
    """The kind's message with its required fields and one field at an extreme."""
    for field in kind.message.DESCRIPTOR.fields:
        if field.type == field.TYPE_BOOL:
            continue
        wide = {field.TYPE_INT32: [n for n in NUMBERS if -2 ** 31 <= n < 2 ** 31], field.TYPE_INT64: NUMBERS, field.TYPE_STRING: TEXTS,
                field.TYPE_BYTES: (b"\0", b"\0" * 16, b"\xff" * 16, b"\xff" * 255)}[field.type]
        for extreme in wide:
            message = kind.message()
            for other in message.DESCRIPTOR.fields:
                if kind.rules[other.name].required or other.name == "student_no":
                    setattr(message, other.name, value_of(other, kind.rules[other.name]))
            setattr(message, field.name, extreme)
            yield field.name, extreme, message


def main():
    cases = Cases()
    with Server() as server:
        server.import_schools(*SCHOOLS)
        admin = server.people["sysadmin"]
        device = Device(("127.0.0.1", server.port))
        device.enrol(server.code(admin.ok("devices", "invite", "--school", SCHOOLS[0])["code"]))
        account = admin.ok("users", "add", "--school", SCHOOLS[0], "--role", "registrar", "极值")
        first_login(cases, {}, device, account["user"], account["password"])
        with device.connect() as wire:
            device.login(wire, account["user"], PASSWORD)
            accepted = {}
            for kind in KINDS.values():
                errors, asked = [], 0
                for field, extreme, message in variants(kind):
                    id = uuid7()
                    op = device.queue_op(kind.number, id, message)
                    asked += 1
                    try:
                        device.push(wire)
                    except WireError as error:
                        errors.append("%s=%r: %s" % (field, extreme, error.name))
                        device.made -= 1
                        device.queue.pop(op)
                        continue
                    if device.results[op].outcome in (pb.APPLIED, pb.MERGED):
                        accepted[id] = canonical(message)
                cases.check("%s: %d extremes are answered" % (kind.name, asked), not errors, "\n    ".join(errors[:12]))
            device.pull(wire, int(SCHOOLS[0]))
            records = device.streams[int(SCHOOLS[0])].records
            cases.check("something was accepted", len(accepted) > 20, len(accepted))
            cases.equal("what was accepted comes back as it was", [id.hex() for id, body in accepted.items() if id not in records or records[id][4] != body], [])
    cases.close()


if __name__ == "__main__":
    main()
