#!/usr/bin/python3
"""Ill-formed declarations, each alone in a .proto of its own: gen_tables.py refuses every one with a sentence, and a good one builds."""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, ROOT + "/proto")
import gen_tables

HEAD = 'syntax = "proto2";\npackage jingguan.v1;\nimport "jingguan/v1/options.proto";\n'
KIND = """message Odd {
	option (kind) = { number: 900 table: "odd" owner: SCHOOL_OWNED key: "code" writer: REGISTRAR label: "怪" label_en: "odd" %s };
	optional string code = 1 [(rule) = { label: "码" label_en: "code" group: 1 required: true }];
	%s
}
"""
METHOD = "message Ask { %s } service Odd { rpc Foo(Ask) returns (Ask) { option (call) = { number: %s access: SESSION request_max: %s label: \"唔\" %s }; } }"


def field(kind, rule="", name="x", number=2, label="甲", group=1, more=""):
    return 'optional %s %s = %s [%s(rule) = { label: "%s" label_en: "%s" group: %d %s }];' % (kind, name, number, more, label, name, group, rule)


def kind(options="", fields="", **instead):
    text = KIND % (options, fields)
    for name, value in instead.items():
        old = {"table": 'table: "odd"', "owner": "owner: SCHOOL_OWNED", "key": 'key: "code"', "writer": "writer: REGISTRAR", "label": 'label: "怪"', "number": "number: 900"}[name]
        assert old in text
        text = text.replace(old, value)
    return text


def method(fields='optional string a = 1 [(check) = "text:10", (rule) = { label: "x" label_en: "y" }];', number="0x7f01", size="100", more=""):
    return METHOD % (fields, number, size, more)


OF = field("bytes", 'required: true check: "uuid"')
CLASS = field("string", "", "class_no", 2, "班")
GOOD = {
    "a kind": kind(),
    "what hangs on a pupil": kind('of: "x" on: "student"', OF),
    "a range": kind("", field("int32", 'check: "range:1-9"')),
    "codes that fit": kind("", field("string", 'check: "codes:ethnic" max_bytes: 8')),
    "a method": method(),
}
BAD = { # what is declared, and what the refusal names
    "a range from above": (kind("", field("int32", 'check: "range:9-1"')), "range"),
    "a range beyond int32": (kind("", field("int32", 'check: "range:1-99999999999"')), "range"),
    "a range beyond int64": (kind("", field("int64", 'check: "range:1-99999999999999999999999"')), "range"),
    "a range of one": (kind("", field("int32", 'check: "range:9"')), "range"),
    "a key of three": (kind("", field("string") + field("string", "", "y", 3, "乙"), key='key: "code|x|y"'), "key"),
    "a key of no field": (kind(key='key: "nope"'), "nope"),
    "a key twice": (kind(key='key: "code" key: "code"'), "twice"),
    "a key of yes and no": (kind("", field("bool"), key='key: "x"'), "key"),
    "a key of two types": (kind("", field("int32"), key='key: "code|x"'), "type"),
    "no table": (kind(table=""), "table"),
    "another kind's table": (kind(table='table: "student"'), "student"),
    "a table that is no name": (kind(table='table: "a;drop"'), "table"),
    "a table that SQL means": (kind(table='table: "order"'), "table"),
    "no owner": (kind(owner=""), "owner"),
    "no label": (kind(label=""), "label"),
    "no writer": (kind(writer=""), "nobody"),
    "nothing a writer may write": (kind(owner="owner: SERVER_OWNED"), "school_writes"),
    "a writer of the county's": (kind(owner="owner: COUNTY_OWNED"), "county"),
    "school_writes of a school's": (kind("", field("string", "school_writes: true")), "school_writes"),
    "a gap between groups": (kind("", field("string", group=8)), "gap"),
    "a group of two merges": (kind("", field("string", "merge: GUARDED")), "merges"),
    "school_writes of half a group": (kind("", field("string", "school_writes: true"), owner="owner: SERVER_OWNED"), "all of group"),
    "of that is text": (kind('of: "x" on: "student"', field("string", "required: true")), "uuid"),
    "of without a check": (kind('of: "x" on: "student"', field("bytes", "required: true")), "uuid"),
    "of that is a number": (kind('of: "x" on: "student"', field("int32", "required: true")), "uuid"),
    "of that may be absent": (kind('of: "x" on: "student"', field("bytes", 'check: "uuid"')), "required"),
    "what hangs on itself": (kind('of: "x" on: "odd"', OF), "itself"),
    "an addressee that is a number": (kind('of: "x" on: "slip" addressee: "y"', OF + field("int32", "", "y", 3, "乙")), "school_code"),
    "on the same twice": (kind('of: "x" on: "student" on: "student"', OF), "twice"),
    "hidden of no value": (kind('hidden: "code"'), "hidden"),
    "hidden of nothing": (kind('hidden: "code="'), "hidden"),
    "hidden of two values": (kind('hidden: "code=a=b"'), "hidden"),
    "hidden of yes and no": (kind('hidden: "x=true"', field("bool")), "hidden"),
    "hidden of a number": (kind('hidden: "x=abc"', field("int32")), "hidden"),
    "a grade of no list": (kind('grade: "99"', CLASS), "grade"),
    "a class that is a number": (kind('grade: "16"', field("int32", "", "class_no")), "class_no"),
    "a register of numbers": (kind("register: true", field("int32", "", "cert_no") + field("string", "", "student_no", 3, "籍") + field("string", "", "class_no", 4, "班")), "cert_no"),
    "a default": (kind("", field("string", more='default = "boo", ')), "default"),
    "protobuf's required": (kind("", field("string").replace("optional", "required")), "required"),
    "a oneof": (kind("", "oneof o { string x = 2 [(rule) = { label: \"甲\" label_en: \"x\" group: 1 }]; string y = 3; }"), "oneof"),
    "a field beyond all numbers": (kind("", field("string", number=100000)), "numbered"),
    "a field named ver": (kind("", field("string", name="ver")), "header"),
    "a field named deleted": (kind("", field("bool", name="deleted")), "header"),
    "a field named order": (kind("", field("string", name="order")), "SQL"),
    "a field in capitals": (kind("", field("string", name="FooBar")), "small letters"),
    "a field without a label": (kind("", "optional string x = 2 [(rule) = { group: 1 }];"), "label"),
    "two fields of one column": (kind("", field("string", 'column: "丙"') + field("string", 'column: "丙"', "y", 3, "乙")), "column"),
    "two fields of one label": (kind("", field("string") + field("string", 'column: "丙"', "y", 3, "甲")), "called"),
    "no field": ('message Odd { option (kind) = { number: 900 table: "odd" owner: SCHOOL_OWNED writer: REGISTRAR label: "怪" label_en: "odd" }; }', "no field"),
    "the length of a number": (kind("", field("int32", "max_bytes: 9")), "max_bytes"),
    "a short check sum": (kind("", field("bytes", 'check: "sha" max_bytes: 5')), "max_bytes"),
    "an ordinal of no key": (kind("", field("int32", 'ordinal: true check: "range:1-99"')), "ordinal"),
    "an ordinal in letters": (kind('of: "y" on: "student"', field("string", "ordinal: true") + field("bytes", 'required: true check: "uuid"', "y", 3, "乙"), key='key: "y" key: "x"'), "ordinal"),
    "other of the server's without a guard": (kind("", field("string", "other: true school_writes: true", group=2), owner="owner: SERVER_OWNED"), "guard"),
    "other of a school's without a guard": (kind("", field("string", "other: true")), "guard"),
    "a writer that may not push": (kind(writer="writer: LEADER"), "push"),
    "a class teacher of no class": (kind("", field("string", "school_writes: true", group=2), writer="writer: CLASS_TEACHER", owner="owner: SERVER_OWNED"), "class"),
    "codes of no list": (kind("", field("string", 'check: "codes:"')), "codes"),
    "a check with a tail": (kind("", field("string", 'check: "cert_no:foo"')), "cert_no"),
    "an author that is a number": (kind("", field("int32", "author: true")), "author"),
    "several codes that do not fit": (kind("", field("string", 'check: "multi:ethnic" max_bytes: 3')), "bytes"),
    "codes that do not fit": (kind("", field("string", 'check: "codes:ethnic" max_bytes: 1')), "bytes"),
    "a kind of no number": (kind(number=""), "number"),
    "a fraction": (kind("", field("float")), "type"),
    "an enum": (kind("", field("Role")), "type"),
    "an unsigned number": (kind("", field("uint32")), "type"),
    "a method beyond all numbers": (method(number="70000"), "numbered"),
    "a method of the house": (method(number="1"), "numbered"),
    "a request larger than a frame": (method(size="4294967295"), "frame"),
    "pages that write": (method(more="streamed: true writes: true"), "streamed"),
    "codes of no list in a request": (method('optional string a = 1 [(check) = "codes:nope", (rule) = { label: "x" label_en: "y" }];'), "nope"),
    "a length in letters": (method('optional string a = 1 [(check) = "text:abc", (rule) = { label: "x" label_en: "y" }];'), "text"),
    "a list without an end": (method('repeated string a = 1 [(max_count) = 4294967295, (rule) = { label: "x" label_en: "y" }];'), "times"),
    "a map": (method('map<string, string> a = 1 [(max_count) = 4, (rule) = { label: "x" label_en: "y" }];'), "map"),
    "a message within a message that holds itself": (method('optional Inner a = 1 [(rule) = { label: "x" label_en: "y" }]; message Inner { optional Inner b = 1; repeated string c = 2; }'), "within"),
    "protobuf's group": (method("optional group A = 1 { repeated string c = 2; }"), "within"),
}


