/* Covers common/rules/draft.c, draft_rules.c, draft_digest.c and document_number.c: any bytes read as a
 * draft, judged, hashed and compared with itself; and each line as a number. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document_number.h"
#include "draft_digest.h"
#include "draft_rules.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct draft_organ organs[] = {{"县政府", RELATION_SUPERIOR}, {"省厅", RELATION_HIGHER},
	{"县公安局", RELATION_PEER}, {"城关办", RELATION_BELOW}};

static unsigned school(void *context, const char *code)
{
	(void)context;
	return code[0] == '2' ? STAGE_PRIMARY : 0;
}

static bool received(void *context, const char *number)
{
	struct document_number read;

	(void)context;
	return document_number_parse(&read, number) == NUMBER_OK;
}

/* Touches every text, so that a sanitizer sees what lies outside. */
static size_t list_walk(const struct draft_list *list)
{
	size_t sum = 0;

	if (list->n > DRAFT_LIST_MAX)
		abort();
	for (size_t i = 0; i < list->n; i++) {
		if (!*list->items[i])
			abort();
		sum += strlen(list->items[i]);
	}
	return sum;
}

/* The paragraphs are the body. */
static void body_walk(const struct draft *d)
{
	const char *at = d->body;

	for (size_t i = 0; i < d->paragraph_count; i++) {
		size_t n = strlen(d->paragraphs[i]);
		if (!n || strncmp(at, d->paragraphs[i], n) != 0 || at[n] != '\n')
			abort();
		at += n + 1;
	}
	if (*at || text_forbidden(d->title, strlen(d->title)))
		abort();
}

static void numbers_walk(const struct draft *d)
{
	char out[DOCUMENT_NUMBER_SIZE];
	struct document_number number;
	struct archive_number archive;

	for (size_t i = 0; i < d->paragraph_count; i++) {
		if (document_number_parse(&number, d->paragraphs[i]) == NUMBER_OK &&
			(document_number_format(out, sizeof out, number.series, number.year, number.n) ||
				strcmp(out, d->paragraphs[i]) != 0))
			abort();
		archive_number_parse(&archive, d->paragraphs[i]);
	}
}

static void draft_walk(const struct draft *d, struct arena *arena)
{
	static const struct draft_file_hash file = {"名单.pdf", {1}};
	static const struct draft_file attached = {"名单.pdf", FILE_SOUND};
	struct draft_facts facts = {.own = "洪城县教育局",
		.organs = organs,
		.organ_count = sizeof organs / sizeof *organs,
		.files = &attached,
		.file_count = 1,
		.school = school,
		.received = received};
	struct draft_version version = {d, &file, 1};
	struct draft_refusal refusal;
	uint8_t hash[HASH_SIZE];
	const char *key;
	bool same;

	draft_judge(d, &facts, DRAFT_READ, &refusal);
	draft_judge(d, &facts, DRAFT_SUBMIT, &refusal);
	if (draft_same_substance(&same, &version, &version, arena) == ERR_OK && !same)
		abort();
	draft_digest(hash, d, &file, 1, arena);
	for (size_t i = 0; i < d->question_count; i++) {
		list_walk(&d->questions[i].choices);
		draft_question_key(&key, d->questions[i].label, d->questions[i].period, arena);
	}
	if (draft_cost(d, &draft_minutes_default) < 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct problem p;
	struct arena arena;
	struct draft d;

	arena_init(&arena, 16u << 20);
	if (draft_parse(&d, (const char *)bytes, n, &arena, &p) == ERR_OK) {
		list_walk(&d.to);
		list_walk(&d.attachments);
		body_walk(&d);
		numbers_walk(&d);
		draft_walk(&d, &arena);
	}
	arena_free(&arena);
	return 0;
}
