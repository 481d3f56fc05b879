"""A program as a person at a terminal meets it."""
import fcntl
import os
import pty
import struct
import subprocess
import termios


def at_terminal(program, *args, say, columns=0):
    """The program as a person at a terminal meets it: exit code and screen."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 1000 if columns else 0, columns, 0, 0))
    run = subprocess.Popen([program.binary, "--profile", program.profile, *args], stdin=child, stdout=child, stderr=child,
                           env={**os.environ, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": ""}, start_new_session=True)
    os.close(child)
    os.write(parent, say.encode())
    screen = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        screen += part
    return run.wait(timeout=60), screen.decode(errors="replace")
