#include "report.h"

#include "lang.h"
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_say(const struct report *r, const char *format, ...)
{
	va_list args;

	if (r->json)
		return;
	va_start(args, format);
	say_line(stdout, format, args);
	va_end(args);
	fflush(stdout);
}

void report_set(struct report *r, const char *key, json_t *value)
{
	if (!r->out)
		r->out = json_object();
	json_object_set_new(r->out, key, value);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *error_document(const struct problem *p)
{
	return json_pack("{s{ss ss so so so sn sn}}", "error", "code", err_info((int)p->code)->name,
		"message", p->message, "safe", text_or_null(p->safe), "hint", text_or_null(p->hint), "field",
		text_or_null(p->field), "row", "ref");
}

/* Three lines, also where PostgreSQL says its part in several. */
static void one_line(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(" \n\r", text[n - 1]))
		text[--n] = 0;
	for (char *at = text; (at = strpbrk(at, "\n\r"));)
		*at = ' ';
}

/* Of these codes the message is a sentence; of the others it may be a path, or PostgreSQL's words. */
static bool message_says_all(enum err code)
{
	return code == ERR_USAGE || code == ERR_NOT_NOW || code == ERR_EXISTS || code == ERR_NOT_FOUND ||
		code == ERR_INVALID || code == ERR_MISSING;
}

int report_end(struct report *r, struct problem *p)
{
	const struct err_info *info = err_info((int)p->code);

	one_line(p->message);
	if (p->code) {
		const char *sentence = _(info->sentence);
		bool more = p->message[0] && strcmp(p->message, sentence) != 0,
		     alone = more && message_says_all(p->code);
		const char *const parts[] = {alone ? "" : sentence, more && !alone ? _("：") : "",
			more ? p->message : "", "\n", p->safe, "\n", p->hint, "\n"};
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
			say_text(stderr, parts[i]);
	}
	if (r->json && (p->code || r->out)) { /* serve that ended in order has said what it says */
		json_t *document = r->out ? json_incref(r->out) : error_document(p);
		json_dumpf(document, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(document);
	}
	json_decref(r->out);
	return info->exit_code;
}
