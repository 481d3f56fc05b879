#!/usr/bin/python3
"""Every method at the seam between the wire and its handler (dispatch_seam.c): every state, role and shape of message, a peer that
leaves, reads nothing or sends what is no message, and a PostgreSQL that is killed meanwhile. With the sanitizers where they are built."""
import os
import shutil
import subprocess
import sys
import tempfile

from private_pg import ROOT, PrivatePostgres

BUILDS = [os.environ["JG_BUILD"]] if "JG_BUILD" in os.environ else [b for b in (ROOT + "/build/dev", ROOT + "/build/asan") if os.path.exists(b + "/tests/dispatch_seam")]
COUNTY = """
CREATE TABLE schema_migration (name text); GRANT SELECT ON schema_migration TO jingguan_app; -- jgd's own, see migrate.c
INSERT INTO county (county, name, rehearsal) VALUES (329999, '测试县', true);
INSERT INTO stream (county, stream_id) VALUES (329999, 329999), (329999, 3299990001);
INSERT INTO feed SELECT 329999, 329999, gen_random_uuid(), n, 1, 1, 2 FROM generate_series(1, 5) n;
UPDATE stream SET seq = 5 WHERE stream_id = 329999;
INSERT INTO user_account (county, user_id, name, school, roles, password_hash, created_at, created_by)
	VALUES (329999, 'seam', '测试', '', '{12}', 'x', now(), 'test');
INSERT INTO device (county, device_id, school, cert_spki, cert_until, last_hash)
	VALUES (329999, '11111111-1111-1111-1111-111111111111', '3299990001', decode(repeat('5a', 32), 'hex'), now() + interval '90 days', decode(repeat('00', 32), 'hex'));
"""


def main():
    passed, failed = 0, 0
    for build in BUILDS:
        with PrivatePostgres() as postgres:
            postgres.sql(COUNTY)
            directory = tempfile.mkdtemp(prefix="jgseam.")
            try:
                done = subprocess.run([build + "/tests/dispatch_seam", "host=%s dbname=jingguan user=postgres" % postgres.dir, directory],
                                      stdout=subprocess.PIPE, text=True, timeout=600, check=False,
                                      env=dict(os.environ, LSAN_OPTIONS="suppressions=%s/tests/lsan.supp:print_suppressions=0" % ROOT))
            finally:
                shutil.rmtree(directory)
            lines = done.stdout.splitlines()
            print("\n".join(line for line in lines if line.startswith("not ok")))
            counts = lines[-1].split() if lines and lines[-1].endswith(" failed") else ["0", "", "1"]
            refused = int(lines[-2].split()[1]) if len(lines) > 1 else -1
            logged = int(postgres.sql("SELECT count(*) FROM access_log WHERE purpose = 'refused'", options=["-At"]))
            whole = logged >= refused > 0
            if not whole:
                print("not ok %d refusals, %d of them in the access log" % (refused, logged))
            if done.returncode and counts[2] == "0":
                print("not ok %s ended with %d" % (build, done.returncode))
            passed += int(counts[0]) + whole
            failed += int(counts[2]) + (not whole) + (done.returncode != 0 and counts[2] == "0")
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
