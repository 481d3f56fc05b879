#!/usr/bin/python3
"""Whatever a comment or a page cites stands in the repository: the document, its section and the words in quotation marks. And examples
are of an invented county, of area 329999."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What people were told of older versions, and patches of those, may name what is no more.
PAST = re.compile(r"^(CHANGELOG\.md|tests/bugs/.*\.patch|\.git-blame-ignore-revs)$")
KEPT = re.compile(r"^(sql/migrations/|tests/campaigns\.jsonl$)")  # migrations are never edited, nor what was run
REAL = "\u6cd7\u6d2a|3213" + "24"  # the county that this was first written for, and its code
CITED = re.compile(r"((?:[\w.-]+/)*[\w-]+\.md)\b`?\)?((?: ?§[\d.]+\w?)?)((?:[ \n*#/-]*\"[^\"\n]+\"(?:,(?= \"))?)*)")
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
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
