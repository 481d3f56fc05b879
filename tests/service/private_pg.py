"""A PostgreSQL of one's own for a test: private cluster on a unix socket in a temporary directory, schema applied.

Owns the processes it starts and nothing else: leaving the `with` block stops that postmaster and removes the directory.
As root it runs as the user postgres, because PostgreSQL refuses root. psql is the only client (no driver is packaged).
"""
import glob
import os
import shutil
import socket
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(1, os.path.join(ROOT, "tests/lib"))
from own_directory import own_directory

BIN = "/usr/lib/postgresql/15/bin"
MEMORY = "/dev/shm"


def schema_files(root=ROOT):
    """[(name, text)] of the schema, in the order of server/operator/migrate.c: the migrations, then the functions."""
    paths = sorted(glob.glob(root + "/sql/migrations/*.sql")) + sorted(glob.glob(root + "/sql/functions/*.sql"))
    return [(os.path.relpath(path, root), open(path, encoding="utf-8").read()) for path in paths]


class PrivatePostgres:
    def __init__(self, directory=None, apply=True, tls=False, **settings):
        """apply: the migrations, as jgd would; tls: also a TCP port with TLS on the loopback (self.port)."""
        # In memory unless told otherwise: a small reconciliation is mostly the making of temporary tables' files.
        self.directory = directory or (MEMORY if os.access(MEMORY, os.W_OK) else None)
        self.apply, self.tls, self.database, self.port = apply, tls, "jingguan", 5432
        self.settings = {"listen_addresses": "''", "timezone": "'Asia/Shanghai'", "fsync": "off", "shared_buffers": "'256MB'",
                         "max_wal_size": "'4GB'", "autovacuum_naptime": "2", **settings}

    def __enter__(self):
        self.dir = own_directory("jgpg.", self.directory)
        self.data = os.path.join(self.dir, "data")
        os.mkdir(self.data, 0o700)
        self.as_server = []
        if os.geteuid() == 0:
            self.as_server = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self.data, "postgres")
            shutil.chown(self.dir, "postgres")
        self._run([BIN + "/initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"])
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.write("unix_socket_directories = '%s'\n" % self.dir)
            for key, value in self.settings.items():
                conf.write("%s = %s\n" % (key, value))
        if self.tls:
            self._serve_tls()
        self._run([BIN + "/pg_ctl", "-D", self.data, "-l", self.data + "/log", "-w", "start"])
        try:
            self._migrate()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(self.as_server + [BIN + "/pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop"],
                       stdout=subprocess.DEVNULL, check=False, cwd="/")
        shutil.rmtree(self.dir, ignore_errors=True)

    def _run(self, command):
        done = subprocess.run(self.as_server + command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False)
        if done.returncode:
            raise RuntimeError("%s: %s" % (command[0], done.stdout))

    def _serve_tls(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                   "-keyout", self.data + "/server.key", "-out", self.data + "/server.crt"])
        with open(self.data + "/postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("listen_addresses = '127.0.0.1'\nport = %d\nssl = on\nmax_connections = 100\n" % self.port)

    def _migrate(self):
        """As the owner that a county has: no superuser, so that FORCE ROW LEVEL SECURITY means something to it."""
        self.sql("CREATE ROLE jingguan_app LOGIN; CREATE ROLE jingguan LOGIN;", database="postgres")
        self.sql("CREATE DATABASE jingguan OWNER jingguan", database="postgres")
        if self.apply:
            self.migrate(schema_files())

    def migrate(self, files, database="jingguan"):
        """As server/operator/migrate.c does: a transaction each, and functions unchecked, because they call each other across files."""
        for name, text in files:
            unchecked = "SET LOCAL check_function_bodies = off;" if name.startswith("sql/functions/") else ""
            self.sql("BEGIN;" + unchecked + text + "\nCOMMIT;", user="jingguan", database=database)

    def command(self, user="postgres", database="jingguan"):
        return ["psql", "-X", "-q", "-h", self.dir, "-p", str(self.port), "-U", user, "-d", database, "-v", "ON_ERROR_STOP=1"]

    def dump(self, database="jingguan"):
        """The schema of a database as text; equal schemas give equal text."""
        done = subprocess.run([BIN + "/pg_dump", "--schema-only", "-h", self.dir, "-p", str(self.port), "-U", "postgres", database], capture_output=True, text=True, encoding="utf-8", check=True)
        return [line for line in done.stdout.split("\n") if not line.startswith(("\\restrict ", "\\unrestrict "))]

    def sql(self, text, user="postgres", database="jingguan", options=()):
        """Runs statements (COPY … FROM STDIN included); what psql printed."""
        done = subprocess.run(self.command(user, database) + list(options), input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, encoding="utf-8", check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout
