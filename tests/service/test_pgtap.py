#!/usr/bin/python3
"""test_pgtap.py: runs tests/service/pgtap/*.sql (pg_prove) on a private PostgreSQL with all migrations applied."""
import glob
import os
import subprocess
import sys

from private_pg import PrivatePostgres


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with PrivatePostgres() as postgres:
        # Apart from our own schema, which schema.sql looks through.
        postgres.sql("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; GRANT USAGE ON SCHEMA tap TO PUBLIC; ALTER DATABASE jingguan SET search_path = public, tap;")
        sys.exit(subprocess.run(["pg_prove", "-h", postgres.data, "-U", "postgres", "-d", "jingguan", *sys.argv[1:]]
                                + sorted(glob.glob(here + "/pgtap/*.sql")), check=False).returncode)


if __name__ == "__main__":
    main()
