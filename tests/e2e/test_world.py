#!/usr/bin/python3
"""A world of 120 kinds: a copy of the tree is given 105 more by two files, their declarations and a migration, and nothing else; two
computers of a school push, pull, undo and adopt records of them all. Whatever is honoured for a kind listed by hand only, and whatever
array has a size of its own, fails here."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bugs"))
import run as bank

PARENTS, CHILDREN = 60, 45
KIND = """message World%(name)s {
	option (kind) = { number: %(number)d table: "world_%(table)s" owner: SCHOOL_OWNED %(options)s writer: REGISTRAR label: "试%(number)d" label_en: "world %(number)d" };
%(fields)s
}
"""
COMMON = """	optional string value = 3 [(rule) = { label: "值" label_en: "value" group: 2 }];
	optional int32 day = 4 [(rule) = { label: "日" label_en: "day" group: 2 check: "date" }];
	optional bool yes = 5 [(rule) = { label: "是" label_en: "yes" group: 2 }];
	optional int64 money = 6 [(rule) = { label: "金额" label_en: "money" group: 3 check: "fen" }];
	optional int64 share = 7 [(rule) = { label: "比例" label_en: "share" group: 3 check: "decimal:3" }];
	optional int32 time = 8 [(rule) = { label: "时长" label_en: "time" group: 3 check: "minutes" }];
	optional string days = 9 [(rule) = { label: "选项" label_en: "choices" group: 3 check: "multi:answer" }];
	optional string story = 10 [(rule) = { label: "记录" label_en: "story" group: 4 check: "long" }];
	optional bytes about = 11 [(rule) = { label: "关于" label_en: "about" group: 4 check: "ref:student" }];"""
COLUMNS = "value text, day date, yes boolean, money bigint, share bigint, time int, days text, story text, about uuid"
KEY = '	optional string key = 2 [(rule) = { label: "键" label_en: "key" group: 1 required: true }];\n'


def generate(tree):
    """105 kinds, numbers up to 999: 60 with a key, 45 that hang on one of those."""
    proto = ['syntax = "proto2";', "package jingguan.v1;", 'import "jingguan/v1/options.proto";', ""]
    sql = []
    for n in range(PARENTS):
        proto.append(KIND % {"name": "Parent%d" % n, "number": 100 + n, "table": "parent_%d" % n, "options": 'key: "key"', "fields": KEY + COMMON})
        sql.append("SELECT record_table('world_parent_%d', 'key text, %s');" % (n, COLUMNS))
    for n in range(CHILDREN):
        proto.append(KIND % {"name": "Child%d" % n, "number": 999 - n, "table": "child_%d" % n, "options": 'of: "parent" on: "world_parent_%d" key: "parent" key: "value"' % n,
                             "fields": '	optional bytes parent = 1 [(rule) = { label: "上级" label_en: "parent" group: 1 required: true check: "uuid" }];\n' + COMMON})
        sql.append("SELECT record_table('world_child_%d', 'parent uuid, %s'); CREATE INDEX world_child_%d_parent ON world_child_%d (county, parent);" % (n, COLUMNS, n, n))
    with open(tree + "/proto/jingguan/v1/world.proto", "w", encoding="utf-8") as out:
        out.write("\n".join(proto))
    with open(tree + "/sql/migrations/9000_world.sql", "w", encoding="utf-8") as out:
        out.write("\n".join(sql) + "\n")


tree = bank.copy_tree()
generate(tree)
refused = bank.build(tree, "jgd", "jg", "jgadmin", "world")
os.environ["JG_BUILD"] = tree + "/build/dev"
from harness import Cases, Server # the programs of that tree
from wire_county import P

cases = Cases()


def world(*args):
    run = subprocess.run([tree + "/build/dev/tests/world", *args], capture_output=True, text=True, env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": ""})
    if run.returncode:
        raise SystemExit("world %s: %s" % (" ".join(args), run.stderr))
    return run.stdout


def counts(person):
    """{(live, with a live parent): how many kinds of parents, of children}"""
    rows = [line.split() for line in world("count", person.profile).splitlines()]
    return {(kind, int(n), int(hung)): sum((r[0].startswith("world_" + kind), r[1], r[2]) == (True, n, hung) for r in rows) for kind in ("parent", "child") for _, n, hung in rows
            if any((r[0].startswith("world_" + kind), r[1], r[2]) == (True, n, hung) for r in rows)}


def tables_of(server):
    return server.psql("SELECT relname FROM pg_class WHERE relname LIKE 'world%' AND relkind = 'r'").split()


def at_the_bureau(server):
    """How many live records each generated table has: {n: tables}."""
    rows = server.psql(" UNION ALL ".join("SELECT count(*) FROM %s WHERE NOT deleted" % t for t in tables_of(server))).split()
    return {int(n): rows.count(n) for n in set(rows)}


def most_memory(server):
    """What jgd has used at most since it was started, in MiB."""
    with open("/proc/%d/status" % server.process.pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) / 1024


def many(server, one, two):
    """1,000 records with long texts are what a page of rows may be, and thirty times what a page of bytes may be."""
    world("many", one.profile, "1000")
    one.ok("sync")
    server.stop()
    server.start()
    two.ok("status")
    before = most_memory(server)
    cases.equal("long texts arrive", two.ok("sync")["pulled"] >= 1000, True)
    cases.check("and the database gives a page of them at a time", most_memory(server) - before < 12, "%.1f MiB more" % (most_memory(server) - before))


def play(server):
    server.import_schools(P)
    one, two = server.school(P), server.school(P, name="two")
    both = PARENTS + CHILDREN
    batch = world("put", one.profile, "a", "first").strip()
    told = one.ok("sync")
    cases.equal("every kind is pushed, with its children", (told["pushed"], at_the_bureau(server)), (both, {1: both}))
    stories = server.psql(" UNION ALL ".join("SELECT count(*) FROM %s WHERE length(story) > 5000 AND story LIKE E'第一行\\n第二行%%'" % t for t in tables_of(server))).split()
    cases.equal("a long text keeps its lines", stories, ["1"] * both)
    two.ok("sync") # more than one frame
    everything = {("parent", 1, 0): PARENTS, ("child", 1, 1): CHILDREN}
    cases.equal("and pulled by another computer", counts(two), everything)
    one.ok("undo", batch)
    one.ok("sync")
    two.ok("sync")
    cases.equal("an undo takes all of it back, everywhere", (at_the_bureau(server), counts(two)), ({0: both}, {("parent", 0, 0): PARENTS, ("child", 0, 0): CHILDREN}))
    world("put", one.profile, "b", "mine")
    world("put", two.profile, "b", "theirs")
    one.ok("sync")
    two.ok("sync", code=(0, 5))
    two.ok("sync", code=(0, 5))
    tables = at_the_bureau(server)
    cases.equal("what two computers made alike is one record, with the children of both", tables, {1: PARENTS, 2: CHILDREN})
    one.ok("sync")
    cases.equal("at both of them", (counts(one), counts(two)), ({("parent", 1, 0): PARENTS, ("child", 2, 2): CHILDREN},) * 2)
    many(server, one, two)
    cases.check("and nothing waits", one.ok("outbox", "list") == [] or all(row["state"] in ("accepted", "done") for row in one.ok("outbox", "list")))


def main():
    cases.check("105 kinds more build with two files more", not refused, refused)
    try:
        if not refused:
            with Server() as server:
                play(server)
    finally:
        shutil.rmtree(tree)
    cases.close()


main()
