#!/usr/bin/python3
"""A paper from draft to archive by jgadmin alone, each on the screen of whose turn it is, and what is printed of it on the way."""
import os
import subprocess

from harness import Cases, Server

DRAFT = """标题：关于开展校园安全隐患专项整治工作的通知
文种：通知
公开：主动公开
紧急程度：加急
主送：全县学校；2132990001
抄送：县公安局
联系人：王小明
联系电话：0311-86223344
---
为贯彻落实上级部署，现就有关事项通知如下：
一、总体要求
各校要建立台账，逐项销号。
"""
cases = Cases()


def text_of(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


with Server() as server:
    office, leader, edu = server.bureau("office"), server.bureau("leader"), server.bureau("basic_edu")
    schools = os.path.join(server.dir, "schools.csv")
    with open(schools, "w") as out:
        out.write("学校标识码,学校名称,办学类型,举办者\n2132990001,演练县第一小学,211,831\n")
    edu.ok("schools", "import", schools)
    for desk in ("收文", "发文", "档案"):
        office.ok("documents", "desk", "set", desk, office.user)
    office.ok("documents", "head", "set", leader.user)
    office.ok("documents", "series", "add", "洪教发")
    office.ok("documents", "orgs", "set", "县公安局", "--relation", "不相隶属")
    draft, pdf = os.path.join(server.dir, "通知.txt"), os.path.join(server.dir, "通知.pdf")
    with open(draft, "w") as out:
        out.write(DRAFT.replace("；2132990001", ""))
    made = edu.ok("documents", "draft", draft, "--signer", leader.user)
    cases.equal("a draft is one", (made["state"], made["version"], made["number"]), ("draft", 1, None))
    refused = edu.run("documents", "draft", schools, "--signer", leader.user)
    cases.check("what is no draft is refused in three lines", refused.code == 2 and len(refused.err.strip().split("\n")) == 3, repr(refused))
    wrong = os.path.join(server.dir, "请示.txt")
    with open(wrong, "w") as out:
        out.write(DRAFT.replace("文种：通知", "文种：请示").replace("的通知", "的请示"))
    other = edu.ok("documents", "draft", wrong, "--signer", leader.user) if not edu.run("documents", "draft", wrong, "--signer", leader.user).code else None
    refused = edu.run("documents", "submit", other["id"], "--json") if other else None
    cases.check("a 请示 to schools is refused by its rule", refused is None or refused.json["error"]["code"] == "RULE", repr(refused))
    secret = os.path.join(server.dir, "密.txt")
    with open(secret, "w") as out:
        out.write(DRAFT.replace("公开：主动公开", "公开：不予公开\n密级：机密"))
    refused = edu.run("documents", "draft", secret, "--signer", leader.user, "--json")
    cases.equal("a classified paper is not taken", (refused.code, refused.json["error"]["field"]), (3, "R07"))
    cases.equal("and nothing of it is kept", server.psql("SET app.county='329999'; SET app.scope='job'; SELECT count(*) FROM document_version WHERE file LIKE '%机密%'"), "0")
    no = made["id"]
    edu.ok("documents", "submit", no)
    cases.equal("who drafted it does not approve it", edu.run("documents", "approve", no).code, 3)
    for who, *words in ((office, "approve"), (leader, "sign"), (office, "recheck")):
        who.ok("documents", *words, no)
    number = office.ok("documents", "number", no, "--series", "洪教发")["number"]
    for words in (("press", number, "--copies", "30"), ("proof", "pass", number), ("seal", number, "--count", "30"), ("issue", number)):
        office.ok("documents", *words)
    refused = office.run("documents", "seal", number, "--count", "99", "--json")
    cases.equal("what is issued is not sealed again", refused.json["error"]["code"], "NOT_NOW")
    printed = office.ok("documents", "print", number, "-o", pdf)
    text = text_of(pdf)
    cases.equal("its pages are even", printed["pages"] % 2, 0)
    for what in (number, "演练县教育局文件", "关于开展校园安全隐患专项整治工作的通知", "全县学校：", "抄送：县公安局。", "王小明"):
        cases.check("the page has %s" % what, what in text, text)
    cases.equal("a file that is there is not replaced unasked", office.run("documents", "print", number, "-o", pdf).code, 3)
    shown = office.ok("documents", "show", number)
    cases.equal("each act left its entry", [t["event"] for t in shown["trace"]],
                ["draft", "submit", "approve", "sign", "recheck", "number", "press", "proof pass", "seal", "issue"])
    cases.equal("the days are the system's", (shown["signed_on"], shown["pressed_on"]), (shown["trace"][3]["at"][:10], shown["trace"][6]["at"][:10]))
    cases.equal("what schools owe holds it open", office.run("documents", "close", number, "--json").json["error"]["field"], "R23")
    leader.ok("documents", "close", number, "--force", "--reason", "学校已电话确认")
    cases.equal("it ends in its cabinet", office.ok("documents", "archive", number, "--slot", "2柜3层")["state"], "archived")
    cases.equal("nothing waits any more", [t for t in office.ok("documents", "stuck") if t["number"] == number], [])
    cases.equal("its number stands", [(n["n"], n["state"]) for n in office.ok("documents", "numbers", "--series", "洪教发", "--year", number[4:8])], [(1, "used")])
    english = office.run("--lang", "en", "documents", "show", number)
    cases.check("in English too", "filed" in english.out or "archived" in english.out and "已归档" not in english.out, english.out)
cases.close()
