#!/usr/bin/python3
"""Tables and declarations say the same: each record kind of the .proto files has a table with its columns, types and header,
and no table has a column that nobody declared (architecture rule 13)."""
import glob
import os
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from private_pg import ROOT, PrivatePostgres

HEADER = {"county": "integer", "rec_id": "uuid", "owner_school": "text", "other_school": "text", "ver": "bigint", "gver": "ARRAY",
          "deleted": "boolean", "nkey": "text", "ext": "bytea"}
BY_CHECK = {"date": "date", "time": "timestamp with time zone", "uuid": "uuid", "ref": "uuid"}
BY_TYPE = {9: "text", 12: "bytea", 5: "integer", 3: "bigint", 8: "boolean"}


def declarations():
    """{table: {column: type}} from the descriptor set, read as a stranger would."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "all.ds")
        subprocess.run(["protoc", "-I", ROOT + "/proto", "-I", "/usr/include", "--include_imports", "--descriptor_set_out=" + path,
                        *glob.glob(ROOT + "/proto/jingguan/v1/*.proto")], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)

    def option(holder, kind, name):
        parsed = factory.GetPrototype(pool.FindMessageTypeByName("google.protobuf." + kind)).FromString(holder.options.SerializeToString())
        extension = pool.FindExtensionByName("jingguan.v1." + name)
        return parsed.Extensions[extension] if parsed.HasExtension(extension) else None

    tables, kinds = {}, []
    for message in (m for f in files.file if f.package == "jingguan.v1" for m in f.message_type):
        kind = option(message, "MessageOptions", "kind")
        if kind is None:
            continue
        columns = {f.name: BY_CHECK.get(option(f, "FieldOptions", "rule").check.partition(":")[0], BY_TYPE[f.type]) for f in message.field}
        tables[kind.table] = {**HEADER, **columns}
        kinds.append(kind)
    return tables, kinds


def places(postgres, kinds):
    """What the machine does for every declaration has to be possible in the database: [(what is missing, where)]."""
    indexed = set(postgres.sql("SELECT c.relname || '.' || a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[1]"
                               " WHERE i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname = 'county')", options=["-At"]).split())
    made = postgres.sql("SELECT proname || ' ' || pg_get_function_identity_arguments(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace", options=["-At"]).split("\n")
    guards = {line.split(" ")[0] for line in made if line.endswith("integer[], schools text[], ids uuid[], bodies jsonb[]")}
    applied = {line.split(" ")[0] for line in made if line.endswith(" schools text[], ids uuid[]")}
    judges = {line.split(" ")[0] for line in made if line.endswith("integer[], schools text[], parents uuid[], deleted boolean[]")}
    missing = []
    for kind in kinds:
        if kind.of and "%s.%s" % (kind.table, kind.of) not in indexed:
            missing.append(("what hangs on a record is looked up by %s.%s" % (kind.table, kind.of), "an index (county, %s), in a new migration" % kind.of))
        for name, there, what in ((kind.guard, guards, "guard(ords int[], schools text[], ids uuid[], bodies jsonb[])"), (kind.applied, applied, "applied(schools text[], ids uuid[])"),
                                 (kind.children_guard, judges, "children_guard(ords int[], schools text[], parents uuid[], deleted boolean[])")):
            if name and name not in there:
                missing.append(("%s has not the signature of %s" % (name, what), "sql/functions"))
    for name in sorted(guards - {kind.guard for kind in kinds}) + sorted(applied - {kind.applied for kind in kinds}) + sorted(judges - {kind.children_guard for kind in kinds}):
        missing.append(("the function %s is named by no kind, and never called" % name, "the declaration of its kind in proto"))
    return missing


def main():
    passed = failed = 0
    with PrivatePostgres() as postgres:
        tables, kinds = declarations()
        missing = places(postgres, kinds)
        passed, failed = int(bool(kinds) and not missing), int(not kinds or bool(missing))
        print("ok every declaration can be honoured" if passed else "not ok declarations:", *["\n  add to %s: %s" % (where, what) for what, where in missing])
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
