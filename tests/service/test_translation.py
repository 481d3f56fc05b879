#!/usr/bin/python3
"""Every word that a person reads goes through gettext (common/lang.h), and po/en.po has the English of all of them and of nothing else.
Chinese that stands outside is data: DATA says how much of it a file has, and may only change with a reason."""
import ast
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("JG_BUILD", ROOT + "/build/dev")
CJK = re.compile("[\u2e80-\u303f\u3100-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\w+|\s+|.', re.S)
READ = "what people write in their files, cells and numbers"
WRITTEN = "headings of a file that we write: an import reads them in every language"
TYPED = "what is typed to say yes, in either language"
PAPER = "an official document is Chinese in every language: its lines, 文种, addressees, and what may not stand in it"
DATA = {
    "client/admin/admin_case.c": (1, TYPED),
    "client/admin/admin_catchments.c": (1, TYPED),
    "client/admin/admin_identity.c": (2, TYPED),
    "client/admin/admin_transition.c": (2, TYPED),
    "client/admin/admin_users_import.c": (28, READ + "; " + WRITTEN),
    "client/admin/admin_documents_archive.c": (5, PAPER),
    "client/admin/admin_documents.c": (4, "收 and 发 as they may be typed for --kind"),
    "client/admin/admin_documents_paper.c": (3, PAPER),
    "client/admin/admin_documents_show.c": (1, PAPER),
    "client/admin/admin_documents_cost.c": (1, TYPED),
    "client/admin/admin_documents_setup.c": (13, READ),
    "client/face/cli_ask.c": (1, TYPED),
    "client/cli/cmd_documents_keep.c": (1, TYPED),
    "client/cli/cmd_documents_print.c": (3, PAPER),
    "client/cli/cmd_conflicts.c": (2, TYPED),
    "client/cli/cmd_outbox.c": (2, TYPED),
    "client/cli/cmd_transition.c": (1, TYPED),
    "client/core/files/book.c": (9, READ),
    "client/core/files/csv_read.c": (2, READ),
    "client/core/files/import_roster.c": (4, READ),
    "client/core/files/import_row.c": (13, READ),
    "client/core/files/pdf_font.c": (4, "names of fonts"),
    "client/admin/meeting_draft.c": (20, PAPER),
    "common/rules/meeting.c": (16, READ),
    "server/services/documents/document_reads.c": (1, "the series of numbers"),
    "server/services/documents/meeting_invites.c": (1, PAPER),
    "server/services/documents/meeting_event.c": (3, "the series of numbers"),
    "server/services/documents/order_event.c": (2, "the series of numbers"),
    "client/core/services/document_check.c": (43, PAPER),
    "client/core/services/document_package.c": (40, PAPER),
    "client/core/services/evidence.c": (1, READ),
    "client/core/services/export_destination.c": (4, WRITTEN),
    "client/core/services/export_slips.c": (4, WRITTEN),
    "client/core/services/export_verify.c": (11, WRITTEN),
    "client/core/services/import_pupil.c": (51, READ),
    "client/core/services/import_verify.c": (21, READ),
    "client/core/services/roll.c": (1, WRITTEN),
    "client/core/files/sheet_write.h": (1, WRITTEN),
    "client/core/files/table.c": (43, READ),
    "client/core/typeset/format_check.c": (40, READ),
    "client/core/typeset/format_parts.c": (90, READ),
    "client/core/typeset/gbt9704.c": (38, PAPER),
    "client/core/typeset/line_break.c": (4, "marks that a line does not begin or end with"),
    "client/core/typeset/title_break.c": (56, "words that a title's lines do not part"),
    "client/core/words/value.c": (16, READ),
    "client/core/words/words.c": (1, "the end of a grade's name, which a class takes the place of"),
    "common/class_scope.c": (22, READ),
    "common/codes.c": (2, READ),
    "common/date.c": (4, READ),
    "common/quantity.c": (8, READ),
    "common/roster.c": (53, READ),
    "common/rules/document_number.c": (29, "the form of a number, and the 文种 that decide an archive's term"),
    "common/rules/document_number.h": (4, "series of numbers"),
    "common/rules/draft.c": (54, PAPER),
    "common/rules/draft_rules.c": (72, PAPER),
    "common/rules/workday.c": (1, READ),
    "server/services/county.c": (5, "the stages of a school, as its type has them on the wire"),
    "server/services/documents/document_event.c": (3, PAPER),
    "server/services/documents/document_setup.c": (4, PAPER),
    "server/services/documents/document_world.c": (8, PAPER),
    "server/services/documents/document_store.c": (1, PAPER),
}
passed = failed = 0


def check(good, text):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("not ok " + text)


def run(*args, **more):
    return subprocess.run(args, cwd=ROOT, capture_output=True, text=True, check=False, **more)


def entries(po):
    """{(context, msgid): (msgstr, flags)}; the header is ("", "")."""
    found = {}
    for block in re.split(r"\n\n+", po.strip()):
        texts = {key: "".join(map(ast.literal_eval, re.findall(r'"(?:\\.|[^"\\])*"', value)))
                 for key, value in re.findall(r'^(msgctxt|msgid|msgstr) ((?:"(?:\\.|[^"\\])*"\n?)+)', block + "\n", re.M)}
        if "msgid" in texts:
            key = texts.get("msgctxt", ""), texts["msgid"]
            found[key] = texts["msgstr"], " ".join(re.findall(r"^#,(.*)$", block, re.M))
    return found


def every_word_has_its_english():
    said = run("script/words", "--template")
    check(said.returncode == 0 and not said.stderr, "script/words --template: " + said.stderr)
    with open(os.path.join(ROOT, "po/en.po"), encoding="utf-8") as file:
        told = entries(file.read())
    said = entries(said.stdout)
    check(len(said) > 1500, "%d words were found" % len(said))
    for key in said.keys() - {("", "")}:
        english, flags = told.get(key, ("", ""))
        check(english and "fuzzy" not in flags, "po/en.po has no English for %r: run script/words and write it" % (key,))
    for key in told.keys() - said.keys():
        check(False, "po/en.po has %r, which nothing says: run script/words" % (key,))
    made = run("msgfmt", "--check-format", "--check-domain", "-o", "/dev/null", "po/en.po")
    check(made.returncode == 0, made.stderr)


def strings_outside(path):
    """The Chinese literals of a source that are no argument of _ N_ C_ NC_."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        source = file.read()
    open_by, last = [], ""
    for m in TOKEN.finditer(source):
        token = m.group()
        if token.isspace() or token[:2] in ("/*", "//"):
            continue
        if token == "(":
            open_by.append(last)
        elif token == ")" and open_by:
            open_by.pop()
        elif token[0] == '"' and CJK.search(token) and open_by[-1:] not in (["_"], ["N_"], ["C_"], ["NC_"]):
            yield source.count("\n", 0, m.start()) + 1, token
        last = token


def no_chinese_outside():
    found = collections.defaultdict(list)
    for folder in ("client", "common", "server"):
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith((".c", ".h", ".def")):
                    path = os.path.relpath(os.path.join(where, name), ROOT)
                    found[path] = list(strings_outside(path))
    for path in sorted(found.keys() | DATA.keys()):
        n, reason = DATA.get(path, (0, ""))
        check(len(found[path]) == n, "%s has %d Chinese strings outside of _(), %s: %s" % (
            path, len(found[path]), "of which DATA knows %d (%s)" % (n, reason) if n else "and DATA knows of none", found[path][:8] if not n else "see it"))


def programs_speak():
    """Whatever locales the machine has, and whatever else the environment says."""
    for program in ("client/jg", "client/jgadmin", "server/jgd"):
        path = os.path.join(BUILD, program)
        for env, options, english in (({}, (), False), ({"LANG": "C"}, (), False), ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, (), False),
                                      ({"LANG": "en_US.UTF-8"}, (), True), ({"LANG": "en_XX", "LANGUAGE": "zh_CN"}, (), True), ({}, ("--lang", "en"), True),
                                      ({"LANG": "en_US.UTF-8"}, ("--lang", "zh"), False),
                                      ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, (), True), ({"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, (), False)):
            first = run(path, *options, "--help", env=env).stdout.split("\n")[0]
            check(first and bool(CJK.search(first)) != english, "%s %s with %s: %s" % (program, options, env, first))
    with tempfile.TemporaryDirectory() as alone:
        jg = shutil.copy(os.path.join(BUILD, "client/jg"), alone)
        result = run(jg, "--lang", "en", "--help", env={})
        check(result.returncode == 0 and CJK.search(result.stdout.split("\n")[0]), "without its catalogue: %s" % result)


every_word_has_its_english()
no_chinese_outside()
programs_speak()
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
