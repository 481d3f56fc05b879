/* set_paper.c - papers for test_typeset.py and test_format_check.py: each line of the input is a document
 * as JSON with "path", and is printed there; {"title", "names"} alone is answered with the title's lines,
 * {"docx"} with its faults. One line of JSON comes back for each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "format_check.h"
#include "gbt9704.h"
#include "title_break.h"
#include "word_ends.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static struct draft_list list_of(const json_t *o, const char *key)
{
	const json_t *array = json_object_get(o, key);
	struct draft_list list = {
		calloc(json_array_size(array) + 1, sizeof *list.items), json_array_size(array)};

	for (size_t i = 0; i < list.n; i++)
		list.items[i] = json_string_value(json_array_get(array, i));
	return list;
}

static json_t *title_lines(const json_t *o)
{
	struct draft_list names = list_of(o, "names");
	bool inside[WORD_ENDS_MAX + 1];
	struct title_words words = {names.items, names.n, NULL, 0, inside};
	const char *title = text_of(o, "title");
	size_t ends[TITLE_LINES_MAX], n, from = 0;
	json_t *lines = json_array();

	word_ends(title, inside);
	n = title_break(title, &words, ends);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(lines, json_stringn(title + from, ends[i] - from));
		from = ends[i];
	}
	free(names.items);
	return lines;
}

static json_t *paper(const json_t *o)
{
	struct draft_list to = list_of(o, "to"), cc = list_of(o, "cc"),
			  attachments = list_of(o, "attachments"), present = list_of(o, "present"),
			  excused = list_of(o, "excused"), observers = list_of(o, "observers"),
			  body = list_of(o, "body"), names = list_of(o, "names");
	const json_t *texts = json_object_get(o, "texts");
	struct draft draft = {.title = text_of(o, "title"),
		.urgency = text_of(o, "urgency"),
		.note = text_of(o, "note"),
		.contact = text_of(o, "contact"),
		.phone = text_of(o, "phone"),
		.to = to,
		.cc = cc,
		.attachments = attachments,
		.present = present,
		.excused = excused,
		.observers = observers,
		.paragraphs = body.items,
		.paragraph_count = body.n};
	struct gbt_attachment *set = calloc(json_array_size(texts) + 1, sizeof *set);
	struct gbt9704 doc = {.layout = (enum gbt_layout)json_integer_value(json_object_get(o, "layout")),
		.organ = text_of(o, "organ"),
		.number = text_of(o, "number"),
		.signer = text_of(o, "signer"),
		.copy_number = text_of(o, "copy_number"),
		.plain = json_is_true(json_object_get(o, "plain")),
		.dated = (int32_t)json_integer_value(json_object_get(o, "dated")),
		.printed = (int32_t)json_integer_value(json_object_get(o, "printed")),
		.printer = text_of(o, "printer"),
		.practice = json_is_true(json_object_get(o, "practice")),
		.draft = &draft,
		.attachments = set,
		.attachment_count = json_array_size(texts),
		.names = names.items,
		.name_count = names.n};
	struct problem p;
	unsigned pages = 0;

	for (size_t i = 0; i < doc.attachment_count; i++) {
		const json_t *a = json_array_get(texts, i);
		set[i] = (struct gbt_attachment){(unsigned)json_integer_value(json_object_get(a, "number")),
			text_of(a, "title"), text_of(a, "body")};
	}
	enum err e = gbt9704_print(text_of(o, "path"), &doc, &pages, &p);
	struct draft_list lists[] = {to, cc, attachments, present, excused, observers, body, names};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		free(lists[i].items);
	free(set);
	return json_pack("{s:s, s:i}", "err", err_info((int)e)->name, "pages", (int)pages);
}

static json_t *faults(const json_t *o)
{
	struct arena arena;
	struct format_report report;
	struct problem p = {0};
	json_t *out = json_array();

	arena_init(&arena, 64u << 20);
	enum err e = format_check(text_of(o, "docx"), &report, &arena, &p);
	for (size_t i = 0; !e && i < report.n; i++)
		json_array_append_new(out,
			json_pack("{s:s, s:i, s:s, s:s}", "fault", report.faults[i].fault, "paragraph",
				(int)report.faults[i].paragraph, "text", report.faults[i].text, "mend",
				report.faults[i].mend));
	json_t *answer = json_pack("{s:s, s:s, s:s, s:o}", "err", err_info((int)e)->name, "message",
		p.message, "hint", p.hint, "faults", out);
	arena_free(&arena);
	return answer;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		json_t *o = json_loads(line, 0, NULL);
		json_t *answer = json_object_get(o, "path") ? paper(o)
			: json_object_get(o, "docx")        ? faults(o)
							    : title_lines(o);
		char *text = json_dumps(answer, JSON_ENSURE_ASCII);
		puts(text);
		fflush(stdout);
		free(text);
		json_decref(answer);
		json_decref(o);
	}
	free(line);
	return 0;
}
