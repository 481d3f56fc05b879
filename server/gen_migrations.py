#!/usr/bin/python3
"""gen_migrations.py SQLDIR OUT.c: SQLDIR/migrations and SQLDIR/functions as C strings with their checksums, so that jgd carries its own schema."""
import hashlib
import pathlib
import sys

out = ["/* made by server/gen_migrations.py */", '#include "migrate.h"', ""]
for folder in ("migrations", "functions"):
    rows, numbers = [], set()
    for path in sorted(pathlib.Path(sys.argv[1], folder).glob("*.sql")):
        number = path.name.split("_")[0]
        if folder == "migrations" and number in numbers:
            sys.exit("sql/migrations has two files of number %s: the one that is not applied anywhere takes the next" % number)
        numbers.add(number)
        data = path.read_bytes()
        name = "%s_%s" % (folder, path.stem)
        out.append("static const char %s[] = {%s, 0};" % (name, ", ".join(str(b if b < 128 else b - 256) for b in data)))
        rows.append('\t{"%s", %s, "%s"},' % (path.name if folder == "migrations" else "functions/" + path.name, name, hashlib.sha256(data).hexdigest()))
    out += ["", "const struct migration %s[] = {" % folder] + rows + ["};", "const size_t %s_count = %d;" % (folder[:-1], len(rows)), ""]
open(sys.argv[2], "w").write("\n".join(out))
