#!/usr/bin/python3
"""The misbehaving line itself: what passes is not altered, one seed gives one plan, every fault strikes, calm is calm."""
import collections
import concurrent.futures
import socket
import threading

from fault_line import FAULTS, FaultLine
from harness import Cases

cases = Cases()
DATA = bytes(i * 7 % 251 for i in range(20000))


class Echo:
    """Gives back what comes, on a port of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    def echo(self, connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass


PATIENCE = 2 # of a reader who hears nothing


def exchange(connection):
    """What comes back of DATA before the line ends or falls silent, and how it ended."""
    back = b""
    with connection:
        connection.settimeout(PATIENCE)
        try:
            connection.sendall(DATA)
            while len(back) < len(DATA):
                part = connection.recv(65536)
                if not part:
                    return back, "end"
                back += part
            return back, "whole"
        except TimeoutError:
            return back, "silence"
        except OSError:
            return back, "reset"


def exchanges(line, n):
    """n connections in this order, all at work at once."""
    connections = [socket.create_connection(("127.0.0.1", line.port)) for _ in range(n)]
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(exchange, connections))


def storm(echo, seed, n):
    line = FaultLine(echo.port, seed)
    ends = exchanges(line, n)
    cases.check("seed %d: nothing that passed was altered" % seed, all(DATA.startswith(back) for back, _ in ends))
    return line, [len(back) == len(DATA) for back, _ in ends], collections.Counter(end for _, end in ends)


def main():
    echo = Echo()
    line, first, ends = storm(echo, 11, 60)
    cases.check("a storm ends in every way: whole, end, silence, reset", len(ends) == 4, str(ends))
    line.say("cut")
    cases.check("a line that is cut carries nothing", exchanges(line, 1)[0][0] == b"")
    line.say("calm")
    cases.equal("in the calm every connection passes", [end for _, end in exchanges(line, 10)], ["whole"] * 10)
    line.say("storm")
    cases.check("the storm comes back", len({end for _, end in exchanges(line, 60)}) == 4)
    counts = line.close()
    cases.equal("every fault struck", [f for f in FAULTS if not counts[f]], [])
    again, second, _ = storm(echo, 11, 60)
    again.close()
    cases.equal("the same seed breaks the same connections", second, first)
    other, third, _ = storm(echo, 12, 60)
    other.close()
    cases.check("another seed breaks others", third != first)
    cases.close()


if __name__ == "__main__":
    main()
