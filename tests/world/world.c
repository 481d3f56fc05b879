/* world put PROFILE KEY VALUE: makes one record of every kind that test_world.py generated, under this key,
 * and a child of this value on each that may have one, as one batch, and prints its number. world many
 * PROFILE N: N records of one kind. world count PROFILE: live records of each generated kind, and how many of
 * those have a live parent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "tables.h"

static bool is_generated(const struct kind *kind)
{
	return strncmp(kind->table, "world_", 6) == 0;
}

/* Two lines; of all kinds together more than a frame holds, so that a pull must part them. */
static const char *story(void)
{
	static char text[16 << 10];

	if (!text[0]) {
		strcpy(text, "第一行\n");
		while (strlen(text) + sizeof "第二行" < sizeof text)
			strcat(text, "第二行");
	}
	return text;
}

static void fill(struct record *r, const struct item *parent, const char *key, const char *value)
{
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];
		if ((int)i == r->kind->of)
			record_set_bytes(r, (int)i, parent->id, ID_SIZE);
		else if (strncmp(f->check, "multi:", 6) == 0)
			record_set_text(r, (int)i, "present,unknown");
		else if (strcmp(f->check, "long") == 0)
			record_set_text(r, (int)i, story());
		else if (f->type == FIELD_TEXT)
			record_set_text(r, (int)i, parent ? value : key);
		else if (f->type == FIELD_BYTES)
			record_set_bytes(r, (int)i, "0123456789abcdef", ID_SIZE);
		else
			record_set_number(r, (int)i, strcmp(f->check, "date") == 0 ? 20260901 : 1);
	}
}

static enum err put_one(struct view *v, const struct kind *kind, struct item *parent,
	const char *const texts[2], int64_t batch, struct item **made, struct problem *p)
{
	struct record want;

	*made = NULL;
	record_init(&want, kind);
	fill(&want, parent, texts[0], texts[1]);
	return outbox_put(v, made, &want, UINT32_MAX, batch, p);
}

static enum err put_all(struct view *v, const char *const texts[2], int64_t *batch, struct problem *p)
{
	struct batch_counts counts = {0};
	enum err e = batch_begin(v->store, "edit", "world", batch, p);

	for (size_t i = 0; !e && i < kind_count; i++) {
		struct item *parent, *child;
		if (!is_generated(&kind_table[i]) || kind_table[i].of >= 0)
			continue;
		e = put_one(v, &kind_table[i], NULL, texts, *batch, &parent, p);
		counts.inserted++;
		for (size_t k = 0; !e && k < kind_count; k++)
			if (kind_hangs_on(&kind_table[k], kind_table[i].number)) {
				e = put_one(v, &kind_table[k], parent, texts, *batch, &child, p);
				counts.inserted++;
			}
	}
	return e ? e : batch_end(v->store, *batch, &counts, p);
}

static enum err put_many(struct view *v, int n, int64_t *batch, struct problem *p)
{
	struct batch_counts counts = {0};
	enum err e = batch_begin(v->store, "edit", "world", batch, p);
	const struct kind *kind = kind_table;
	char key[16];

	while (!is_generated(kind) || kind->of >= 0)
		kind++;
	for (int i = 0; !e && i < n; i++) {
		struct item *made;
		snprintf(key, sizeof key, "many%d", i);
		e = put_one(v, kind, NULL, (const char *const[]){key, NULL}, *batch, &made, p);
		counts.inserted++;
	}
	return e ? e : batch_end(v->store, *batch, &counts, p);
}

static void count(const struct view *v)
{
	for (size_t k = 0; k < kind_count; k++) {
		size_t n = 0, hung = 0;
		if (!is_generated(&kind_table[k]))
			continue;
		for (size_t i = 0; i < v->n; i++) {
			const struct item *item = v->items[i], *on = NULL;
			if (!item->live || item->record.kind != &kind_table[k])
				continue;
			n++;
			if (kind_table[k].of >= 0)
				on = view_find_id(v, item->record.value[kind_table[k].of].data);
			hung += on && on->live;
		}
		printf("%s %zu %zu\n", kind_table[k].table, n, hung);
	}
}

int main(int argc, char **argv)
{
	struct profile profile;
	struct problem p = {0};
	struct store *store = NULL;
	struct view *v = NULL;
	int64_t batch = 0;
	bool puts_all = argc == 5 && strcmp(argv[1], "put") == 0,
	     puts_many = argc == 4 && strcmp(argv[1], "many") == 0;

	if (!puts_all && !puts_many && (argc != 3 || strcmp(argv[1], "count") != 0))
		return 2;
	enum err e = profile_open(&profile, argv[2], &p);
	if (!e)
		e = store_open(&store, &profile, &p);
	if (!e)
		e = view_load(&v, store, kinds_all, &p);
	if (!e && (puts_all || puts_many)) {
		e = store_begin(store, &p);
		if (!e)
			e = puts_all ? put_all(v, (const char *const[]){argv[3], argv[4]}, &batch, &p)
				     : put_many(v, atoi(argv[3]), &batch, &p);
		if (!e)
			e = store_commit(store, &p);
		printf("%lld\n", (long long)batch);
	} else if (!e) {
		count(v);
	}
	if (e)
		fprintf(stderr, "%s %s %s\n", err_info(e)->name, p.field, p.message);
	view_free(v);
	if (store)
		store_close(store);
	profile_close(&profile);
	return e ? 1 : 0;
}
