/* make_reference: prints proto/REFERENCE.md from the tables that the programs themselves walk, so that the
 * document cannot say anything else: errors, limits, methods, the checks of requests, the kinds of records,
 * the code lists. A test compares the two. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "codes.h"
#include "conf.h"
#include "dispatch.h"
#include "guesses.h"
#include "lang.h"
#include "password.h"
#include "pb.h"
#include "pki.h"
#include "push_plan.h"
#include "pending.h"
#include "tables.h"

static void errors(void)
{
	static const char *const levels[] = {"", "RETRY", "FIX", "REFUSED", "FATAL"};
	static const struct {
		int code;
		const char *name, *sentence;
		enum err_level level;
	} rows[] = {
#define X(name, number, level, exit_code, sentence, advice) {number, #name, sentence, ERR_LEVEL_##level},
#include "err.def"
#undef X
	};

	puts("## 1. Errors\n\n"
	     "What a client does about each level, and about the codes that steer a synchronisation, stands "
	     "in README.md §9.\n\n"
	     "| number | name | level | meaning |\n|---|---|---|---|");
	for (size_t i = 1; i < sizeof rows / sizeof *rows; i++)
		printf("| %d | %s | %s | %s |\n", rows[i].code, rows[i].name, levels[rows[i].level],
			_(rows[i].sentence));
}

static void limits(void)
{
	static const struct {
		const char *what;
		unsigned long long n;
		const char *unit, *per;
	} rows[] = {{"frame, header and body, after log-in", FRAME_MAX, "bytes", "frame"},
		{"frame, header and body, before log-in", FRAME_MAX_GREETING, "bytes", "frame"},
		{"body of HELLO", HELLO_MAX, "bytes", "frame"},
		{"body of PING and PONG", PING_MAX, "bytes", "frame"},
		{"calls not yet answered; one more is BUSY", CALLS_MAX, "calls", "connection"},
		{"handshake, from the accepted connection on", HANDSHAKE_MS, "ms", "connection"},
		{"HELLO, or the first call on the enrolment ALPN", GREETING_MS, "ms", "connection"},
		{"silence after which the connection is closed", IDLE_MS, "ms", "connection"},
		{"a frame that was begun and does not go on", STREAM_STALL_MS, "ms", "connection"},
		{"answers that are not read, without progress", STREAM_STALL_MS, "ms", "connection"},
		{"answers that are not read: the server stops reading", STREAM_PAUSE_BYTES, "bytes",
			"connection"},
		{"answers that are not read: the server closes", STREAM_CLOSE_BYTES, "bytes", "connection"},
		{"handshakes at work; others wait", HANDSHAKES_MAX, "handshakes", "loop"},
		{"a handshake after which one that waits takes its place", EVICT_MS, "ms", "loop"},
		{"connections that have not shaken hands", PENDING_MAX, "connections", "loop"},
		{"time of a call that names none (deadline 0, or longer than the longest)", DEADLINE_MS, "ms",
			"call"},
		{"longest time of a call", DEADLINE_MAX_MS, "ms", "call"},
		{"operations of a push", PUSH_OPS_MAX, "operations", "call"},
		{"operations of a push, together", PUSH_BYTES_MAX, "bytes", "call"},
		{"lines that a device may be ahead of a restored server", INCARNATIONS_LOST_MAX, "lines",
			"device"},
		{"changes in a page of a pull", PULL_PAGE_ROWS, "changes", "page"},
		{"wrong secrets for a code from one address; then BAD_CODE also for the right one",
			GUESSES_CODE, "tries", "server, address and code"},
		{"wrong secrets at once; one more BUSY", GUESSES_ADDRESS, "tries", "server and address"},
		{"one of them is forgotten each", GUESSES_ADDRESS_EVERY_MS, "ms", "server and address"},
		{"wrong secrets at once; one more BUSY", GUESSES_ALL, "tries", "server"},
		{"one of them is forgotten each", GUESSES_ALL_EVERY_MS, "ms", "server"},
		{"passwords to be checked that wait; one more is BUSY", HASH_QUEUE_MAX, "calls", "loop"},
		{"of them of one device", HASH_DEVICE_MAX, "calls", "loop and device"},
		{"password, at least", PASSWORD_MIN, "bytes", "password"},
		{"password, at most", PASSWORD_MAX, "bytes", "password"},
		{"passwords before the present one that do not come again", PASSWORD_HISTORY, "passwords",
			"account"},
		{"classes of a class teacher", CLASSES_MAX, "classes", "account"},
		{"certificate of a device", CERT_DAYS, "days", "certificate"}};

	puts("\n## 2. Limits\n\n"
	     "A server has one or more loops (setting `workers`); a connection belongs to one of them, and "
	     "nobody can tell which.\n\n"
	     "| what | limit | | counted for each |\n|---|---|---|---|");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		printf("| %s | %llu | %s | %s |\n", rows[i].what, rows[i].n, rows[i].unit, rows[i].per);
}

static void print_roles(uint32_t roles, const char *none)
{
	const char *before = "";

	for (size_t i = 0; i < role_count; i++)
		if (roles >> role_table[i].number & 1) {
			printf("%s%s", before, role_table[i].name);
			before = ", ";
		}
	if (!*before)
		fputs(none, stdout);
}

static void methods(void)
{
	static const char *const access[] = {"", "enrolling", "greeted", "session", "any session"};

	puts("\n## 3. Methods\n\n"
	     "`again`: the same bytes may be sent again when the outcome is unknown. Access as `Access` in "
	     "options.proto.\n\n"
	     "| number | method | access | roles | request, bytes | writes | again | streamed "
	     "|\n|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < method_count; i++) {
		const struct method *m = &method_table[i];
		printf("| 0x%04X | %s | %s | ", m->number, m->name, access[m->access]);
		print_roles(m->roles, m->access == ACCESS_SESSION ? "every" : "");
		printf(" | %u | %s | %s | %s |\n", m->request_max, m->writes ? "yes" : "",
			m->retry_safe ? "yes" : "", m->streamed ? "yes" : "");
	}
}

static void print_check(const char *check)
{
	char words[HINT_SIZE];

	if (strncmp(check, "codes:", 6) == 0)
		printf("a code of the list `%s`", check + 6);
	else if (strcmp(check, "secret") == 0)
		fputs("any characters: it is never shown", stdout);
	else
		fputs(check_words(check, words, sizeof words), stdout);
}

static void checks_of(const ProtobufCMessageDescriptor *d)
{
	const char *const *checks = message_checks(d);

	for (unsigned f = 0; checks && f < d->n_fields; f++)
		if (checks[f][0]) {
			printf("| %s | %s | ", d->short_name, d->fields[f].name);
			print_check(checks[f]);
			puts(" |");
		}
}

static void request_checks(void)
{
	puts("\n## 4. Checks of requests\n\n"
	     "A value that does not pass is refused with INVALID, its `field`, and a `hint` that says what "
	     "passes. Empty text and 0 count as not given.\n\n"
	     "| request | field | passes |\n|---|---|---|");
	checks_of(&pb_hello_desc);
	for (size_t i = 0; i < method_count; i++) {
		bool seen = false;
		for (size_t k = 0; k < i; k++)
			seen |= method_table[k].request == method_table[i].request;
		if (!seen)
			checks_of(method_table[i].request);
	}
}

static void print_key(const struct kind *k)
{
	for (size_t i = 0; i < k->key_count; i++) {
		printf("%s`%s`", i ? ", " : "", k->fields[k->key[i].field[0]].name);
		if (k->key[i].field[1] != k->key[i].field[0])
			printf(" or, when it is empty, `%s`", k->fields[k->key[i].field[1]].name);
	}
}

static void print_rule(const struct field *f)
{
	static const char *const types[] = {"text", "bytes", "int32", "int64", "bool"};

	printf("| %u | `%s` | %s | %s | %u | ", f->number, f->name, f->label_en, types[f->type], f->group);
	printf("%s | ", f->required && f->type != FIELD_BOOL ? "yes" : "");
	bool number = strcmp(f->check, "cert_no") == 0 || strcmp(f->check, "student_no") == 0;
	if (f->type == FIELD_TEXT && (number || !f->check[0] || strcmp(f->check, "class") == 0))
		printf("at most %u bytes%s", f->max_bytes, number ? "; " : "");
	if (strcmp(f->check, "uuid") == 0)
		fputs("16 bytes", stdout);
	else
		print_check(f->check);
	printf(" | %s | %s |\n", f->merge == MERGE_GUARDED ? "guarded" : "", f->other ? "yes" : "");
}

static void kinds(void)
{
	static const char *const owners[] = {"", "the school that made it", "the county", "the server"};

	puts("\n## 5. Records\n\n"
	     "Of a kind owned by the county or the server nobody pushes anything but the fields of the "
	     "groups marked *guarded*. `required` is asked of\n"
	     "the whole record as it stands after the operation; no bool can be missing. `other`: the field "
	     "is in what the other school receives.");
	for (size_t i = 0; i < kind_count; i++) {
		const struct kind *k = &kind_table[i];
		printf("\n### %u `%s`, %s\n\nOwner: %s. Pushed by: ", k->number, k->table, k->label_en,
			owners[k->owner]);
		print_roles(k->writers, "nobody");
		if (k->key_count) {
			printf(". Natural key: ");
			print_key(k);
		}
		if (k->of >= 0) {
			const char *before = "of kind";
			printf(". `%s` names a record ", k->fields[k->of].name);
			for (size_t t = 0; t < kind_count; t++)
				if (kind_hangs_on(k, kind_table[t].number)) {
					printf("%s %u", before, kind_table[t].number);
					before = " or";
				}
		}
		if (k->append_only)
			printf(". Never changed");
		if (k->permanent)
			printf(". Never deleted");
		puts(".\n\n| field | name | meaning | type | group | required | passes | merge | other "
		     "|\n|---|---|---|---|---|---|---|---|---|");
		for (size_t f = 0; f < k->field_count; f++)
			print_rule(&k->fields[f]);
	}
}

static void print_lists(void)
{
	puts("\n## 6. Code lists\n\nA field holds the code, never the word; upper and lower case are "
	     "different.");
	for (size_t i = 0; i < code_list_count; i++) {
		const struct code_list *list = code_lists[i].list;
		if (!code_lists[i].checked && !code_lists[i].about)
			continue;
		printf("\n**`%s`** (%s)%s%s:", code_lists[i].name, list->name,
			code_lists[i].about ? ", " : "", code_lists[i].about ? code_lists[i].about : "");
		for (size_t k = 0; k < list->n; k++)
			printf("%s `%s` %s %s", k ? " ·" : "", list->items[k].code, list->items[k].zh,
				list->items[k].en);
		puts("");
	}
}

int main(void)
{
	lang_set("en");
	puts("# Reference of the wire contract\n\n"
	     "Made from the tables that the programs walk; not written by hand: "
	     "`build/dev/tests/make_reference > proto/REFERENCE.md`, and a test fails\n"
	     "while it says anything else. README.md is the contract, this is its lists.\n");
	errors();
	limits();
	methods();
	request_checks();
	kinds();
	print_lists();
	return 0;
}
