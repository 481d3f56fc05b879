#!/usr/bin/python3
"""The manual pages that the build makes (jg.1, jgadmin.1, jgd.8, jgd.ini.5, in English and Chinese): each command and option of --help
stands in its page, each setting in jgd.ini.5, and man finds nothing to warn of. And the three programs are alike at the door: they ask for
help in the same words, and let no text of a file or a name steer a terminal."""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("JG_BUILD", os.path.join(ROOT, "build/dev"))
SERVER = ("server", "README.md")
PAGES = (("jg", 1), ("jgadmin", 1), ("jgd", 8), ("jgd.ini", 5))
PROGRAMS = {"jg": "client/jg", "jgadmin": "client/jgadmin", "jgd": "server/jgd"}
passed, failed = 0, 0


def check(name, good, seen=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print("%s %s%s" % ("ok" if good else "not ok", name, "" if good else ": %s" % (seen,)))


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def plain(page):
    """The page's text without what is roff's."""
    return page.replace("\\:", "").replace("\\-", "-").replace("\\&", "").replace("\\fB", "").replace("\\fR", "")


def commands(program, lang):
    told = run(os.path.join(BUILD, PROGRAMS[program]), "--lang", lang, "--help").stdout
    pattern = r"^  jgd ([a-z]+)" if program == "jgd" else r"^  ([a-z][a-z ]*[a-z])"
    return set(re.findall(pattern, told, re.M))


for lang, below in (("en", "share/man"), ("zh", "share/man/zh_CN")):
    for page, section in PAGES:
        path = os.path.join(BUILD, below, "man%d" % section, "%s.%d" % (page, section))
        name = "%s.%d (%s)" % (page, section, lang)
        text = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        check("%s is made" % name, text.startswith(".TH ") and ".SH NAME" in text, path)
        check("%s is in its language" % name, bool(re.search("[一-鿿]", text.split(".SH NAME")[1].split("\n")[1])) == (lang == "zh") if text else False)
        if page in PROGRAMS:
            known = commands(page, lang)
            missing = sorted(c for c in known if "%s %s" % (page, c) not in plain(text))
            check("%s names each of %d commands" % (name, len(known)), len(known) > 5 and not missing, missing)
            options = set()
            for command in known:
                options |= set(re.findall(r"^  (--?[a-z-]+)", run(os.path.join(BUILD, PROGRAMS[page]), *command.split(), "--help").stdout, re.M))
            missing = sorted(o for o in options if not re.search(r"(?<![a-z-])%s(?![a-z-])" % o, plain(text)))
            check("%s names each of %d options" % (name, len(options)), len(options) > 5 and not missing, missing)
        else:
            document = open(os.path.join(ROOT, *SERVER), encoding="utf-8").read()
            settings = set(re.findall(r"^\| `(\w+)` \|", document.split("## Settings")[1].split("\n## ")[0], re.M))
            missing = sorted(s for s in settings if not re.search(r"\b%s\b" % s, plain(text)))
            check("%s names each of %d settings" % (name, len(settings)), len(settings) >= 13 and not missing, missing)
        if shutil.which("man") and shutil.which("groff"):
            result = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path)
            check("man finds nothing to warn of in %s" % name, result.returncode == 0 and not result.stderr.strip(), result.stderr[:500])

for name, path in PROGRAMS.items():
    program = os.path.join(BUILD, path)
    told = run(program, "--help")
    check("%s: -h and help are --help" % name, told.returncode == 0 and told.stdout and all(run(program, *words).stdout == told.stdout for words in (("-h",), ("help",))))
    command = "init" if name == "jgd" else "login"
    check("%s: help before a command is --help behind it" % name, run(program, "help", command).stdout == run(program, command, "--help").stdout != told.stdout)
    check("%s: LC_ALL counts before LANG" % name, not re.search("[一-鿿]", subprocess.run([program, "-h"], capture_output=True, text=True, env={"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}).stdout.split("\n")[0]))
    odd = run(program, "--" + "\x1b[2J\x9b31m\u202e") if name == "jgd" else run(program, "connect", "--\x1b[2J\u202e")
    check("%s says back what was typed without what steers a terminal" % name, odd.returncode == 2 and odd.stderr.strip() and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", odd.stderr + odd.stdout), repr(odd.stderr))
    lines = [x for x in odd.stderr.splitlines() if x.strip()]
    check("%s tells an error in three lines, without signs before them" % name, len(lines) == 3 and not lines[2].startswith("→"), lines)

print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
