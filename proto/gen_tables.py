#!/usr/bin/python3
"""gen_tables.py ALL.DS OUTDIR SQLDIR: makes tables.h and tables.c from the descriptor set.

The declarations in jingguan/v1/*.proto are the only place where a method, a record kind or a field is declared;
common/kind.h says what the tables mean. The build stops here when a declaration breaks a rule of the house:
a recursive message, a repeated field without a bound, a kind with a non-scalar field, a number used twice; and what
well_formed.py says.
"""
import pathlib
import re
import sys
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import well_formed

SCALARS = {9: "FIELD_TEXT", 12: "FIELD_BYTES", 5: "FIELD_INT32", 3: "FIELD_INT64", 8: "FIELD_BOOL"}
FIELDS_MAX, GROUPS_MAX, KEY_MAX, NUMBER_MAX = 40, 8, 4, 999 # common/kind.h
RECORD_TEXT_MAX = 240 << 10 # of a record's texts together: one operation makes it, and a push has 256 KiB (server/records/push_plan.h)


def fail(text):
    sys.exit("proto: " + text)


def c_string(text):
    out = '"'
    for byte in text.encode():
        out += chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else "\\%03o" % byte
    return out + '"'


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def symbol(full_name):
    """protobuf-c's name of a message descriptor: jingguan.v1.PushRequest -> jingguan__v1__push_request"""
    return "__".join(snake(part) for part in full_name.lstrip(".").split("."))


