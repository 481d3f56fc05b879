"""own_directory.py - a directory of a test's own, and of all that it starts there: jgd and PostgreSQL work in their data directories.
When the test has ended, however it did, whatever still works in the directory is ended and the directory removed (JG_KEEP: it stays).

A signal of the kernel for an orphan (PR_SET_PDEATHSIG) does not do it: a jgd that gives root up loses it, and its PostgreSQL is nobody's
child. So a second process waits until the pipe from the test is closed, which a SIGKILL does too."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # s, for those that end in order
keeper = None


def own_directory(prefix, parent=None):
    """In TMPDIR unless told otherwise; everybody may look into it, as jgd and PostgreSQL are other users."""
    global keeper
    if keeper is None:
        keeper = subprocess.Popen([sys.executable, os.path.abspath(__file__)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  text=True, cwd="/", start_new_session=True)
    path = os.path.realpath(tempfile.mkdtemp(prefix=prefix, dir=parent))
    os.chmod(path, 0o755)
    keeper.stdin.write(path + "\n")
    keeper.stdin.flush()
    return path


def workers(directories):
    """The processes whose working directory is inside."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            at = os.readlink("/proc/%s/cwd" % pid)
        except OSError:  # gone, a zombie, or another user's
            continue
        if any(at == d or at.startswith(d + "/") for d in directories):
            found.append(int(pid))
    return found


def end_all(directories):
    until = time.monotonic() + PATIENCE
    told = set()
    while left := workers(directories):
        late = time.monotonic() > until
        for pid in left if late else set(left) - told:
            try:
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
            except ProcessLookupError:
                pass
            told.add(pid)
        time.sleep(0.1)


def main():
    directories = [line.rstrip("\n") for line in sys.stdin]
    end_all(directories)
    if not os.environ.get("JG_KEEP"):
        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
