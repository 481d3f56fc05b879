#!/usr/bin/python3
"""Whatever a comment or a page cites stands in the repository: the document, its section and the words in quotation marks. And examples
are of an invented county, of area 329999; what the pages tell to type is a command; the operator's metrics are those of the program."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What people were told of older versions, and patches of those, may name what is no more.
PAST = re.compile(r"^(CHANGELOG\.md|tests/bugs/.*\.patch|\.git-blame-ignore-revs)$")
KEPT = re.compile(r"^(sql/migrations/|tests/campaigns\.jsonl$)")  # migrations are never edited, nor what was run
REAL = "\u6cd7\u6d2a|3213" + "24"  # the county that this was first written for, and its code
CITED = re.compile(r"((?:[\w.-]+/)*[\w-]+(?:\.zh-CN)?\.md)\b`?\)?((?: ?§[\d.]+\w?)?)((?:[ \n*#/-]*\"[^\"\n]+\"(?:,(?= \"))?)*)")
BUILD = os.environ.get("JG_BUILD", os.path.join(ROOT, "build/dev"))
passed = failed = 0


def check(good, text):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("not ok " + text)


def tracked():
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True)
    return [n for n in names.stdout.decode().split("\0") if n and not PAST.match(n)]


def text(name):
    try:
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            return f.read()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return ""  # pictures and workbooks cite nothing; a file may have been taken away


def plain(s):
    return re.sub(r"[\s`*]+", " ", s).lower()


def places(cited, names):
    """A citation is a path from the root or from the citing page, or a page's bare name; migrations, which are never edited, write one small."""
    return [n for n in names if n.lower() == cited.lower() or n.lower().endswith("/" + cited.lower())]


def commands_of(program):
    """The words of its commands, longest first; none where it is not built."""
    path = os.path.join(BUILD, {"jgd": "server/jgd"}.get(program, "client/" + program))
    told = subprocess.run([path, "--lang", "en", "--help"], capture_output=True, text=True).stdout if os.path.exists(path) else ""
    found = re.findall(r"^  jgd ([a-z]+)" if program == "jgd" else r"^  ([a-z][a-z ]*[a-z])", told, re.M)
    return sorted(found, key=len, reverse=True)


def options_of(program, command):
    path = os.path.join(BUILD, {"jgd": "server/jgd"}.get(program, "client/" + program))
    told = subprocess.run([path, "--lang", "en", *command.split(), "--help"], capture_output=True, text=True).stdout
    return set(re.findall(r"^  (--?[a-z-]+)", told, re.M))


def manuals():
    """What the pages for people tell to type is a command with such options."""
    commands, options, typed = {p: commands_of(p) for p in ("jg", "jgadmin", "jgd")}, {}, 0
    for name in "README.md README.zh-CN.md server/README.md".split():
        page = text(name)
        lines = [line for block in re.findall(r"^```\n(.*?)^```", page, re.M | re.S) for line in block.splitlines()]
        lines += re.findall(r"`((?:jg|jgadmin|jgd) [^`]+)`", re.sub(r"^```\n.*?^```", "", page, flags=re.M | re.S))
        for line in (part.strip() for line in lines for part in line.split("#")[0].split("&&")):
            program, _, words = line.partition(" ")
            if program not in commands or not commands[program] or words.startswith(("-", "help", "…")):
                continue
            typed += 1
            match = [c for c in commands[program] if words == c or words.startswith(c + " ") or c.startswith(words + " ")]
            check(match, "%s tells to type `%s`, which is no command" % (name, line))
            if match and not match[0].startswith(words + " "):
                key = (program, match[0])
                options[key] = options.get(key) or options_of(*key)
                for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", words[len(match[0]):]):
                    check(option in options[key], "%s tells to type `%s`; %s %s has no %s" % (name, line, *key, option))
    check(typed > 100 or not all(commands.values()), "commands to type were found: %d" % typed)


def metrics():
    """The operator's list of metrics is that of the program."""
    told = re.findall(r"^\| `jingguan_(\w+)` \| (\w+) \|", text("server/README.md"), re.M)
    made = re.findall(r'\b(?:one|head)\(b, "(\w+)", "(\w+)"', text("server/metrics.c"))
    check(len(made) > 10, "metrics.c makes metrics: %s" % made)
    check(sorted(told) == sorted(made), "server/README.md lists other metrics than server/metrics.c makes: %s" % sorted(set(told) ^ set(made)))


def main():
    names = tracked()
    pages = [n for n in names if n.endswith(".md")] + ["CHANGELOG.md"]
    cites = sections = quotes = 0
    for name in names:
        for m in CITED.finditer(text(name)):
            cited, section, quoted = m.group(1), m.group(2).strip(" §"), re.findall(r'"([^"\n]+)"', m.group(3))
            line = text(name)[:m.start()].count("\n") + 1
            cites += 1
            found = places(re.sub(r"^(\.\.?/)+", "", cited), pages)
            check(found, "%s:%d cites %s, which is not in the repository" % (name, line, cited))
            if section and found:
                sections += 1
                number = re.escape(section.rstrip("."))
                check(any(re.search(r"^#+ §?%s\b" % number, text(f), re.M) for f in found), "%s:%d cites %s §%s, which has no such section" % (name, line, cited, section))
            for words in quoted:
                quotes += 1
                check(any(plain(words) in plain(text(f)) for f in found), "%s:%d cites %s \"%s\", which does not say so" % (name, line, cited, words))
    for name in names:
        real = re.search(REAL, text(name)) if not KEPT.match(name) else None
        check(not real, "%s names a real county: %s" % (name, real and real.group(0)))
    check(cites > 80 and sections > 10 and quotes > 10, "citations were found: %d, %d with a section, %d with words" % (cites, sections, quotes))


main()
manuals()
metrics()
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
