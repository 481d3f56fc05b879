"""Three PostgreSQL nodes under Patroni, each in a network namespace of its own, etcd beside them; and a county that two jgd behind
HAProxy serve from them. What the campaign of failovers breaks and mends.

Owns the namespaces, the bridge and every process in them; all carry this process's number in their names. Needs root."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import wire_client as w
from harness import COUNTY, JGD, Failure, Server
from wire_county import WireCounty

PACKAGES = ("patroni", "etcd-server", "haproxy", "iproute2", "python3-psycopg2")
BIN = "/usr/lib/postgresql/15/bin"
PASSWORD = "cluster"
# Patroni wants loop_wait + 2 * retry_timeout <= ttl and ttl >= 20: the lease of a primary that fell silent ends after 20 s.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 3, 5


def install():
    """The packages only this campaign needs; script/bootstrap does not know them."""
    missing = [p for p in PACKAGES if subprocess.run(["dpkg-query", "-W", p], capture_output=True).returncode]
    if missing:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True, capture_output=True,
                       timeout=600, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"})


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=True, text=True, timeout=20).stdout


def wait_for(what, condition, seconds, pause=0.2):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failure("%s: not within %d s" % (what, seconds))
        time.sleep(pause)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    """One machine: a namespace, Patroni, its PostgreSQL."""

    def __init__(self, cluster, n):
        self.cluster, self.n = cluster, n
        self.name, self.space, self.link = "node%d" % n, "jg%dn%d" % (os.getpid(), n), "jg%dv%d" % (os.getpid() % 100000, n)
        self.address = "%s.%d" % (cluster.net, 10 + n)
        self.dir = os.path.join(cluster.dir, self.name)
        self.frozen, self.process = [], None

    def make(self):
        ip("netns", "add", self.space)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("link", "set", self.link, "master", self.cluster.bridge, "up")
        ip("-n", self.space, "addr", "add", self.address + "/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", self.space, "link", "set", device, "up")
        os.makedirs(self.dir, mode=0o700)
        shutil.chown(self.dir, "postgres", "postgres")
        with open(self.dir + "/patroni.yml", "w") as out:
            out.write(self.settings())

    def settings(self):
        c = self.cluster
        return f"""
