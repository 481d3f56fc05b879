#!/usr/bin/python3
"""Names and numbers are compared by the same forms in the clients (common/text.c, common/validate.c) and in SQL (name_key,
cert_key, strip_space, unify_dots): asked of every character, alone between two Chinese ones and between two Latin ones."""
import os
import subprocess
import sys

from private_pg import ROOT, PrivatePostgres

BUILD = os.environ.get("JG_BUILD", ROOT + "/build/dev")
CHARACTERS = [c for c in list(range(1, 0x3400)) + list(range(0x4DB5, 0x4E10)) + list(range(0x9FF0, 0xAC00)) + list(range(0xD7A4, 0xD800)) +
              list(range(0xE000, 0x11000)) + list(range(0x1D100, 0x1D400)) + list(range(0x1F000, 0x20010)) + list(range(0x2F800, 0x2FA20)) +
              list(range(0xE0000, 0xE1000)) + list(range(0x10FFF0, 0x110000)) if c != 10 and c & 0xFFFE != 0xFFFE]  # noncharacters are stored by nobody
QUERY = """CREATE TEMP TABLE t(n serial, hex text);
COPY t(hex) FROM STDIN;
%s
\\.
SELECT concat_ws(U&'\\001F', coalesce(name_key(x), ''), coalesce(cert_key(x), ''), strip_space(x), unify_dots(x)) FROM
	(SELECT n, convert_from(decode(hex, 'hex'), 'UTF8') AS x FROM t) AS u ORDER BY n;
"""


def main():
    texts = [before + chr(c) + behind for c in CHARACTERS for before, behind in (("买", "江"), ("a", "b"), ("", ""))]
    # Bytes: in text mode Python would take a carriage return for the end of a line.
    clients = subprocess.run([BUILD + "/tests/text_keys"], input=("\n".join(texts) + "\n").encode(), stdout=subprocess.PIPE,
                             check=True).stdout.decode().split("\n")
    with PrivatePostgres() as postgres:
        done = subprocess.run(postgres.command() + ["-At"], input=(QUERY % "\n".join(t.encode().hex() for t in texts)).encode(),
                              stdout=subprocess.PIPE, check=True)
        server = done.stdout.decode().split("\n")
    wrong = [(t, c, s) for t, c, s in zip(texts, clients, server) if c != s]
    for text, client, side in wrong[:20]:
        print("not ok U+%04X in %r: clients %r, SQL %r" % (ord(text[1] if len(text) > 1 else text), text, client, side))
    counted = len(clients) == len(server)
    print("%d passed, %d failed" % (len(texts) - len(wrong), len(wrong) + (not counted)))
    sys.exit(1 if wrong or not counted else 0)


if __name__ == "__main__":
    main()
