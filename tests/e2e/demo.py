#!/usr/bin/python3
"""The county at work, from the frozen list in May to a residual of zero in September: every step through the programs.

Prints a story that somebody who knows schools can follow, compares the mismatches found with the list that was injected,
and exits 1 on any difference. --chaos kills jgd, PostgreSQL or the link between any two steps; the end must be the same."""
import argparse
import datetime
import os
import random
import signal
import sys
import threading
import time

import checker
from county_files import County
from harness import BUILD, Failure, Program, Server

YEAR = 2027 # next year's cycle: a rehearsal clock moves forward only
TABLE_STATES = {"confirmed": "已确认", "provisional": "待核", "exempt": "除外", "open": "未落实"}


class Story:
    def __init__(self, chaos, server, seed):
        self.chaos, self.server, self.random = chaos, server, random.Random(seed)
        self.begun = time.time()

    def chapter(self, text):
        print("\n【%s】%s" % (self.today(), text), flush=True)

    def say(self, text):
        print("  " + text, flush=True)
        if self.chaos:
            self.disaster()

    def today(self):
        out = self.server.psql("SET app.county = '329999'; SELECT jg_today()")
        return out.splitlines()[-1]

    def disaster(self):
        """Something breaks between two steps; nothing is repaired by hand but what a watchman would do: start jgd again."""
        kind = self.random.choice(["jgd", "postgres", "link", "nothing"])
        if kind == "jgd":
            print("    （jgd 被 kill -9，重新启动）", flush=True)
            self.server.stop(signal.SIGKILL)
            self.server.start()
        elif kind == "postgres":
            print("    （PostgreSQL 被杀）", flush=True)
            self.server.stop_postgres("kill")
        elif kind == "link":
            print("    （线路中断 2 秒）", flush=True)
            self.server.process.send_signal(signal.SIGSTOP)
            threading.Timer(2, lambda: self.server.process and self.server.process.send_signal(signal.SIGCONT)).start()


