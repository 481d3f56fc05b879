#include "evidence.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "blobs.h"
#include "file_name.h"
#include "file_type.h"
#include "lang.h"
#include "outbox.h"
#include "client_service.h"
#include "tables.h"
#include "text.h"
#include "way.h"

#define NAME_SIZE 256 /* bytes of a file's name on every file system we meet */

size_t evidence_count(const struct view *v, const uint8_t target[ID_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		const struct value *to = &item->record.value[F_EVIDENCE_TARGET];
		n += item->live && item->record.kind->number == KIND_EVIDENCE &&
			record_has(&item->record, F_EVIDENCE_TARGET) && to->len == ID_SIZE &&
			memcmp(to->data, target, ID_SIZE) == 0;
	}
	return n;
}

enum err evidence_attach(
	struct view *v, const uint8_t target[ID_SIZE], const char *path, int64_t batch, struct problem *p)
{
	char name[FILE_NAME_TEXT_MAX];
	struct record want;
	struct item *item;
	uint8_t sha[HASH_SIZE];
	size_t size;
	enum err e = blob_add(v->store, path, false, sha, &size, p);

	if (e)
		return e;
	record_init(&want, kind_by_number(KIND_EVIDENCE));
	record_set_bytes(&want, F_EVIDENCE_TARGET, target, ID_SIZE);
	record_set_bytes(&want, F_EVIDENCE_SHA, sha, HASH_SIZE);
	record_set_number(&want, F_EVIDENCE_SIZE, (int64_t)size);
	file_name_text(name, sizeof name, path);
	record_set_text(&want, F_EVIDENCE_NAME, arena_text(&v->arena, name, strlen(name)));
	item = view_find_key(v, &want, true);
	return item ? ERR_OK : outbox_put(v, &item, &want, UINT32_MAX, batch, p);
}

static bool is_file_in(const char *dir, const char *name, char *path, size_t size)
{
	struct stat st;

	if (!*name || strchr(name, '/') || strchr(name, '\\') || strcmp(name, ".") == 0 ||
		strcmp(name, "..") == 0)
		return false;
	snprintf(path, size, "%s/%s", dir, name);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool evidence_doubt(const char *path, struct problem *p)
{
	char name[FILE_NAME_TEXT_MAX];
	const char *is;

	if (!file_type_differs(path, &is))
		return false;
	file_name_text(name, sizeof name, path);
	problem_set(p, ERR_INVALID, NULL,
		way_hint(_("附错了就撤去它（%s），换对的文件再附"), way("list_evidence")),
		_("%s 的内容其实是%s，县局可能打不开"), name, is);
	return true;
}

enum err evidence_attach_names(struct view *v, const uint8_t target[ID_SIZE], const char *dir,
	const char *names, int64_t batch, struct problem *doubt, struct problem *p)
{
	static const char wide[] = "；";
	char name[NAME_SIZE], path[NAME_SIZE + 512];
	enum err e = ERR_OK;

	while (!e && *names) {
		const char *semicolon = strchr(names, ';'), *full = strstr(names, wide);
		const char *end = semicolon && (!full || semicolon < full) ? semicolon : full;
		size_t n = end ? (size_t)(end - names) : strlen(names);
		snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int)n : 0, names);
		text_clean(name, sizeof name, name);
		if (is_file_in(dir, name, path, sizeof path)) {
			e = evidence_attach(v, target, path, batch, p);
			evidence_doubt(path, doubt);
		}
		names += n + (end ? end == full ? strlen(wide) : 1 : 0);
	}
	return e;
}

const struct shown_list shown_evidence = {
	.name = "shown_evidence",
	.act = "list_evidence",
	.kinds = (const uint32_t[]){KIND_EVIDENCE, 0},
};

const struct client_service client_evidence = {
	.name = "evidence",
	.kinds = (const uint32_t[]){KIND_EVIDENCE, 0},
	.shown = (const struct shown_list *const[]){&shown_evidence, NULL},
};