class Declarations:
    def __init__(self, path, sql):
        self.functions = set()
        for file in sorted(pathlib.Path(sql, "migrations").glob("*.sql")) + sorted(pathlib.Path(sql, "functions").glob("*.sql")):
            for verb, name in re.findall(r"^(CREATE|CREATE OR REPLACE|DROP) FUNCTION (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE):
                (self.functions.discard if verb == "DROP" else self.functions.add)(name)
        self.set = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
        self.pool = descriptor_pool.DescriptorPool()
        for file in self.set.file:
            self.pool.Add(file)
        self.factory = message_factory.MessageFactory(self.pool)
        self.files = [f for f in self.set.file if f.package == "jingguan.v1"]
        self.messages = [(f, m) for f in self.files for m in f.message_type]
        self.tables = set()
        self.roles = next(e for f in self.files for e in f.enum_type if e.name == "Role").value

    def extension(self, name):
        return self.pool.FindExtensionByName("jingguan.v1." + name)

    def options(self, holder, kind, name):
        cls = self.factory.GetPrototype(self.pool.FindMessageTypeByName("google.protobuf." + kind))
        parsed = cls.FromString(holder.options.SerializeToString())
        extension = self.extension(name)
        if extension.label == extension.LABEL_REPEATED or not parsed.HasExtension(extension):
            return None
        return parsed.Extensions[extension]


def check_acyclic(decl):
    inner = {"." + f.package + "." + m.name: [x.type_name for x in m.field if x.type == 11] for f, m in decl.messages}

    def visit(name, path):
        if name in path:
            fail("message %s is recursive (protobuf-c has no depth limit)" % name)
        for child in inner.get(name, []):
            visit(child, path + [name])
    for name in inner:
        visit(name, [])


def bounds(decl, header, source):
    rows = []
    for file, message in decl.messages:
        if file.name.endswith("options.proto"):
            continue
        limits = []
        for field in sorted(message.field, key=lambda x: x.number):
            limit = decl.options(field, "FieldOptions", "max_count") or 0
            if field.label == 3 and not limit:
                fail("%s.%s is repeated and has no max_count" % (message.name, field.name))
            limits.append(limit)
        if any(limits):
            name = "bounds_" + snake(message.name)
            source.append("static const uint32_t %s[] = {%s};" % (name, ", ".join(map(str, limits))))
            rows.append((symbol("jingguan.v1." + message.name), name))
    source.append("\nconst uint32_t *message_bounds(const ProtobufCMessageDescriptor *descriptor)\n{")
    for desc, name in rows:
        source.append("\tif (descriptor == &%s__descriptor)\n\t\treturn %s;" % (desc, name))
    source.append("\treturn NULL;\n}\n")


CHECKS = {"year": 5, "date": 5, "time": 3, "school": 9, "uuid": 9, "id": 12, "sha": 12, "sequence": 4, "codes": 9, "max": 13, "secret": 9, "text": 9}


def checks(decl, header, source):
    rows, requests = [], {method.input_type for file in decl.files for service in file.service for method in service.method}
    for file, message in decl.messages:
        if file.name.endswith("options.proto"):
            continue
        names = []
        for field in sorted(message.field, key=lambda x: x.number):
            check = decl.options(field, "FieldOptions", "check") or ""
            if check and CHECKS.get(check.split(":")[0]) != field.type:
                fail("%s.%s has the check %s, which is unknown or of another type" % (message.name, field.name, check))
            if "password" in field.name and check != "secret" and ".jingguan.v1." + message.name in requests:
                fail("%s.%s is a password without the check secret" % (message.name, field.name))
            names.append(check)
        if any(names):
            name = "checks_" + snake(message.name)
            source.append("static const char *const %s[] = {%s};" % (name, ", ".join(map(c_string, names))))
            rows.append((symbol("jingguan.v1." + message.name), name))
    source.append("\nconst char *const *message_checks(const ProtobufCMessageDescriptor *descriptor)\n{")
    for desc, name in rows:
        source.append("\tif (descriptor == &%s__descriptor)\n\t\treturn %s;" % (desc, name))
    source.append("\treturn NULL;\n}\n")


def labels(decl, source):
    """What people call the fields of requests: a field's own label, or the one that another request gives its name. One without
    does not build: a refusal would show a name of the wire."""
    messages = {".jingguan.v1." + m.name: m for _, m in decl.messages}
    todo = [method.input_type for file in decl.files for service in file.service for method in service.method] + [".jingguan.v1.Hello"]
    rows, named, wanted, seen = [], set(), {}, set()
    while todo:
        name = todo.pop(0)
        if name not in messages or name in seen:
            continue
        seen.add(name)
        for index, field in enumerate(sorted(messages[name].field, key=lambda x: x.number)):
            rule = decl.options(field, "FieldOptions", "rule")
            if rule is not None and rule.label and rule.label_en:
                rows.append("\t{&%s__descriptor, %d, %s, %s}," % (symbol(name), index, c_string(rule.label), c_string(rule.label_en)))
                named.add(field.name)
            wanted.setdefault(field.name, messages[name].name)
            todo.append(field.type_name)
    for field in sorted(set(wanted) - named):
        fail("%s.%s has no label, nor has a field of that name in another request" % (wanted[field], field))
    source.append("const struct request_label request_labels[] = {\n%s\n\t{NULL, 0, NULL, NULL},\n};" % "\n".join(rows))


TEXT, BYTES, NUMBERS, ANY = (9,), (12,), (3, 5), (3, 5, 8, 9, 12)
FIELD_CHECKS = {"": ANY, "cert_no": TEXT, "student_no": TEXT, "school_code": TEXT, "area": TEXT, "area_prefix": TEXT, "class": TEXT, "codes": TEXT, "multi": TEXT,
                "long": TEXT, "uuid": BYTES, "sha": BYTES, "ref": BYTES, "year": (5,), "date": (5,), "minutes": (5,), "time": (3,), "decimal": (3,), "fen": (3,), "range": NUMBERS}


def text_max(rule):
    return rule.max_bytes or (65536 if rule.check == "long" else 255)


def field_row(decl, kind, field, names, source):
    rule = decl.options(field, "FieldOptions", "rule")
    where = "%s.%s" % (kind, field.name)
    if rule is None or not rule.group or rule.group > GROUPS_MAX:
        fail(where + " has no rule, or no group from 1 to %d" % GROUPS_MAX)
    check_name, _, argument = rule.check.partition(":")
    if check_name not in FIELD_CHECKS or field.type not in FIELD_CHECKS[check_name]:
        fail("%s has the check %s, which is unknown or of another type" % (where, rule.check))
    if check_name == "decimal" and argument not in tuple("123456"):
        fail(where + " keeps 1 to 6 decimals")
    if check_name == "ref" and argument not in decl.tables:
        fail(where + " refers to a table that no kind has")
    most = 65536 if check_name == "long" else 4000
    if rule.max_bytes > most:
        fail(where + " may have at most %d bytes" % most)
    if rule.author and field.type != 9:
        fail(where + " names an author and is no text")
    if field.type not in SCALARS or field.label == 3:
        fail(where + " must be string, bytes, int32, int64 or bool, not repeated")
    if rule.signs and (rule.signs not in names or field.type != 12):
        fail("%s signs %s, which is no field, or is not bytes" % (where, rule.signs))
    columns = "no_columns"
    if rule.column:
        columns = "columns_%s_%s" % (snake(kind), field.name)
        source.append("static const char *const %s[] = {%s, NULL};" % (columns, ", ".join(map(c_string, rule.column))))
    flag = lambda on: "true" if on else "false"
    return "\t{%d, %s, %s, %s, %s, %d, %s, %s, %s, %s, %s, %s, %s, %d, %d, %s, %s}," % (
        field.number, c_string(field.name), c_string(rule.label), c_string(rule.label_en or field.name),
        SCALARS[field.type], rule.group, "MERGE_GUARDED" if rule.merge == 2 else "MERGE_CONFLICT",
        flag(rule.required), flag(rule.masked), flag(rule.other), flag(rule.school_writes), flag(rule.ordinal), flag(rule.author),
        names.index(rule.signs) if rule.signs else -1, text_max(rule), c_string(rule.check), columns)


def push_roles(decl):
    push = next(m for f in decl.files for s in f.service for m in s.method if s.name == "Sync" and m.name == "Push")
    return set(decl.options(push, "MethodOptions", "call").role)


def kinds(decl, header, source):
    pushers = push_roles(decl)
    rows, numbers = [], set()
    by_table = {rule.table: rule.number for rule in (decl.options(m, "MessageOptions", "kind") for _, m in decl.messages) if rule is not None}
    header.append("#define KIND_COUNT %d" % len(by_table))
    decl.tables = set(by_table)
    source.append("static const char *const no_columns[] = {NULL};")
    for _, message in decl.messages:
        rule = decl.options(message, "MessageOptions", "kind")
        if rule is None:
            continue
        if rule.number in numbers:
            fail("kind number %d is used twice" % rule.number)
        if not 1 <= rule.number <= NUMBER_MAX:
            fail("kind number %d: they are 1 to %d" % (rule.number, NUMBER_MAX))
        numbers.add(rule.number)
        fields = sorted(message.field, key=lambda x: x.number)
        if len(fields) > FIELDS_MAX or len(rule.key) > KEY_MAX:
            fail("%s has too many fields or key parts" % message.name)
        names, name = [f.name for f in fields], snake(message.name)
        body = [field_row(decl, message.name, f, names, source) for f in fields]
        rules = [decl.options(f, "FieldOptions", "rule") for f in fields if f.type == 9]
        if sum(text_max(rule) for rule in rules) > RECORD_TEXT_MAX:
            fail("%s: its texts together may have at most %d bytes, or a record of them fits no push" % (message.name, RECORD_TEXT_MAX))
        if set(rule.writer) - pushers:
            fail("%s is written by roles that may not push: Sync.Push names those that may" % message.name)
        source.append("static const struct field fields_%s[] = {\n%s\n};" % (name, "\n".join(body)))
        if bool(rule.of) != bool(rule.on) or set(rule.on) - set(by_table):
            fail("%s: `of` names a field, and `on` the tables of the kinds that it may name" % message.name)
        shared = any(decl.options(f, "FieldOptions", "rule").other for f in fields)
        for function in (rule.guard, rule.children_guard, rule.hold, rule.applied):
            if function and function not in decl.functions:
                fail("%s names the SQL function %s, which no file of sql/ makes" % (message.name, function))
        hidden = rule.hidden.split("=") if rule.hidden else ["", ""]
        for field in (rule.of, rule.addressee, hidden[0]):
            if field and field not in names:
                fail("%s has no field %s" % (message.name, field))
        if rule.addressee and not rule.of:
            fail("%s addresses nothing: it has no `of`" % message.name)
        if (rule.register or rule.registered) and not {"cert_no", "student_no", "class_no"} <= set(names):
            fail("%s is a register, or looked up in one: it needs cert_no, student_no and class_no" % message.name)
        if rule.grade and "class_no" not in names:
            fail("%s has a grade and no class_no" % message.name)
        keys = []
        for part in rule.key:
            indexes = [names.index(alternative) for alternative in part.split("|")]
            keys.append("{{%d, %d}}" % (indexes[0], indexes[-1]))
        source.append("static const struct kind_key key_%s[] = {%s};" % (name, ", ".join(keys) or "{{0, 0}}"))
        if rule.on:
            source.append("static const uint16_t on_%s[] = {%s};" % (name, ", ".join(str(by_table[table]) for table in rule.on)))
        groups = max(decl.options(f, "FieldOptions", "rule").group for f in fields)
        flag = lambda on: "true" if on else "false"
        rows.append("\t{%d, %s, %s, %s, %s, 0x%xu, %s, %s, %s, %s, %s, %s, %s, %s, %d, %s, %d, %d, %d, %s, %s, %s, %s, fields_%s, %d, key_%s, %d, %d}," % (
            rule.number, c_string(rule.table), c_string(rule.label), c_string(rule.label_en),
            {1: "OWNER_SCHOOL", 2: "OWNER_COUNTY", 3: "OWNER_SERVER"}[rule.owner],
            sum(1 << role for role in rule.writer), flag(rule.append_only), flag(rule.permanent),
            c_string(rule.guard), c_string(rule.children_guard), c_string(rule.hold), c_string(rule.applied), flag(rule.alone), flag(shared), names.index(rule.of) if rule.of else -1, "on_" + name if rule.on else "NULL", len(rule.on),
            names.index(rule.addressee) if rule.addressee else -1, names.index(hidden[0]) if hidden[0] else -1, c_string(hidden[1]), flag(rule.register), flag(rule.registered),
            c_string(rule.grade), name, len(fields), name, len(keys), groups))
        header.append("enum { KIND_%s = %d };" % (name.upper(), rule.number))
        header.append("enum {\n%s\n};" % "\n".join("\tF_%s_%s," % (name.upper(), f.upper()) for f in names))
    rows.sort(key=lambda row: int(re.match(r"\t\{(\d+)", row)[1])) # their order is the order of locks
    source.append("const struct kind kind_table[] = {\n%s\n};" % "\n".join(rows))
    for name, owners in (("kinds_all", (1, 2, 3)), ("kinds_of_schools", (1,))):
        numbers = [rule.number for rule in (decl.options(m, "MessageOptions", "kind") for _, m in decl.messages) if rule is not None and rule.owner in owners]
        source.append("const uint32_t %s[] = {%s, 0};" % (name, ", ".join(map(str, numbers))))
    source.append("const size_t kind_count = sizeof kind_table / sizeof *kind_table;")


def methods(decl, header, source):
    access = {1: "ACCESS_ENROLLING", 2: "ACCESS_GREETED", 3: "ACCESS_SESSION", 4: "ACCESS_ANY_SESSION"}
    rows, labels = {}, set()
    for file in decl.files:
        for service in file.service:
            for method in service.method:
                rule = decl.options(method, "MethodOptions", "call")
                where = service.name + "." + method.name
                if rule is None or not rule.number or not rule.request_max or not rule.label or rule.access not in access:
                    fail(where + " lacks number, label, access or request_max")
                if rule.number in rows:
                    fail("method number 0x%04x is used twice" % rule.number)
                if rule.label in labels:
                    fail("%s has the label of another method" % where)
                labels.add(rule.label)
                header.append("#define METHOD_%s_%s 0x%04x" % (snake(service.name).upper(), snake(method.name).upper(), rule.number))
                flag = lambda on: "true" if on else "false"
                # The arena must hold the decoded strings and the structs that point at them.
                arena = rule.arena_max or 4 * rule.request_max + 4096
                rows[rule.number] = "\t{0x%04x, %s, %s, %s, 0x%xu, %d, %d, %s, %s, %s, %s, %s, &%s__descriptor, &%s__descriptor}," % (
                    rule.number, c_string(where), c_string(rule.label), access[rule.access], sum(1 << role for role in rule.role),
                    rule.request_max, arena, flag(rule.writes), flag(rule.retry_safe), flag(rule.streamed),
                    flag(rule.personal), flag(rule.prepares), symbol(method.input_type), symbol(method.output_type))
    source.append("const struct method method_table[] = {\n%s\n};" % "\n".join(rows[n] for n in sorted(rows)))
    source.append("const size_t method_count = sizeof method_table / sizeof *method_table;")
    header.append("#define METHOD_COUNT %d" % len(rows))


def code_lists(decl, header, source, out):
    """code_lists.h: codes_<name> of every list; they are checked when a field names them."""
    lists, extension = {}, decl.extension("code_list")
    cls = decl.factory.GetPrototype(decl.pool.FindMessageTypeByName("google.protobuf.FileOptions"))
    for file in decl.files:
        for rule in cls.FromString(file.options.SerializeToString()).Extensions[extension]:
            codes = [item.code for item in rule.item]
            if rule.name in lists or not codes or len(set(codes)) != len(codes) or not all(item.code and item.zh and item.en for item in rule.item):
                fail("the code list %s is there twice, is empty, or an item of it has no code or word, or the code of another" % rule.name)
            lists[rule.name] = rule
    fields = [f for _, m in decl.messages for f in m.field]
    rules = [decl.options(f, "FieldOptions", "rule") for f in fields]
    named = [decl.options(f, "FieldOptions", "check") or "" for f in fields] + [rule.check for rule in rules if rule is not None]
    several = {check[6:] for check in named if check.startswith("multi:")}
    checked = {check[6:] for check in named if check.startswith("codes:")} | several
    if any(len(lists[name].item) > 128 for name in several & set(lists)):
        fail("a list that several may be chosen of has at most 128 items")
    if checked - set(lists):
        fail("codes:%s names no list" % sorted(checked - set(lists))[0])
    source.append('#include "codes.h"')
    text = lambda word: c_string(word) if word else "NULL"
    for name, rule in lists.items():
        items = ["\t{%s, %s, %s, %s}," % (text(i.code), text(i.zh), text(i.en), text(i.also)) for i in rule.item]
        source.append("static const struct code_item items_%s[] = {\n%s\n};" % (name, "\n".join(items)))
        source.append("const struct code_list codes_%s = {%s, %s, items_%s, %d};" % (name, text(rule.label), text(rule.suffix), name, len(items)))
    source.append("const struct named_list code_lists[] = {\n%s\n};" % "\n".join('\t{"%s", &codes_%s, %s, %s},' % (name, name, "true" if name in checked else "false", text(rule.about)) for name, rule in lists.items()))
    source.append("const size_t code_list_count = sizeof code_lists / sizeof *code_lists;")
    with open(out + "/code_lists.h", "w") as file:
        file.write("/* made by proto/gen_tables.py; included by codes.h */\n" + "".join("extern const struct code_list codes_%s; /* %s */\n" % (name, rule.label) for name, rule in lists.items()))


def roles(decl, header, source):
    rows = []
    for role in decl.roles:
        if role.number:
            rows.append("\t{%d, %s}," % (role.number, c_string(role.name.lower())))
            header.append("enum { ROLE_%s = %d };" % (role.name, role.number))
    source.append("const struct role role_table[] = {\n%s\n};" % "\n".join(rows))
    source.append("const size_t role_count = sizeof role_table / sizeof *role_table;")


def short_names(decl, out):
    """pb.h: protobuf-c's names without the package, so that code reads `pb_push_request` and `PB_PUSH_REQUEST_INIT`."""
    with open(out + "/pb.h", "w") as file:
        file.write("/* made by proto/gen_tables.py */\n#ifndef JG_PB_H\n#define JG_PB_H\n")
        for f in decl.files:
            file.write('#include "%s"\n' % f.name.replace(".proto", ".pb-c.h"))
        for f, message in decl.messages:
            camel, name = "Jingguan__V1__" + message.name, snake(message.name)
            if f.name.endswith("options.proto"):
                continue
            file.write("typedef %s pb_%s;\n#define PB_%s_INIT JINGGUAN__V1__%s__INIT\n#define pb_%s_desc jingguan__v1__%s__descriptor\n" % (
                camel, name, name.upper(), name.upper(), name, name))
        file.write("#endif\n")


def main():
    decl = Declarations(sys.argv[1], sys.argv[3])
    check_acyclic(decl)
    well_formed.check(decl, fail, text_max)
    header = ["/* made by proto/gen_tables.py */", "#ifndef JG_TABLES_H", "#define JG_TABLES_H", '#include "kind.h"']
    source = ["/* made by proto/gen_tables.py */", '#include "tables.h"', '#include "field_label.h"']
    source += ['#include "%s"' % f.name.replace(".proto", ".pb-c.h") for f in decl.files]
    for part in (bounds, checks, roles, kinds, methods):
        part(decl, header, source)
    labels(decl, source)
    short_names(decl, sys.argv[2])
    code_lists(decl, header, source, sys.argv[2])
    header.append("#endif")
    for name, lines in (("tables.h", header), ("tables.c", source)):
        with open(sys.argv[2] + "/" + name, "w") as out:
            out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
