"""What gen_tables.py refuses of a declaration before it makes anything of it: each rule is one that the code which walks the tables rests on
(common/kind.h). Every refusal is a sentence that names the message, the field and what is the matter."""
import re

BOOL, TEXT, BYTES, INT32, INT64 = 8, 9, 12, 5, 3
SCHOOL_OWNED, COUNTY_OWNED, SERVER_OWNED = 1, 2, 3
CLASS_TEACHER = 2
ARGUMENT = {"codes", "multi", "range", "decimal", "ref"} # checks that take one behind a colon, and no other does
FIXED = {"uuid", "sha", "ref"}                          # what they check has one length
FIELD_NUMBER_MAX, COUNT_MAX, REQUEST_MAX, CHAIN_MAX = 1000, 1 << 20, 1 << 20, 3
# The header of every record (sql/migrations/0025_record_table.sql), and the words that PostgreSQL takes for no column without quotes.
HEADER = {"county", "rec_id", "owner_school", "other_school", "ver", "gver", "deleted", "nkey", "ext"}
RESERVED = set("""all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column concurrently
constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default deferrable desc distinct
do else end except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like
limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right select session_user
similar some symmetric table tablesample then to trailing true union unique user using variadic verbose when where window with""".split())


class Check:
    def __init__(self, decl, fail, text_max):
        self.decl, self.fail, self.text_max = decl, fail, text_max
        self.lists = {}
        extension = decl.extension("code_list")
        cls = decl.factory.GetPrototype(decl.pool.FindMessageTypeByName("google.protobuf.FileOptions"))
        for file in decl.files:
            for rule in cls.FromString(file.options.SerializeToString()).Extensions[extension]:
                self.lists[rule.name] = [item.code for item in rule.item]
        self.kinds = [(m, rule) for m, rule in ((m, decl.options(m, "MessageOptions", "kind")) for _, m in decl.messages) if rule is not None]

    # ---- messages and methods ----

    def messages(self):
        for file, message in self.decl.messages:
            if message.nested_type: # a map is one too
                self.fail("%s.%s stands within a message: declare it beside; a map is a repeated message" % (message.name, message.nested_type[0].name))
            if message.oneof_decl:
                self.fail("%s has a oneof: absent and empty are the same here, and a choice is a field of its own" % message.name)
            for field in message.field:
                where = "%s.%s" % (message.name, field.name)
                if field.label == 2 or field.HasField("default_value"):
                    self.fail(where + " is required or has a default of protobuf's: the rule says what must be there")
                count = self.decl.options(field, "FieldOptions", "max_count") or 0
                if count > COUNT_MAX:
                    self.fail("%s may be there at most %d times" % (where, COUNT_MAX))
                name, _, argument = (self.decl.options(field, "FieldOptions", "check") or "").partition(":")
                if (name in ("text", "max", "codes")) != bool(argument) or (name in ("text", "max") and not argument.isdigit()):
                    self.fail("%s: the check %s wants a number behind its colon, codes a list, and no other anything" % (where, name))

    def methods(self):
        for file in self.decl.files:
            for service in file.service:
                for method in service.method:
                    rule = self.decl.options(method, "MethodOptions", "call")
                    if rule is None:
                        continue # gen_tables.py says so
                    where = service.name + "." + method.name
                    if not 0x0100 <= rule.number <= 0xFFFF:
                        self.fail("%s: methods are numbered from 0x0100 to 0xffff" % where)
                    if rule.request_max > REQUEST_MAX:
                        self.fail("%s: a request has at most %d bytes, one frame" % (where, REQUEST_MAX))
                    if rule.streamed and rule.writes:
                        self.fail("%s is streamed and writes: nobody knows what stands when its pages end early" % where)

    # ---- kinds ----

    def kind(self, message, rule):
        name = message.name
        if not message.field:
            self.fail(name + " has no field")
        self.fields = {f.name: f for f in message.field}
        self.rules = {f.name: self.decl.options(f, "FieldOptions", "rule") for f in message.field}
        for field, said in self.rules.items():
            if said is None:
                self.fail("%s.%s has no rule" % (name, field))
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", rule.table) or rule.table in RESERVED:
            self.fail("%s: its table %r is no name of small letters, or a word of SQL" % (name, rule.table))
        if [r.table for _, r in self.kinds].count(rule.table) > 1:
            self.fail("%s: another kind has the table %s" % (name, rule.table))
        if rule.owner not in (SCHOOL_OWNED, COUNTY_OWNED, SERVER_OWNED):
            self.fail(name + " has no owner")
        if not rule.label or not rule.label_en:
            self.fail(name + " has no label and label_en")
        self.writers(name, rule)
        for field in message.field:
            self.field(name, field, rule)
        self.twice(name)
        self.groups(name, rule)
        self.key(name, rule)
        self.lineage(name, rule)
        self.classes(name, rule)
        self.hidden(name, rule)

    def writers(self, name, rule):
        pushed = any(r.school_writes for r in self.rules.values())
        if rule.owner == COUNTY_OWNED and rule.writer:
            self.fail(name + " is the county's, and no school writes it")
        if rule.owner == SCHOOL_OWNED and not rule.writer:
            self.fail(name + " is a school's, and nobody writes it")
        if rule.owner == SERVER_OWNED and bool(rule.writer) != pushed:
            self.fail(name + " is the server's: who writes it and what he may (school_writes) go together")
        if rule.owner != SERVER_OWNED and pushed:
            self.fail(name + ": school_writes is for what the server owns; of its own kind a school writes all")
        if any(r.other for r in self.rules.values()) and rule.writer and not rule.guard:
            self.fail(name + " has fields for another school, is written by schools, and has no guard that says which")
        if CLASS_TEACHER in rule.writer and not rule.of and "class_no" not in self.fields:
            self.fail(name + ": a class teacher writes for his classes only, and it has neither class_no nor `of`")

    def field(self, name, field, kind):
        where, rule = "%s.%s" % (name, field.name), self.rules[field.name]
        check, _, argument = rule.check.partition(":")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", field.name):
            self.fail(where + ": fields are named in small letters")
        if field.name in HEADER or field.name in RESERVED:
            self.fail(where + " has a name of the header of every record, or a word of SQL")
        if not 1 <= field.number <= FIELD_NUMBER_MAX:
            self.fail("%s: fields are numbered from 1 to %d" % (where, FIELD_NUMBER_MAX))
        if not rule.label or not rule.label_en:
            self.fail(where + " has no label and label_en")
        if (check in ARGUMENT) != bool(argument):
            self.fail("%s: the check %s %s" % (where, check, "wants something behind a colon" if check in ARGUMENT else "takes nothing behind a colon"))
        if rule.max_bytes and (field.type not in (TEXT, BYTES) or (check in FIXED and rule.max_bytes != (32 if check == "sha" else 16))):
            self.fail(where + ": max_bytes is for text and bytes of any length")
        if check == "range":
            self.range(where, field, argument)
        if check in ("codes", "multi") and argument in self.lists:
            lengths = [len(code.encode()) for code in self.lists[argument]]
            most = max(lengths) if check == "codes" else sum(lengths) + len(lengths) - 1
            if most > self.text_max(rule):
                self.fail("%s: codes of %s have up to %d bytes, and it takes %d" % (where, argument, most, self.text_max(rule)))
        if rule.ordinal and (field.type not in (INT32, INT64) or not kind.of or field.name not in kind.key):
            self.fail(where + " is an ordinal: a number in the key of a kind that hangs on another (`of`)")

    def range(self, where, field, argument):
        found = re.fullmatch(r"(\d+)-(\d+)", argument)
        most = (1 << (31 if field.type == INT32 else 63)) - 1
        if not found or int(found[1]) > int(found[2]) or int(found[2]) > most:
            self.fail("%s: the range %s is not FROM-TO, from the lower to the higher, within its type" % (where, argument))

    def twice(self, name):
        seen = {}
        for field, rule in self.rules.items():
            words = list(rule.column) or [rule.label]
            if len(set(words)) < len(words):
                self.fail("%s.%s names a column twice" % (name, field))
            for word in words:
                if word in seen:
                    self.fail("%s.%s and %s.%s are both the column %s of people's files" % (name, seen[word], name, field, word))
                seen[word] = field
        for label in (lambda r: r.label, lambda r: r.label_en):
            said = [label(r) for r in self.rules.values()]
            for word in said:
                if said.count(word) > 1:
                    self.fail("%s has two fields that are called %s" % (name, word))

    def groups(self, name, rule):
        groups = {}
        for field, said in self.rules.items():
            groups.setdefault(said.group, []).append(said)
        if sorted(groups) != list(range(1, len(groups) + 1)):
            self.fail("%s: its groups are numbered from 1 without a gap" % name)
        for number, all_of in groups.items():
            if len({said.merge == 2 for said in all_of}) > 1:
                self.fail("%s: group %d merges in two ways" % (name, number))
            if len({said.school_writes for said in all_of}) > 1:
                self.fail("%s: a school writes all of group %d or nothing of it" % (name, number))

    def key(self, name, rule):
        fields = []
        for part in rule.key:
            alternatives = part.split("|")
            for field in alternatives:
                if field not in self.fields:
                    self.fail("%s: its key names %r, which is no field" % (name, field))
            if len(alternatives) > 2:
                self.fail("%s: a part of the key is one field or the first of two that is set" % name)
            if len({self.fields[f].type for f in alternatives}) > 1:
                self.fail("%s: the two that one part of the key names are of one type" % name)
            fields += alternatives
        for field in fields:
            if fields.count(field) > 1 or self.fields[field].type == BOOL:
                self.fail("%s: its key names %s twice, or a yes or no" % (name, field))

    def lineage(self, name, rule):
        if rule.of and rule.of in self.fields:
            said = self.rules[rule.of]
            if self.fields[rule.of].type != BYTES or said.check != "uuid" or not said.required:
                self.fail("%s.%s names what it hangs on: bytes with the check uuid, required" % (name, rule.of))
        if len(set(rule.on)) < len(rule.on):
            self.fail(name + ": `on` names a table twice")
        if rule.addressee and rule.addressee in self.fields and (self.fields[rule.addressee].type != TEXT or self.rules[rule.addressee].check != "school_code"):
            self.fail("%s.%s names a school: text with the check school_code" % (name, rule.addressee))
        self.chain(rule.table, [])

    def chain(self, table, path):
        if table in path:
            self.fail("%s hangs on itself: %s" % (path[0], " on ".join(path[path.index(table):] + [table])))
        if len(path) > CHAIN_MAX:
            self.fail("%s: more than %d steps up to what hangs on nothing" % (path[0], CHAIN_MAX))
        for _, rule in self.kinds:
            if rule.table == table:
                for above in rule.on:
                    self.chain(above, path + [table])

    def classes(self, name, rule):
        for field in ("class_no", "grade", "cert_no", "student_no"):
            if field in self.fields and self.fields[field].type != TEXT:
                self.fail("%s.%s is text, as in every register" % (name, field))
        if rule.grade and rule.grade not in self.lists.get("grade", []):
            self.fail("%s: its grade %s is not of the list" % (name, rule.grade))

    def hidden(self, name, rule):
        if not rule.hidden:
            return
        field, _, value = rule.hidden.partition("=")
        if field not in self.fields or not value or "=" in value or self.fields[field].type != TEXT:
            self.fail("%s: hidden is field=value, of a text" % name)
        check, _, argument = self.rules[field].check.partition(":")
        if check == "codes" and value not in self.lists.get(argument, [value]):
            self.fail("%s: %s is no code of %s" % (name, value, argument))


def check(decl, fail, text_max):
    c = Check(decl, fail, text_max)
    c.messages()
    c.methods()
    for message, rule in c.kinds:
        c.kind(message, rule)
