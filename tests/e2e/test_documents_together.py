#!/usr/bin/python3
"""办文 with many hands at once, and with what a school's computer should not say: numbers without a gap, one letter registered once, one act done once, a receipt that
stands, an answer that no database reads, a paper that no record holds, an event that nobody's computer has signed."""
import datetime
import hashlib
import threading
import time

import wire_client as w
from harness import Cases
from wire_county import P, WireCounty

pb = w.pb
cases = Cases()
KIND = 16  # Delivery
DRAFT = "标题：关于检查的通知\n文种：通知\n公开：主动公开\n主送：%s\n反馈：隐患数|number\n---\n%s\n"
HANDS = 16


def at_once(acts):
    """What each came to: its reply, or the name of the refusal."""
    found = [None] * len(acts)

    def go(i):
        try:
            found[i] = acts[i]()
        except w.WireError as error:
            found[i] = error.name
    threads = [threading.Thread(target=go, args=(i,)) for i in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def names(found):
    return sorted(x if isinstance(x, str) else "OK" for x in found)


def together(county, office, wires):
    letters = at_once([lambda wire=wire: wire.signed("Documents.Ask", event="register", title="关于检查的通知", their_no="市教〔2026〕3号", **{"from": "市教育局"}) for wire in wires])
    cases.equal("of one letter that all register, one is taken", names(letters), ["DUPLICATE"] * (HANDS - 1) + ["OK"])
    letter = next(x for x in letters if not isinstance(x, str))
    acts = at_once([lambda wire=wire: wire.signed("Documents.Ask", event="accept", doc=letter.number) for wire in wires])
    cases.equal("of one act that all do, one is done", names(acts), ["NOT_NOW"] * (HANDS - 1) + ["OK"])
    many = at_once([lambda wire=wire, i=i: [wire.signed("Documents.Ask", event="register", title="关于检查%d的通知" % i, **{"from": "市教育局"}).number for _ in range(8)]
                    for i, wire in enumerate(wires)])
    given = [number for numbers in many for number in numbers]
    listed = [x.n for page in office.page_list("Documents.Numbers", series="收", year=int(letter.number[2:6])) for x in page.number]
    cases.equal("numbers have no gap", listed, list(range(1, HANDS * 8 + 2)))
    cases.equal("and none is given twice", len(set(given)), HANDS * 8)


def issued(county, office, leader, text):
    """A paper to school P, issued."""
    day = datetime.date.today() + datetime.timedelta(20)
    made = leader.signed("Documents.Ask", event="draft", file=text.encode(), leader=county.people["leader"].user)
    for wire, event in ((leader, "submit"), (office, "approve"), (leader, "sign"), (office, "recheck")):
        wire.signed("Documents.Ask", event=event, doc=made.id)
    number = office.signed("Documents.Ask", event="number", doc=made.id, series="洪教发").number
    for event, fields in (("press", {"copies": 1}), ("proof_pass", {}), ("seal", {"count": 1}), ("issue", {"due": day.year * 10000 + day.month * 100 + day.day})):
        office.signed("Documents.Ask", event=event, doc=number, **fields)
    return number


def arrived(head, wire, title):
    stream = next(s for s in head.streams.values() if s.what != "county")
    for _ in range(100):
        head.pull(wire, stream.id)
        for id, row in stream.records.items():
            if row[0] == KIND and title.encode() in row[4]:
                return id, row[2]
        time.sleep(0.1)
    raise SystemExit("no paper came")


def said(head, wire, id, groups, sign=lambda head, copy, message: head.sign_copy(copy, message), **fields):
    """What the bureau answers to one operation on the paper, which saw what the school has now."""
    stream = next(s for s in head.streams.values() if s.what != "county")
    head.pull(wire, stream.id)
    gver = stream.records[id][2]
    op = head.queue_op(KIND, id, sign(head, stream.records[id][4], pb.Delivery(**fields)), seen=[(g, gver[g - 1]) for g in groups], groups=set(groups))
    head.push(wire)
    result = head.results[op]
    return "OK" if result.outcome in (pb.APPLIED, pb.MERGED) else next((n for n, v in w.pb.Outcome.items() if v == result.outcome), "?") if not result.code else result.code


def says(county, office, leader):
    number = issued(county, office, leader, DRAFT % (P, "请检查。"))
    head = county.person("head-of-school", "HEAD", P)
    with head.open() as wire:
        id, _ = arrived(head, wire, number)
        now = time.time_ns() // 1000

        def receipt():
            return next(d for page in office.page_list("Documents.Deliveries", doc=number) for d in page.delivery)
        def another(head, copy, message):
            head.sign_copy(copy, message)
            message.signed_sig = leader.key.sign(message.signed_intent.encode(), w.ec.ECDSA(w.hashes.SHA256()))
            return message

        def other_words(head, copy, message):
            paper = pb.Delivery.FromString(copy)
            paper.version = 2
            return head.sign_copy(paper.SerializeToString(), message)

        for name, sign in (("without a signature", lambda head, copy, message: message), ("with another computer's", another), ("with one over another version", other_words)):
            refused = said(head, wire, id, [4], sign=sign, signed_at=now, signed_by=head.user, signed_version=1)
            cases.check("a receipt %s is refused" % name, refused in (21, 22), str(refused))
        cases.equal("a receipt is taken", said(head, wire, id, [4], signed_at=now, signed_by=head.user, signed_version=1), "OK")
        cases.check("it is not taken back", said(head, wire, id, [4]) != "OK")
        cases.check("nor signed over by another", said(head, wire, id, [4], signed_at=now + 1000000, signed_by=head.user, signed_version=1) != "OK")
        cases.equal("the first stands", (receipt().state, receipt().signed_at), ("signed", now))
        for name, answer in (("no number", '{"q1":"x"}'), ("nothing", "{}"), ("no JSON", "{"), ("another shape", "[3]"), ("a character that no database holds", '{"q1":"\\u0000"}')):
            cases.check("an answer with %s is refused" % name, said(head, wire, id, [5], answered_at=now, answered_by=head.user, answered_version=1, answer=answer) != "OK")
        cases.equal("one that fits is taken", said(head, wire, id, [5], answered_at=now, answered_by=head.user, answered_version=1, answer='{"q1":"3"}'), "OK")
        cases.check("and is not emptied", said(head, wire, id, [5]) != "OK")
        judged = at_once([lambda wire=wire: wire.call("Documents.DecideFeedback", doc=number, school=P, accept=True) for wire in (leader, office)])
        cases.equal("two who judge it do so once", names(judged), ["NOT_NOW", "OK"])
    closing = [t for page in office.page_list("Documents.Stuck", doc=number) for t in page.task]
    for _ in range(200):
        closing = [t.step for page in office.page_list("Documents.Stuck", doc=number) for t in page.task]
        if closing:
            break
        time.sleep(0.1)
    cases.equal("nobody owes anything: it is to be closed", closing, ["close"])


def too_long(county, leader):
    for what, text in (("a body", DRAFT % (P, "请检查。" * 8000)), ("a title", (DRAFT % (P, "请检查。")).replace("检查的通知", "检查" * 300 + "的通知"))):
        try:
            leader.signed("Documents.Ask", event="draft", file=text.encode(), leader=county.people["leader"].user)
            cases.check("%s that no school's record holds is refused" % what, False)
        except w.WireError as error:
            cases.check("%s that no school's record holds is refused" % what, error.name in ("TOO_LARGE", "INVALID"), str(error))


def meant(office, leader):
    """What is written is what the computer that asks has signed, and it is written once."""
    ask = dict(event="register", title="关于签名的通知", **{"from": "市教育局"})
    before = len([d for page in office.page_list("Documents.List") for d in page.document])
    lines = office.call("Documents.Ask", dry_run=True, **ask).intent
    cases.equal("to prepare is to write nothing", len([d for page in office.page_list("Documents.List") for d in page.document]), before)
    sign = lambda wire, text: wire.key.sign(text, w.ec.ECDSA(w.hashes.SHA256()))
    other = lines.replace(b"by=", b"by=x")

    def refused(wire, **fields):
        try:
            wire.call("Documents.Ask", **ask, **fields)
            return "OK"
        except w.WireError as error:
            return error.name
    cases.equal("nothing is done that nobody signed", refused(office), "MISSING")
    cases.equal("nor with another computer's signature", refused(office, intent=lines, intent_sig=sign(leader, lines)), "INVALID")
    cases.equal("nor with the signature of other lines", refused(office, intent=lines, intent_sig=sign(office, other)), "INVALID")
    cases.equal("nor what nobody asked for", refused(office, intent=other, intent_sig=sign(office, other)), "STALE")
    cases.equal("nor with another urgency than was signed for", refused(office, intent=lines, intent_sig=sign(office, lines), urgency="特急"), "STALE")
    said = hashlib.sha256("\nfrom=市教育局\ntitle=关于签名的通知\n".encode()).hexdigest()
    cases.check("what was said with the words is signed with them", ("text=%s\n" % said).encode() in lines, lines.decode())
    cases.equal("nor what is no text", refused(office, intent=b"\0\xff", intent_sig=b"x"), "STALE")
    once = office.call("Documents.Ask", intent=lines, intent_sig=sign(office, lines), **ask)
    cases.check("the paper has the id that was signed for", ("doc=%s\n" % once.id).encode() in lines)
    again = office.call("Documents.Ask", intent=lines, intent_sig=sign(office, lines), **ask)
    cases.equal("the same lines again are answered and done once", again, once)
    accept = dict(event="accept", doc=once.number)
    lines = office.call("Documents.Ask", dry_run=True, **accept).intent
    first = office.call("Documents.Ask", intent=lines, intent_sig=sign(office, lines), **accept)
    cases.check("where there are no more than words it is of them alone", ("text=%s\n" % hashlib.sha256(b"").hexdigest()).encode() in lines, lines.decode())
    cases.equal("of an event too", office.call("Documents.Ask", intent=lines, intent_sig=sign(office, lines), **accept), first)
    cases.equal("and the trace has each once", [t.event for t in office.call("Documents.Show", doc=once.id).trace], ["register", "accept"])


def main():
    with WireCounty() as county:
        county.registers()
        for role in ("OFFICE", "LEADER"):
            county.person(role.lower(), role)
        with county.people["office"].open() as office, county.people["leader"].open() as leader:
            users = {name: county.people[name].user for name in ("office", "leader")}
            for desk in ("receive", "issue", "archive"):
                office.call("Documents.SetDesk", name=desk, value=users["office"])
            office.call("Documents.SetDesk", name="head", value=users["leader"])
            office.call("Documents.SetOrgan", name="市教育局", value="superior")
            office.call("Documents.AddSeries", name="洪教发")
            wires = [county.people["office"].open() for _ in range(HANDS)]
            together(county, office, wires)
            for wire in wires:
                wire.close()
            says(county, office, leader)
            too_long(county, leader)
            meant(office, leader)
    cases.close()


main()
