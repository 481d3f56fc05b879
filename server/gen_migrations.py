#!/usr/bin/python3
"""gen_migrations.py DIR OUT.c: the migrations as C strings with their checksums, so that jgd carries its own schema."""
import hashlib
import pathlib
import sys

rows, out = [], ['/* made by server/gen_migrations.py */', '#include "migrate.h"', '']
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.sql")):
    data = path.read_bytes()
    name = "sql_" + path.stem
    out.append("static const char %s[] = {%s, 0};" % (name, ", ".join(str(b if b < 128 else b - 256) for b in data)))
    rows.append('\t{"%s", %s, "%s"},' % (path.name, name, hashlib.sha256(data).hexdigest()))
out += ["", "const struct migration migrations[] = {"] + rows + ["};", "const size_t migration_count = %d;" % len(rows)]
open(sys.argv[2], "w").write("\n".join(out) + "\n")