class Demo:
    def __init__(self, options, server):
        self.options, self.server = options, server
        Program.patience = 12 if options.chaos else 0
        self.county = County(options.schools, options.pupils, YEAR, options.seed)
        self.files = self.county.write(os.path.join(server.dir, "files"))
        self.story = Story(options.chaos, server, options.seed)
        self.by_id = {p.id: p for p in self.county.pupils + [self.county.stranger, self.county.newcomer]}
        self.out = os.path.join(server.dir, "out")
        os.makedirs(self.out, exist_ok=True)

    def move_to(self, month, day, text):
        """The rehearsal clock jumps; sessions of before are over, certificates are renewed without anybody noticing."""
        now = datetime.date.fromisoformat(self.story.today())
        days = (datetime.date(YEAR, month, day) - now).days
        if days > 0:
            sysadmin = self.server.people["sysadmin"]
            sysadmin.ok("login", sysadmin.user)
            sysadmin.ok("server", "clock", "+%dd" % days)
            for person in self.server.people.values():
                if person.user:
                    person.ok("login", person.user)
        self.story.chapter(text)

    def sync(self, person):
        report = person.ok("sync", code=(0, 5))
        if report["refused"] or report["conflicts"] or report["pending"]:
            raise Failure("%s: %r %r" % (person.profile, report, person.run("outbox", "list", "--json")))
        return report

    # ---- the chapters ----

    def may(self):
        self.edu = self.server.bureau("basic_edu")
        c, edu = self.county, self.edu
        self.move_to(5, 20, "五月：基教科建立学校名册和施教区，各校连接")
        schools = edu.ok("schools", "import", self.files["schools"])
        catchments = edu.ok("catchments", "import", self.files["catchments"])
        self.story.say("学校 %d 所，施教区 %d 条" % (schools["inserted"], catchments["inserted"]))
        self.schools = {code: self.server.school(code) for code in c.sources + c.juniors}
        self.story.say("%d 所学校的学籍管理员已用连接码注册" % len(self.schools))
        total = 0
        for code in c.sources:
            report = self.schools[code].ok("import", "students", self.files["students", code])
            if report["rejected"]:
                raise Failure("rejected: %r" % report)
            total += report["inserted"]
            self.sync(self.schools[code])
        self.story.say("从 xlsx、GB18030 和 UTF-8 的名册导入六年级学生 %d 人" % total)
        opened = edu.ok("transition", "open", "--year", YEAR)
        self.story.say("冻结应升学名单：%d 人，%d 所小学" % (opened["baseline"], opened["schools"]))

    def june(self):
        c = self.county
        self.move_to(6, 10, "六月：家长预填升学去向，小学备案（T1）")
        self.edu.ok("transition", "phase", "--year", YEAR, "prefill")
        first = c.sources[0]
        for code in c.sources:
            self.sync(self.schools[code])
            if code == first:
                # Offline: the server is away, the work is not lost.
                self.server.stop(signal.SIGTERM)
            report = self.schools[code].ok("import", "destinations", self.files["june", code], code=(0, 5))
            if report["rejected"]:
                raise Failure("rejected: %r" % report["rejected"])
            if code == first:
                waiting = self.schools[code].ok("status")["waiting"]
                self.story_offline = waiting
                self.server.start()
                self.story.say("断网时 %s 录入 %d 条去向，状态显示待传 %d 条，联网后自动补送" % (c.school_names[code], report["inserted"], waiting))
            self.sync(self.schools[code])
            gaps = any(p.scenario in ("m01", "m05") for p in c.pupils if p.primary == code)
            args = ["--incomplete", "--reason", "个别家长未联系上"] if gaps else []
            self.schools[code].ok("transition", "file", *args)
        progress = self.edu.ok("transition", "progress", "--year", YEAR)
        self.story.say("备案 %d 所" % sum(1 for row in progress if row["t1"]))

    def summer(self):
        self.edu.ok("transition", "phase", "--year", YEAR, "assist")
        self.move_to(7, 15, "七至八月：班主任帮办报名")
        fine = [p for p in self.county.pupils if p.scenario == "ok" and p.primary in self.schools]
        if not fine: # a small county may have nobody with whom nothing goes wrong
            raise Failure("学生太少，每名学生都安排了问题：用 --pupils 60 以上")
        pupil = min(fine, key=lambda p: p.primary != self.county.primaries[0])
        person = self.schools[pupil.primary]
        person.ok("transition", "set", "-", "--dest", pupil.category, "--registration", "BM20270001", stdin=pupil.id + "\n")
        self.sync(person)
        self.story.say("登记报名号，逐人可查")

    def papers(self):
        """A letter from the city's bureau becomes a notice to all schools: each step with one receiver, to the archive."""
        self.move_to(8, 20, "八月：办文，从来文到归档")
        office, leader = self.server.bureau("office"), self.server.bureau("leader")
        code = self.county.sources[0]
        head = self.server.school(code, "head")
        for desk in ("收文", "发文", "档案"):
            office.ok("documents", "desk", "set", desk, office.user)
        office.ok("documents", "head", "set", leader.user)
        office.ok("documents", "orgs", "set", "市教育局", "--relation", "直接上级")
        for series in ("洪教发", "洪教纪"):
            office.ok("documents", "series", "add", series)
        letter = office.ok("documents", "register", "--from", "市教育局", "--their-no", "市教〔2027〕18号", "--title", "关于开展开学安全检查的通知", "--urgency", "加急")["number"]
        office.ok("documents", "accept", letter)
        office.ok("documents", "propose", letter, "--opinion", "请局长批示", "--leader", leader.user)
        leader.ok("documents", "instruct", letter, "--text", "请基教科转发各校", "--lead", self.edu.user)
        waits = self.edu.ok("documents", "stuck", "--with", self.edu.user)
        self.story.say("%s 登记、批示，承办期限 %s" % (letter, waits[0]["due"][:10]))
        path, pdf = os.path.join(self.out, "通知.txt"), os.path.join(self.out, "通知.pdf")
        with open(path, "w") as out:
            out.write("标题：关于开展开学安全检查的通知\n文种：通知\n公开：主动公开\n紧急程度：加急\n主送：全县学校\n反馈：发现隐患数|number\n---\n"
                      "根据市教育局部署，现就开学安全检查通知如下：\n一、检查内容\n校舍、消防、食品、交通。\n二、时间安排\n八月底前完成自查，发现的隐患逐项销号。\n")
        paper = self.edu.ok("documents", "draft", path, "--signer", leader.user)["id"]
        number = self.issue(office, leader, paper, "--feedback-due", "%d-08-31" % YEAR)
        pages = office.ok("documents", "print", number, "-o", pdf)["pages"]
        owed = office.ok("documents", "deliveries", number)
        self.story.say("%s 印发到 %d 所学校，按国家标准排版 %d 页：%s" % (number, len(owed), pages, pdf))
        self.waited(head, "documents", "list")
        head.ok("documents", "sign", number)
        head.ok("documents", "answer", number, "q1=2")
        self.edu.ok("documents", "feedback", "accept", number, code)
        states = [d["state"] for d in office.ok("documents", "deliveries", number)]
        self.story.say("%s 签收、反馈，起草人认可；还没有签收的 %d 所" % (self.county.school_names[code], states.count("sent")))
        if states.count("accepted") != 1 or len(states) != len(owed):
            raise Failure("deliveries: %r" % states)
        self.edu.ok("documents", "finish", letter, "--text", "已转发各校")
        office.ok("documents", "approve", letter)
        self.order(office, leader, letter, head, code)
        office.ok("documents", "archive", letter, "--slot", "2柜3层")
        package = os.path.join(self.out, "归档.zip")
        entries = office.ok("documents", "export", letter, "-o", package)["entries"]
        checks = office.ok("documents", "archive", "check", package)
        if not all(checks[x] for x in ("authentic", "complete", "usable", "safe")):
            raise Failure("package: %r" % checks)
        self.story.say("%s 办结归档；%d 步留痕连同签名封装，不联网也能核验：%s" % (letter, entries, package))
        self.meeting(office, leader, head, code)

    def issue(self, office, leader, paper, *options, series="洪教发"):
        """A draft of 基教科 on its way to the schools; its number."""
        self.edu.ok("documents", "submit", paper)
        office.ok("documents", "approve", paper)
        leader.ok("documents", "sign", paper)
        office.ok("documents", "recheck", paper)
        number = office.ok("documents", "number", paper, "--series", series)["number"]
        seal = () if series == "洪教纪" else (("seal", number, "--count", "20"),)
        for words in (("press", number, "--copies", "20"), ("proof", "pass", number), *seal, ("issue", number, *options)):
            office.ok("documents", *words)
        return number

    def waited(self, person, *words):
        """What a school's list has, once it is there."""
        for _ in range(100):
            self.sync(person)
            found = person.ok(*words)
            if found:
                return found
            time.sleep(0.1)
        raise Failure("%s: nothing came" % " ".join(words))

    def order(self, office, leader, letter, head, code):
        """What the leader wants done holds the paper until it is."""
        order = leader.ok("documents", "orders", "add", letter, "--title", "三日内更换过期灭火器", "--to", code)["number"]
        held = office.run("documents", "archive", letter, "--slot", "2柜3层", "--json")
        if held.code != 3 or order not in held.json["error"]["message"]:
            raise Failure("archived over an open order: %r" % held)
        self.waited(head, "documents", "orders", "list")
        head.ok("documents", "orders", "answer", order, "--text", "已更换 12 具")
        leader.ok("documents", "orders", "accept", order)
        self.story.say("重点交办 %s 交给 %s：没有销号，来文不能归档；学校回复，局长销号" % (order, self.county.school_names[code]))

    def meeting(self, office, leader, head, code):
        """A meeting from plan to follow-up."""
        path = os.path.join(self.out, "预案.txt")

        def plan(start):
            with open(path, "w") as out:
                out.write("主题：开学工作会议\n主承办：基教科\n开始：%s\n结束：%s\n地点：一楼会议室\n主持：%s\n参会：全县学校\n议程：检查通报|30|%s；开学部署|60\n法定人数：1\n"
                          % (start.strftime("%Y-%m-%d %H:%M"), (start + datetime.timedelta(hours=2)).strftime("%Y-%m-%d %H:%M"), leader.user, self.edu.user))
            return self.edu.ok("meetings", "plan", path)

        now = datetime.datetime.fromisoformat(self.server.psql("SET app.county = '329999'; SELECT to_char(jg_now() AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD\"T\"HH24:MI')").splitlines()[-1])
        meeting = plan(now + datetime.timedelta(days=5, minutes=40))["number"]
        leader.ok("meetings", "approve", meeting)
        notice = self.issue(office, leader, self.edu.ok("meetings", "notice", meeting, "--signer", leader.user)["document"])
        self.waited(head, "meetings", "list")
        head.ok("meetings", "reply", meeting, "attend")
        self.story.say("%s 批准，通知 %s 印发，%s 回执参加" % (meeting, notice, self.county.school_names[code]))
        self.move_to(8, 25, "八月二十五日：开会")
        self.sync(head)
        head.ok("meetings", "signin", meeting, "--code", self.edu.ok("meetings", "code", meeting)["code"])
        self.server.people["sysadmin"].ok("server", "clock", "+41m")
        self.edu.ok("meetings", "hold", meeting)
        there = office.ok("meetings", "attendance", meeting)
        cost = office.ok("meetings", "cost", meeting)
        self.story.say("%d 所学校应到，%d 所签到；全会 %.0f 人时" % (len(there["rows"]), sum(r["state"] == "present" for r in there["rows"]), cost["person_hours"]))
        minutes = self.issue(office, leader, self.edu.ok("meetings", "minutes", meeting, "--signer", leader.user)["document"], series="洪教纪")
        order = leader.ok("documents", "orders", "add", meeting, "--title", "九月十日前报开学台账", "--to", self.edu.user)["number"]
        self.edu.ok("documents", "orders", "answer", order, "--text", "台账已报")
        leader.ok("documents", "orders", "accept", order)
        self.edu.ok("meetings", "close", meeting)
        self.story.say("纪要 %s 印发；议定事项 %s 销号，会议办结" % (minutes, order))

    def september(self):
        c = self.county
        self.move_to(9, 1, "九月初：小学逐人核实，正式上报（T2）")
        self.edu.ok("transition", "phase", "--year", YEAR, "confirm")
        for code in c.sources:
            self.sync(self.schools[code])
            report = self.schools[code].ok("import", "destinations", self.files["september", code], code=(0, 5))
            if report["rejected"]:
                raise Failure("rejected: %r" % report["rejected"])
            self.sync(self.schools[code])
            self.schools[code].ok("transition", "file", "--incomplete", "--reason", "个别材料待补")
        self.story.say("%d 所小学正式上报" % len(c.sources))
        self.move_to(9, 6, "初中逐名核验")
        self.edu.ok("transition", "phase", "--year", YEAR, "verify")
        for code in c.juniors + [c.through]:
            person = self.schools[code]
            self.sync(person)
            person.ok("import", "enrolled", self.files["enrolled", code], code=(0, 5))
            for p in c.pupils:
                if p.scenario == "m13" and p.dest == code:
                    person.ok("verify", "answer", "-", "unknown", "--note", "查无此人", stdin=p.id + "\n")
            self.sync(person)
            person.ok("verify", "submit")
        self.story.say("%d 所初中提交核验" % (len(c.juniors) + 1))

    def proofs(self):
        rows = self.edu.ok("transition", "proof", "list", "--year", YEAR)
        for row in rows:
            p = self.by_id.get(row["student"]["cert_no"])
            if p and p.scenario in ("b_accepted", "c_exempt") and row["files"]:
                self.edu.ok("transition", "proof", "accept", "-", "--year", YEAR, stdin=p.id + "\n")
        self.story.say("基教科认可 %d 份外地就读、留级材料" % sum(1 for row in rows if self.by_id[row["student"]["cert_no"]].scenario in ("b_accepted", "c_exempt")))

    def reconcile(self):
        self.move_to(9, 12, "九月十二日：逐人核对")
        # One run first, so that the bureau sees whose proofs wait for its decision.
        self.edu.ok("transition", "reconcile", "--year", YEAR)
        self.proofs()
        r = self.edu.ok("transition", "reconcile", "--year", YEAR)
        self.story.say("应升学 %(baseline)d = 已确认 %(confirmed)d + 待核 %(provisional)d + 除外 %(exempt)d + 未落实 %(mismatched)d；名单外 %(outside)d" % r)
        if r["baseline"] != r["confirmed"] + r["provisional"] + r["exempt"] + r["mismatched"]:
            raise Failure("the law is broken: %r" % r)
        return self.compare()

    def compare(self):
        """What was found against what was injected, name by name. A mistyped number shows in its owner's entry."""
        found = {}
        for row in self.edu.ok("transition", "mismatches", "--year", YEAR):
            if row["codes"]:
                found.setdefault(row["student"]["cert_no"], set()).update(row["codes"])
        differences = 0
        for number in sorted(set(found) | set(self.county.truth)):
            wanted, got = self.county.truth.get(number, set()), found.get(number, set())
            if wanted != got:
                differences += 1
                scenario = self.by_id[number].scenario if number in self.by_id else "?"
                print("  ✗ %s**%s（%s）注入 %s，查出 %s" % (number[:6], number[-4:], scenario, sorted(wanted), sorted(got)))
        if differences == 0:
            self.story.say("注入的 %d 处问题全部查出，没有多报" % len(self.county.truth))
        return differences

    def slips(self):
        edu = self.edu
        issued = [s for s in edu.ok("transition", "slips", "issue", "--year", YEAR) if s["state"] == "issued"]
        two = [s for s in issued if len(s["addressees"]) == 2]
        self.story.say("下发交办单 %d 张，其中 %d 张同时送达两所学校，限期 %s" % (len(issued), len(two), issued[0]["resolve_due"][:16]))
        for person in self.schools.values():
            self.sync(person)
        slip = two[0]
        at_both = [code for code, person in self.schools.items() if any(s["slip"] == slip["slip"] for s in person.ok("slips", "list"))]
        if sorted(at_both) != sorted(a["school"] for a in slip["addressees"]):
            raise Failure("slip %s is at %r, addressed to %r" % (slip["slip"], at_both, slip["addressees"]))
        source = self.schools[at_both[0]]
        pdf = os.path.join(self.out, "交办单.pdf")
        source.ok("slips", "print", slip["slip"], "-o", pdf)
        self.story.say("%s 和 %s 同时收到 %s，倒计时 %d 小时；已打印 %s" % (self.county.school_names[at_both[0]], self.county.school_names[at_both[1]], slip["no"],
                       next(s for s in source.ok("slips", "list") if s["slip"] == slip["slip"])["remaining_s"] // 3600, pdf))
        self.answer_all(issued)

    def answer_all(self, issued):
        """Half of the children are found: the junior school enrols them, both schools answer. The rest runs out of time."""
        found = [s for s in issued if s["codes"] in (["M10"], ["M12"], ["M13"], ["M50"])][::2]
        for s in found:
            p = self.by_id[s["student"]["cert_no"]]
            junior = self.schools[p.dest]
            path = os.path.join(self.server.dir, "late-%s.csv" % p.id[-6:])
            with open(path, "w") as out:
                out.write("姓名,证件号码,性别,出生日期,毕业小学,是否报到\n%s,%s,%s,%s,%s,是\n" % (p.name, p.id, p.gender, p.birth, self.county.school_names[p.primary]))
            junior.ok("import", "enrolled", path)
            if p.scenario == "m13":
                junior.ok("verify", "answer", "-", "present", stdin=p.id + "\n")
            source = self.schools[p.primary]
            if p.scenario == "m50":
                source.ok("transition", "set", "-", "--dest", "A1", "--school", p.dest, stdin=p.id + "\n")
            for addressee in s["addressees"]:
                person = self.schools[addressee["school"]]
                # 3: the night's run has seen the child on the roster and closed the slip before its answer.
                person.ok("slips", "receive", s["slip"], code=(0, 3))
                person.ok("slips", "log", s["slip"], "--method", "家访", "--note", "与镇干部一同上门，家长同意返校", code=(0, 3))
                person.ok("slips", "answer", s["slip"], "--outcome", "enrolled", "--note", "已到校就读", code=(0, 3))
            self.sync(junior)
            self.sync(source)
        self.story.say("劝返 %d 名学生到校，两校均已回复" % len(found))

    def reminders(self):
        """The day before the term the schools that have not answered are told, and nobody else."""
        self.move_to(9, 15, "期限前一天：提醒")
        for _ in range(40): # the server looks at the clock four times a minute
            slips = self.edu.ok("transition", "slips", "list", "--year", YEAR)
            waiting = [a for s in slips if s["state"] in ("issued", "returned") for a in s["addressees"] if not a["answered_at"]]
            if all(a["reminder"] == "before" for a in waiting):
                break
            time.sleep(0.5)
        else:
            raise Failure("not reminded: %r" % [a for a in waiting if a["reminder"] != "before"])
        if any(a["reminder"] for s in slips for a in s["addressees"] if a["answered_at"]):
            raise Failure("reminded although answered: %r" % slips)
        school = self.schools[waiting[0]["school"]]
        self.sync(school)
        told = [t for t in school.ok("todo") if "县局已提醒" in t["text"]]
        self.story.say("还没有回复的 %d 所次学校收到提醒；%s 的待办里有 %d 条" % (len(waiting), self.county.school_names[waiting[0]["school"]], len(told)))
        if not told:
            raise Failure("no reminder in the todo list")

    def october(self):
        self.move_to(9, 19, "限期已过：升级")
        r = self.edu.ok("transition", "reconcile", "--year", YEAR)
        for _ in range(40): # the server looks at the clock four times a minute
            slips = self.edu.ok("transition", "slips", "list", "--year", YEAR)
            live = [s for s in slips if s["state"] != "closed"]
            if all(s["escalated"] for s in live):
                break
            time.sleep(0.5)
        closed = [s for s in slips if s["state"] == "closed"]
        self.story.say("交办单 %d 张：销号 %d 张，升级到县局和镇 %d 张" % (len(slips), len(closed), len(live)))
        if any(not s["escalated"] for s in live) or not closed:
            raise Failure("neither resolved nor escalated: %r" % [s for s in live if not s["escalated"]])

    def end(self):
        html = os.path.join(self.out, "汇总.html")
        summary = self.edu.ok("transition", "summary", "--year", YEAR, "--html", html)
        self.story.chapter("各校汇总")
        print(self.edu.run("transition", "summary", "--year", YEAR).out)
        residuals = [row["residual"] for row in summary["schools"]]
        if any(residuals) or summary["total"]["residual"]:
            raise Failure("residuals %r" % residuals)
        auditor = self.server.people["auditor"]
        auditor.ok("login", auditor.user)
        audit = auditor.ok("audit", "verify")
        self.story.say("差额全部为 0；留痕 %d 条，链条完整；报表 %s" % (audit["entries"], html))

    def judge(self):
        """After the disasters: what PostgreSQL and the schools' computers hold keeps every promise of the protocol."""
        profiles, findings = [person.profile for person in self.schools.values()], None
        while findings != []: # a reminder that comes due meanwhile is nobody's fault: what is found counts when nothing has moved since
            moved = [report for report in map(self.sync, self.schools.values()) if report["pulled"] or report["pushed"]]
            if findings and not moved:
                raise Failure("\n".join("%s %s" % finding for finding in findings[:20]))
            findings = checker.check_server(self.server, profiles).findings
        self.story.say("逐条核对了服务器和 %d 台学校电脑里存下的内容，没有丢失、重复或不一致" % len(self.schools))

    def run(self):
        self.may()
        self.june()
        self.summer()
        self.papers()
        self.september()
        differences = self.reconcile()
        self.slips()
        self.reminders()
        self.october()
        self.end()
        if self.options.chaos:
            self.judge()
        print("\n用时 %.0f 秒。%s" % (time.time() - self.story.begun, "全部相符。" if not differences else "有 %d 处不符！" % differences))
        return 1 if differences else 0


def main():
    parser = argparse.ArgumentParser(description="a rehearsal county from May to September")
    parser.add_argument("--schools", type=int, default=12)
    parser.add_argument("--pupils", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the county's folder for a look")
    parser.add_argument("--chaos", action="store_true", help="kill jgd, PostgreSQL or the link between any two steps")
    options = parser.parse_args()
    if options.keep:
        os.environ["JG_KEEP"] = "1"
    print("程序 %s；数据全部虚构（区划 329999）" % os.path.relpath(BUILD))
    with Server() as server:
        try:
            code = Demo(options, server).run()
        except Failure as failure:
            print("\n✗ %s\n%s" % (failure, open(server.dir + "/jgd.log").read()[-3000:]), file=sys.stderr)
            code = 1
        if options.keep:
            print("county: %s   files: %s/out" % (server.data, server.dir))
    return code


if __name__ == "__main__":
    sys.exit(main())