scope: jingguan
name: {self.name}
restapi: {{listen: '{self.address}:8008', connect_address: '{self.address}:8008'}}
etcd: {{host: '{c.net}.1:{c.etcd_port}'}}
bootstrap:
  dcs:
    ttl: {TTL}
    loop_wait: {LOOP_WAIT}
    retry_timeout: {RETRY_TIMEOUT}
    maximum_lag_on_failover: 1073741824
    primary_start_timeout: 0
    synchronous_mode: {'false' if c.is_async else 'true'}
    synchronous_mode_strict: {'false' if c.is_async else 'true'}
    postgresql:
      use_pg_rewind: true
      parameters: {{shared_buffers: 64MB, max_connections: 60, wal_log_hints: 'on', wal_keep_size: 512MB, wal_sender_timeout: 10s, wal_receiver_timeout: 10s,
                    # The standby's first try may come before its slot exists; the next one should not be 5 s later.
                    wal_retrieve_retry_interval: 500ms}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: '{self.address}:5432'
  connect_address: '{self.address}:5432'
  data_dir: {self.dir}/data
  pgpass: {self.dir}/pgpass
  bin_dir: {BIN}
  authentication:
    superuser: {{username: postgres, password: {PASSWORD}}}
    replication: {{username: replica, password: {PASSWORD}}}
    rewind: {{username: rewind, password: {PASSWORD}}}
  pg_hba: ['local all all trust', 'host all all {c.net}.0/24 scram-sha-256', 'host replication all {c.net}.0/24 scram-sha-256']
  parameters: {{unix_socket_directories: '{self.dir}', password_encryption: scram-sha-256}}
watchdog: {{mode: 'off'}}
"""

    def start(self):
        with open(self.dir + "/patroni.log", "a") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.space, "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                                             "patroni", self.dir + "/patroni.yml"], stdout=log, stderr=log, start_new_session=True, cwd=self.dir, env={**os.environ, "HOME": self.dir})

    def pids(self):
        return [int(pid) for pid in ip("netns", "pids", self.space, check=False).split()]

    def postmaster(self):
        try:
            with open(self.dir + "/data/postmaster.pid") as file:
                return int(file.readline())
        except (OSError, ValueError):
            return None

    def kill_postgres(self):
        pid = self.postmaster()
        if pid in self.pids():
            os.kill(pid, signal.SIGKILL)

    def crash(self):
        """The machine loses power."""
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process:
            self.process.wait(timeout=20)
            self.process = None

    def freeze(self):
        """The machine stands still, as one that is moved or swaps; its kernel goes on acknowledging packets."""
        self.frozen = self.pids()
        for pid in self.frozen:
            os.kill(pid, signal.SIGSTOP)

    def cut(self):
        ip("link", "set", self.link, "down")

    def isolate_from(self, others):
        """Replication stops, clients and etcd still get through."""
        for other in others:
            ip("-n", self.space, "route", "add", "blackhole", other.address + "/32")

    def mend(self):
        for pid in self.frozen:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        self.frozen = []
        ip("link", "set", self.link, "up")
        for line in ip("-n", self.space, "route", "show", "type", "blackhole").splitlines():
            ip("-n", self.space, "route", "del", "blackhole", line.split()[1], check=False)
        if not self.process or self.process.poll() is not None:
            self.start()

    def role(self):
        """What Patroni says it is: primary, sync_standby, replica; '' when it does not answer or PostgreSQL is not running."""
        try:
            answer = urllib.request.urlopen("http://%s:8008/patroni" % self.address, timeout=2).read()
        except urllib.error.HTTPError as error:
            answer = error.read()
        except OSError:
            return ""
        state = json.loads(answer)
        if state.get("state") != "running":
            return ""
        return "sync_standby" if state.get("sync_standby") else {"master": "primary"}.get(state["role"], state["role"])

    def close(self):
        self.crash()
        ip("netns", "del", self.space, check=False)


class Cluster:
    def __init__(self, directory, is_async=False):
        self.dir, self.is_async = directory, is_async
        self.net = "10.213.%d" % (os.getpid() % 250)
        self.bridge, self.etcd_port = "jg%db" % (os.getpid() % 100000), free_port()
        self.nodes, self.etcd = [], None

    def start(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", self.net + ".1/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        peer = "http://127.0.0.1:%d" % free_port()
        client = "http://%s.1:%d" % (self.net, self.etcd_port)
        with open(self.dir + "/etcd.log", "w") as log:
            self.etcd = subprocess.Popen(["etcd", "--name", "one", "--data-dir", self.dir + "/etcd", "--listen-client-urls", client, "--advertise-client-urls", client,
                                          "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "one=" + peer, "--enable-v2", "--log-level", "error"],
                                         stdout=log, stderr=log, start_new_session=True)
        for n in (1, 2, 3):
            node = Node(self, n)
            self.nodes.append(node)
            node.make()
            node.start()
        wait_for("the cluster stands", self.whole, 120)

    def primary(self):
        found = [n for n in self.nodes if n.role() == "primary"]
        return found[0] if len(found) == 1 else None

    def standbys(self, of):
        return [n for n in self.nodes if n is not of]

    def whole(self):
        """One primary, two that follow it, one of them synchronously if that is asked for."""
        roles = sorted(n.role() for n in self.nodes)
        if roles != (["primary", "replica", "replica"] if self.is_async else ["primary", "replica", "sync_standby"]):
            return False
        try:
            return self.psql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "postgres") == "2"
        except Failure:
            return False

    def url(self, user, database):
        return "postgresql://%s:%s@%s/%s?sslmode=disable" % (user, PASSWORD, ",".join(n.address + ":5432" for n in self.nodes), database)

    def psql(self, sql, database="jingguan"):
        run = subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", self.url("postgres", database) + "&target_session_attrs=read-write&connect_timeout=3",
                              "-f", "-"], input=sql, capture_output=True, text=True, timeout=120) # an argument ends at 128 KiB
        if run.returncode:
            raise Failure(run.stderr)
        return run.stdout.strip()

    def close(self):
        for node in self.nodes:
            node.close()
        if self.etcd:
            self.etcd.kill()
            self.etcd.wait(timeout=20)
        ip("link", "del", self.bridge, check=False)


class Daemon:
    """One of the two jgd."""

    def __init__(self, data, log):
        self.data, self.log, self.process, self.port, self.metrics = data, log, None, None, None

    def start(self):
        self.process = subprocess.Popen([JGD, "serve", "--data", self.data], stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True)

    def ready(self):
        match = re.match(r"ready (\S+):(\d+) metrics \S+:(\d+)$", self.process.stdout.readline().strip())
        if not match:
            raise Failure("jgd did not start")
        self.port, self.metrics = int(match.group(2)), int(match.group(3))
        text = open(self.data + "/jgd.ini").read() # the next start keeps both ports
        for name, port in (("listen", self.port), ("metrics", self.metrics)):
            text = re.sub(r"(?m)^%s = .*$" % name, "%s = 127.0.0.1:%d" % (name, port), text)
        with open(self.data + "/jgd.ini", "w") as out:
            out.write(text)

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait(timeout=30)


class ClusterCounty(WireCounty):
    """A county on a Cluster, reached through HAProxy."""

    def __init__(self, is_async=False):
        super().__init__()
        self.cluster = Cluster(self.server.dir, is_async)
        self.daemons, self.proxy = [], None

    def __enter__(self):
        try:
            self.cluster.start()
            self.cluster.psql("CREATE ROLE jingguan SUPERUSER LOGIN PASSWORD '%s'" % PASSWORD, "postgres")
            self.cluster.psql("CREATE DATABASE jingguan OWNER jingguan", "postgres")
            # libpq gives up on a standby that does not have the database yet instead of asking the next host.
            wait_for("the database is everywhere", lambda: "0/0" not in self.cluster.psql(
                "SELECT count(*) FILTER (WHERE replay_lsn >= pg_current_wal_lsn()) / 2 || '/0' FROM pg_stat_replication", "postgres"), 30)
            self.start_daemons()
            self.start_proxy()
            self.enrol_admins()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def start_daemons(self):
        server = self.server
        run = subprocess.run([JGD, "init", "--data", server.data, "--county", COUNTY, "--name", "演练县教育局", "--database", self.cluster.url("jingguan", "jingguan"),
                              "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--rehearsal"], capture_output=True, text=True, timeout=120)
        if run.returncode:
            raise Failure("init: %s%s" % (run.stdout, run.stderr))
        server.admins = [line.split("\t") for line in open(server.data + "/admins.txt").read().splitlines()]
        second = server.dir + "/second"
        shutil.copytree(server.data, second)
        self.log = open(server.dir + "/jgd.log", "a")
        for data in (server.data, second):
            daemon = Daemon(data, self.log)
            self.daemons.append(daemon)
            daemon.start()
            daemon.ready()

    def start_proxy(self):
        self.address = "127.0.0.1", free_port()
        with open(self.server.dir + "/haproxy.cfg", "w") as out:
            out.write("global\n maxconn 4000\ndefaults\n mode tcp\n timeout connect 2s\n timeout client 1h\n timeout server 1h\n"
                      "listen clients\n bind 127.0.0.1:%d\n balance roundrobin\n option httpchk GET /readyz\n option redispatch\n" % self.address[1])
            for i, daemon in enumerate(self.daemons):
                out.write(" server jgd%d 127.0.0.1:%d check port %d inter 500 fall 2 rise 1 on-marked-down shutdown-sessions\n" % (i, daemon.port, daemon.metrics))
        log = open(self.server.dir + "/haproxy.log", "w")
        self.proxy = subprocess.Popen(["haproxy", "-db", "-f", self.server.dir + "/haproxy.cfg"], stdout=log, stderr=log, start_new_session=True)
        wait_for("the proxy answers", self.answers, 30)

    def answers(self):
        try:
            w.Wire(self.address, "jingguan-enrol/1", timeout=5).close()
            return True
        except (OSError, w.Closed, TimeoutError):
            return False

    def psql(self, sql):
        return self.cluster.psql("SET app.county = '%s'; SET app.scope = 'job'; SET app.schools = ''; SET app.streams = ''; %s" % (COUNTY, sql))

    def __exit__(self, kind=None, *_):
        for daemon in self.daemons:
            daemon.stop()
        if self.proxy:
            self.proxy.terminate()
            self.proxy.wait(timeout=20)
        self.cluster.close()
        if not os.environ.get("JG_KEEP"):
            shutil.rmtree(self.server.dir, ignore_errors=True)
        else:
            print("kept", self.server.dir)
