"""The operator's hand: jgd's commands on a county of harness.py, and a backup that may be relied on."""
import glob
import os
import subprocess
import time

from harness import JGD


def jgd(server, *args):
    return subprocess.run([JGD, *args, "--data", server.data], capture_output=True, text=True, timeout=120)


def backup(cases, server):
    target = os.path.join(server.dir, "backups")
    os.makedirs(target, exist_ok=True)
    owner = os.stat(server.data)
    os.chown(target, owner.st_uid, owner.st_gid)  # jgd lays down root before it writes
    run = jgd(server, "backup", target)
    cases.check("a backup while serving", run.returncode == 0, run.stdout + run.stderr)
    saved = sorted(glob.glob(target + "/jingguan-*"))[-1]
    for n in range(300):  # the name of every second that may come is taken
        os.makedirs("%s/jingguan-%s" % (target, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + n))), exist_ok=True)
    run = jgd(server, "backup", target)
    second = run.stdout.strip().split("：")[-1]
    cases.check("another one in the same second has a name of its own", run.returncode == 0 and second.endswith("Z-2") and os.path.exists(second + "/SHA256SUMS"), run.stdout + run.stderr)
    return saved
