"""The misbehaving line (tests/proxy/jgproxy.c) as the tests use it. Owns the process it starts."""
import json
import os
import subprocess

from harness import BUILD, Failure

FAULTS = ("delay", "slice", "reset", "blackhole", "stall_one", "stall_both", "half_close", "half_drop", "cut")


class FaultLine:
    def __init__(self, to, seed, listen=0):
        command = [os.path.join(BUILD, "tests/jgproxy"), "--listen", str(listen), "--to", "127.0.0.1:%d" % to, "--seed", str(seed)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        word, _, port = self.process.stdout.readline().partition(" ")
        if word != "ready":
            raise Failure("jgproxy does not listen on port %d" % listen)
        self.port = int(port)

    def say(self, word):
        """storm, calm or cut; it is so for every connection that begins after this."""
        self.process.stdin.write(word + "\ncounts\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def close(self):
        """Ends it; how often each fault took effect."""
        out, _ = self.process.communicate(timeout=30)
        if self.process.returncode:
            raise Failure("jgproxy ended with %d" % self.process.returncode)
        return json.loads(out)
