#!/usr/bin/python3
"""A push of n records reads as many rows whether the tables are empty or full, also in a database that was never analysed:
what is looked up is looked up through an index. Rows read are counted by PostgreSQL, no time is."""
import csv
import os

from county_files import check_digit
from harness import Cases, Server

ROWS = 25000


def roster(path, first):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["姓名", "证件号码", "年级", "班级", "监护人姓名", "监护人电话"])
        for n in range(first, first + ROWS):
            body = "329999%04d%02d%02d%03d" % (2013 + n // 336000, n // 28000 % 12 + 1, n // 1000 % 28 + 1, n % 1000)
            writer.writerow(["学生%d" % n, body + check_digit(body), "六年级", str(n % 9 + 1), "家长%d" % n, "139%08d" % n])
    return path


def rows_read(server):
    """Rows that scans and index look-ups have fetched so far from the tables that a push touches. A backend that stays idle keeps
    its counters to itself for up to ten seconds; one that ends reports them, so jgd's are ended first (it connects again)."""
    server.psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'jgd'")
    return int(server.psql("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
                           " WHERE relname IN ('student', 'guardian', 'feed', 'stream', 'device', 'op_push', 'rec_history')").split()[-1])


def main():
    cases = Cases()
    with Server() as server:
        server.psql("ALTER SYSTEM SET autovacuum = off")
        server.psql("SELECT pg_reload_conf()")
        server.import_schools("2132000001", "2132000002")
        reads = []
        for i, code in enumerate(("2132000001", "2132000002")):
            person = server.school(code)
            person.ok("import", "students", roster(os.path.join(server.dir, "%d.csv" % i), i * ROWS), timeout=300)
            before = rows_read(server)
            report = person.ok("sync", timeout=300)
            cases.equal("school %d pushed everything" % (i + 1), (report["pushed"], report["digest_ok"]), (2 * ROWS, True))
            reads.append(rows_read(server) - before)
        cases.check("rows read for the second half as for the first", reads[1] <= 1.3 * reads[0], "read %r" % reads)
        cases.check("and few of them for each record", reads[1] <= 12 * 2 * ROWS, "read %r for %d records" % (reads, 2 * ROWS))
    cases.close()


if __name__ == "__main__":
    main()