def refusal(base, directory, body):
    """The sentence, None when it builds. What is neither is an exception of gen_tables.py, and a failure."""
    with open(directory + "/odd.proto", "w", encoding="utf-8") as out:
        out.write(HEAD + body)
    subprocess.run(["protoc", "--descriptor_set_in=" + base, "-I", directory, "--descriptor_set_out=%s/odd.ds" % directory, "odd.proto"], check=True)
    with open(directory + "/all.ds", "wb") as out:
        for path in (base, directory + "/odd.ds"):
            out.write(open(path, "rb").read())
    sys.argv = ["gen_tables.py", directory + "/all.ds", directory, ROOT + "/sql"]
    try:
        gen_tables.main()
    except SystemExit as end:
        return str(end)
    return None


def main():
    directory, failed = tempfile.mkdtemp(prefix="jgdecl."), 0
    try:
        base = directory + "/base.ds"
        folder = ROOT + "/proto/jingguan/v1/"
        subprocess.run(["protoc", "-I", ROOT + "/proto", "-I", "/usr/include", "--include_imports", "--descriptor_set_out=" + base] + sorted(folder + n for n in os.listdir(folder)), check=True)
        for name, (body, word) in [(n, (b, None)) for n, b in GOOD.items()] + list(BAD.items()):
            try:
                said = refusal(base, directory, body)
            except Exception as error: # pylint: disable=broad-except
                said = "%s: %s" % (type(error).__name__, error)
            good = said is None if word is None else bool(said) and said.startswith("proto: ") and word in said
            failed += not good
            print("%s %s%s" % ("ok" if good else "not ok", name, "" if good else ": %s" % said))
    finally:
        shutil.rmtree(directory)
    print("%d passed, %d failed" % (len(GOOD) + len(BAD) - failed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
