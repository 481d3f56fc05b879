#!/usr/bin/python3
"""Tables and declarations say the same: each record kind of the .proto files has a table with its columns, types and header,
and no table has a column that nobody declared. A function has one home, a file of sql/functions, and a database
of a version before ends at the same schema as a new one."""
import difflib
import json
import re
import subprocess
import sys

from declared import declarations
from private_pg import PrivatePostgres, ROOT, schema_files

# Migrations call it to make tables, each as it was then: a later definition would make another table in a new database than in an old one.
IN_MIGRATIONS = {"record_table"}
VERSIONS_BEFORE = 5


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


def homeless(postgres):
    """What of the functions stands elsewhere than in the one file that is its home: [sentence]."""
    homes, wrong = {}, []
    for name, text in schema_files():
        if name.startswith("sql/functions/"):
            for function, body in re.findall(r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?\$\$(.*?)\$\$;$", text, re.S | re.M):
                if function in homes:
                    wrong.append("%s is defined twice: %s, %s" % (function, homes[function][0], name))
                homes[function] = name, body
    made = json.loads(postgres.sql("SELECT json_agg(json_build_array(proname, prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace", options=["-At"]))
    for function, body in made:
        if function in IN_MIGRATIONS:
            wrong += ["%s is of the migrations alone" % function] if function in homes else []
        elif function not in homes:
            wrong.append("%s has no home in sql/functions" % function)
        elif homes[function][1] != body:
            wrong.append("%s is another one than in %s" % (function, homes[function][0]))
    return wrong + ["%s of %s is not in the database" % (f, homes[f][0]) for f in set(homes) - {f for f, _ in made}]


def versions_before():
    """[(commit, its schema files)] of the last versions of sql/ in the history, the newest first; none where there is no history."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, encoding="utf-8", check=False).stdout
    for commit in git("log", "-%d" % VERSIONS_BEFORE, "--format=%h", "--", "sql").split():
        names = git("ls-tree", "-r", "--name-only", commit, "sql/migrations/", "sql/functions/").split()
        yield commit, [(name, git("show", "%s:%s" % (commit, name))) for name in sorted(names, key=lambda name: (name.startswith("sql/functions/"), name))]


def upgraded(postgres, commit, before):
    """What differs between a new database and one of that version, brought up to date: lines."""
    database = "of_" + commit
    postgres.sql("CREATE DATABASE %s OWNER jingguan" % database, database="postgres")
    postgres.migrate(before, database)
    had, now = dict(before), schema_files()
    edited = ["%s was edited" % name for name, text in now if name.startswith("sql/migrations/") and had.get(name, text) != text]
    postgres.migrate([(name, text) for name, text in now if had.get(name) != text], database)
    return edited + list(difflib.unified_diff(postgres.dump(), postgres.dump(database), "new", commit, n=0, lineterm=""))


def functions(postgres):
    """[(what, lines of what is wrong)] of sql/functions."""
    yield "every function has one home", homeless(postgres)
    # Files are applied unchecked; here each body meets the tables and the functions that it names.
    for name, text in schema_files():
        if name.startswith("sql/functions/"):
            try:
                postgres.sql(text, user="jingguan")
                yield name, []
            except RuntimeError as refused:
                yield name, [str(refused)]
    for commit, before in versions_before():
        yield "a database of %s, brought up to date, is as a new one" % commit, upgraded(postgres, commit, before)


def main():
    passed = failed = 0
    with PrivatePostgres() as postgres:
        for what, wrong in functions(postgres):
            print("not ok" if wrong else "ok", what, *["\n  " + line for line in wrong])
            passed, failed = passed + (not wrong), failed + bool(wrong)
        tables, kinds = declarations()
        missing = places(postgres, kinds)
        passed, failed = passed + (bool(kinds) and not missing), failed + (not kinds or bool(missing))
        print("ok every declaration can be honoured" if not missing else "not ok declarations:", *["\n  add to %s: %s" % (where, what) for what, where in missing])
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
