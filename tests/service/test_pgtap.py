#!/usr/bin/python3
"""test_pgtap.py: runs tests/service/pgtap/*.sql (pg_prove) on a private PostgreSQL with all migrations applied."""
import glob
import os
import re
import subprocess
import sys

from private_pg import PrivatePostgres
from declared import declarations

COUNTY_OWNED = 2  # options.proto


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with PrivatePostgres() as postgres:
        # Apart from our own schema, which schema.sql looks through.
        postgres.sql("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; GRANT USAGE ON SCHEMA tap TO PUBLIC; ALTER DATABASE jingguan SET search_path = public, tap;")
        # --verbose prints the TAP lines, which are counted here: one closing line for script/test.
        county = sorted(kind.table for kind in declarations()[1] if kind.owner == COUNTY_OWNED)
        postgres.sql("CREATE TABLE tap.county_owned AS SELECT unnest('{%s}'::text[]) AS name;" % ",".join(county))
        run = subprocess.run(["pg_prove", "--verbose", "-h", postgres.dir, "-U", "postgres", "-d", "jingguan"]
                             + sorted(glob.glob(here + "/pgtap/*.sql")), check=False, capture_output=True, text=True)
        print(run.stdout, run.stderr)
        failed = len(re.findall(r"^not ok ", run.stdout, re.M))
        if run.returncode and not failed:
            failed = 1  # a file that died before its plan
        print("%d passed, %d failed" % (len(re.findall(r"^ok ", run.stdout, re.M)), failed))
        sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
