"""Two schools, and the first log-in to an account."""
from harness import PASSWORD
from wire_client import OPTIONS, WireError

SCHOOLS = ("2132999001", "2132999002")
BUSY_METHODS = {"Session.Login", "Session.Resume", "Session.Logout", "Session.Passwd"}  # they change the session; called apart


def answer(wire, number, body=b""):
    """The name of the error, or "" for a reply, and all bytes that came."""
    try:
        return "", b"".join(wire.raw(number, body))
    except WireError as error:
        return error.name, error.error.SerializeToString()


def first_login(cases, methods, device, user, password):
    """With a first password nothing answers but what must."""
    with device.connect() as wire:
        device.login(wire, user, password)
        wrong = [name for number, (name, access, _) in methods.items()
                 if access == OPTIONS.SESSION and name not in BUSY_METHODS and answer(wire, number)[0] != "MUST_CHANGE"]
        cases.equal("first password of %s opens nothing" % user, wrong, [])
        wire.call("Session.Passwd", password=password, new_password=PASSWORD)
