"""Pupils by number, and files that people bring."""
import os

from county_files import check_digit


def number(n):
    body = "32999920150301%03d" % n
    return body + check_digit(body)


def write(server, name, text):
    path = os.path.join(server.dir, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path
