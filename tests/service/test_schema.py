#!/usr/bin/python3
"""Tables and declarations say the same: each record kind of records.proto has a table with its columns, types and header,
and no table has a column that nobody declared (architecture rule 13)."""
import os
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from private_pg import ROOT, PrivatePostgres

HEADER = {"county": "integer", "rec_id": "uuid", "owner_school": "text", "other_school": "text", "ver": "bigint", "gver": "ARRAY",
          "deleted": "boolean", "nkey": "text", "ext": "bytea"}
BY_CHECK = {"date": "date", "time": "timestamp with time zone", "uuid": "uuid"}
BY_TYPE = {9: "text", 12: "bytea", 5: "integer", 3: "bigint", 8: "boolean"}


def declarations():
    """{table: {column: type}} from the descriptor set, read as a stranger would."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "all.ds")
        subprocess.run(["protoc", "-I", ROOT + "/proto", "-I", "/usr/include", "--include_imports", "--descriptor_set_out=" + path,
                        ROOT + "/proto/jingguan/v1/records.proto"], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)

    def option(holder, kind, name):
        parsed = factory.GetPrototype(pool.FindMessageTypeByName("google.protobuf." + kind)).FromString(holder.options.SerializeToString())
        extension = pool.FindExtensionByName("jingguan.v1." + name)
        return parsed.Extensions[extension] if parsed.HasExtension(extension) else None

    tables, hung = {}, []
    for message in (m for f in files.file if f.name.endswith("records.proto") for m in f.message_type):
        kind = option(message, "MessageOptions", "kind")
        columns = {f.name: BY_CHECK.get(option(f, "FieldOptions", "rule").check, BY_TYPE[f.type]) for f in message.field}
        tables[kind.table] = {**HEADER, **columns}
        if kind.of:
            hung.append(kind)
    return tables, hung


def places(postgres, hung):
    """A kind that hangs on another is known by hand in a few places, because each reads it by its own columns: [(what is missing, where)]."""
    push = open(os.path.join(ROOT, "server/push_facts.c"), encoding="utf-8").read()
    hangers = push[push.index("read_hangers = {"):].split("};")[0]
    adopt = open(os.path.join(ROOT, "client/core/outbox_push.c"), encoding="utf-8").read()
    adopted = adopt[adopt.index("enum err outbox_adopt("):].split("};")[0]
    scopes = postgres.sql("SELECT pg_get_functiondef('pupil_scopes'::regproc)", options=["-At"])
    targets = postgres.sql("SELECT pg_get_functiondef('hook_targets'::regproc)", options=["-At"])
    missing = []
    for kind in hung:
        if 2 in kind.writer and " %s " % kind.table not in scopes: # CLASS_TEACHER
            missing.append(("%s is written by class teachers: the record that it hung on before" % kind.table, "function pupil_scopes, in a new migration (0011 has the present one)"))
        if "student" in kind.on or "destination" in kind.on:
            if " %s " % kind.table not in hangers:
                missing.append(("%s keeps its pupil from being deleted" % kind.table, "read_hangers in server/push_facts.c"))
            if "KIND_%s," % kind.table.upper() not in adopted:
                missing.append(("%s comes along when its pupil turns out to exist" % kind.table, "outbox_adopt in client/core/outbox_push.c"))
        for on in kind.on:
            if " %s " % on not in targets:
                missing.append(("%s may be hung on %s" % (kind.table, on), "function hook_targets, in a new migration (0011 has the present one)"))
    return missing


def main():
    passed = failed = 0
    with PrivatePostgres() as postgres:
        tables, hung = declarations()
        missing = places(postgres, hung)
        passed, failed = int(bool(hung) and not missing), int(not hung or bool(missing))
        print("ok kinds that hang on others are known everywhere" if passed else "not ok kinds that hang on others:", *["\n  add to %s: %s" % (where, what) for what, where in missing])
        for table, wanted in tables.items():
            rows = postgres.sql("SELECT column_name || '|' || data_type FROM information_schema.columns WHERE table_name = '%s' AND table_schema = 'public'" % table, options=["-At"])
            found = dict(line.split("|") for line in rows.split("\n") if line)
            if found == wanted:
                passed += 1
                print("ok", table)
            else:
                failed += 1
                print("not ok", table, "only declared:", {k: v for k, v in wanted.items() if found.get(k) != v}, "only in the table:", {k: v for k, v in found.items() if wanted.get(k) != v})
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
