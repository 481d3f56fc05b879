"""What tests of the wire do and how they are answered: pushes, refusals by name, a device in another person's session."""
import wire_client as w
from harness import PASSWORD
from wire_county import P

pb = w.pb
KIND = {name: kind.number for name, kind in w.KIND_BY_NAME.items()}


def refused(act):
    """The error that came, or None."""
    try:
        act()
    except w.WireError as error:
        return error
    return None


def name_of(act):
    error = refused(act)
    return error.name if error else "answered"


def push(device, *ops, session=None):
    """Queues (kind, id, message[, seen[, author]]) and pushes; outcomes and messages in order."""
    first = device.made + 1
    for kind, id, message, *more in ops:
        device.queue_op(KIND[kind], id, message, seen=more[0] if more else (), author=more[1] if len(more) > 1 else None)
    with (session or device).open() as wire:
        device.push(wire)
    return [device.results[n] for n in range(first, device.made + 1)]


def outcomes(results):
    return [pb.Outcome.Name(r.outcome) for r in results]


def seen(result):
    return [(g, v) for g, v in enumerate(result.gver, 1) if v]


def teacher_of(county, p, *classes):
    with county.people["sysadmin"].open() as wire:
        account = wire.call("Identity.AddUser", school=P, role=[pb.CLASS_TEACHER], klass=classes, name="班主任", login="banzhuren")
    with p.connect() as wire:
        p_session = (p.session, p.token, p.user)
        p.login(wire, account.user, account.password)
        wire.call("Session.Passwd", password=account.password, new_password=PASSWORD)
        session = (p.session, p.token, p.user)
        p.session, p.token, p.user = p_session
    return account, session


class As:
    """The device in another person's session."""

    def __init__(self, device, session):
        self.device, self.session = device, session

    def open(self):
        wire = self.device.connect()
        old = self.device.session, self.device.token
        self.device.session, self.device.token = self.session[0], self.session[1]
        try:
            self.device.resume(wire)
        finally:
            self.device.session, self.device.token = old
        return wire
