"""A school that writes and synchronises without an end, and knows what it was acknowledged."""
import random
import threading
import time

import wire_client as w
from county_files import check_digit
from harness import Failure

pb = w.pb
SCHOOLS = ("2132990001", "2132990002", "2132990003")
STUDENT = 5 # the kind


def cert_no(n):
    body = "329999%04d%02d%02d%03d" % (2013 + n // 336000, n // 28000 % 12 + 1, n // 1000 % 28 + 1, n % 1000)
    return body + check_digit(body)


class Writer(threading.Thread):
    """A school's computer that never rests: new pupils and changes of its own, one to three operations a push."""

    def __init__(self, device, number, seed):
        super().__init__(daemon=True)
        self.device, self.number, self.random = device, number, random.Random(seed * 100 + number)
        self.going, self.held, self.idle = True, threading.Event(), threading.Event()
        self.students = {}                # id -> [version it must have, class it must show, its last operation]
        self.acked, self.ack_times = {}, [] # operation -> sha; when answers came
        self.outcomes, self.lost, self.troubles, self.count = {}, 0, [], 0

    def student(self, **fields):
        return pb.Student(**{**dict(name="学生", gender="1", birth=20140301, grade="16", class_no="1"), **fields})

    def queue(self, taken):
        """One operation; not twice on one record in a push, which makes one version of both."""
        device = self.device
        if len(self.students) <= len(taken) or self.random.random() < 0.2:
            id, self.count = w.uuid7(), self.count + 1
            n = device.queue_op(STUDENT, id, self.student(cert_no=cert_no(self.number * 40000 + self.count)))
            self.students[id] = [1, "1", n]
        else:
            id = self.random.choice([id for id in self.students if id not in taken])
            version, was, last = self.students[id]
            value = str((int(was) + self.random.randrange(18)) % 19 + 1)
            n = device.queue_op(STUDENT, id, self.student(class_no=value), seen=[(2, None, last)], groups={2})
            self.students[id] = [version + 1, value, n]
        taken.add(id)

    def push(self, wire):
        device, before = self.device, self.device.last_op
        reply = device.push(wire)
        now = time.monotonic()
        for n in range(before + 1, device.last_op + 1):
            self.acked[n] = w.op_sha(device.queue[n])
            outcome = pb.Outcome.Name(device.results[n].outcome)
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.ack_times.append(now)
        if reply and reply.control: # EXPECT: the database has another history than the one that greeted us
            raise w.Closed("asked again with %s" % reply.control)

    def connect(self):
        wire = self.device.connect(greet=False)
        try:
            known, incarnation = self.device.last_op, self.device.incarnation
            welcome = self.device.greet(wire)
            if incarnation and welcome.incarnation != incarnation:
                raise Failure("writer %d was forked" % self.number)
            self.lost += max(0, known - welcome.last_op)
            self.device.resume(wire)
            return wire
        except BaseException:
            wire.close()
            raise

    def run(self):
        wire = None
        while self.going:
            try:
                if self.held.is_set() and self.device.last_op == self.device.made:
                    self.idle.set()
                    time.sleep(0.05)
                    continue
                wire = wire if wire and wire.alive else self.connect()
                if not self.held.is_set() and self.device.last_op == self.device.made:
                    taken = set()
                    for _ in range(self.random.randrange(1, 4)):
                        self.queue(taken)
                self.push(wire)
                time.sleep(self.random.random() * 0.06)
            except (w.Closed, w.WireError, OSError, TimeoutError) as trouble:
                self.troubles.append((time.monotonic(), repr(trouble)))
                if wire:
                    wire.close()
                wire = None
                time.sleep(0.3)
            except Exception as error: # told when the round is judged
                self.troubles.append((time.monotonic(), "FAULT " + repr(error)))
                self.going = False
        if wire:
            wire.close()

    def hold(self):
        self.idle.clear()
        self.held.set()

    def go_on(self):
        self.held.clear()
