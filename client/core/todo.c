#include "todo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "blobs.h"
#include "date.h"
#include "lang.h"
#include "outbox.h"
#include "client_service.h"

int64_t todo_end_of_day(int32_t date)
{
	return date ? ((int64_t)date_days(date) + 1) * 86400000000 - 8 * 3600000000 : 0;
}

void todo_add(struct todo_list *l, const char *what, const char *act, const char *of, size_t count,
	int64_t due, const char *text, ...)
{
	va_list args;

	if (l->n == TODO_MAX)
		return;
	struct todo *t = &l->list[l->n++];
	*t = (struct todo){.what = what, .act = act, .due = due, .count = count, .at = l->n};
	snprintf(t->of, sizeof t->of, "%s", of ? of : "");
	va_start(args, text);
	vsnprintf(t->text, sizeof t->text, text, args);
	va_end(args);
}

static enum err add_outbox(struct todo_list *l, struct problem *p)
{
	struct store *store = l->view->store;
	struct outbox_counts counts;
	struct blob_counts files;
	enum err e = outbox_counts(store, &counts, p);

	if (!e)
		e = blob_counts(store, &files, p);
	if (e)
		return e;
	if (counts.of[OP_CONFLICT])
		todo_add(l, "conflicts", "conflicts", NULL, counts.of[OP_CONFLICT], 0,
			_("%zu 项修改与他人冲突，等您决定"), counts.of[OP_CONFLICT]);
	size_t back = counts.of[OP_REFUSED] + counts.of[OP_BLOCKED] + counts.of[OP_DRAFT];
	if (back)
		todo_add(l, "refused", "outbox", NULL, back, 0, _("%zu 项没有被接受，需要改正或撤回"), back);
	if (counts.unsent + files.waiting)
		todo_add(l, "sync", "sync", NULL, counts.unsent, 0, _("%zu 项修改和 %zu 个文件还没有发出"),
			counts.unsent, files.waiting);
	return ERR_OK;
}

static int by_due(const void *a, const void *b)
{
	const struct todo *x = a, *y = b;

	/* What has no date is about work that is stuck on this computer: it comes first. */
	int order = (x->due > y->due) - (x->due < y->due);
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

enum err todo_collect(struct todo_list **out, struct view *v, struct problem *p)
{
	struct todo_list *l = calloc(1, sizeof *l);
	enum err e = l ? ERR_OK : problem_set(p, ERR_NOMEM, NULL, NULL, NULL);

	*out = l;
	if (e)
		return e;
	l->view = v;
	e = add_outbox(l, p);
	for (size_t i = 0; !e && client_services[i]; i++)
		if (client_services[i]->todo)
			e = client_services[i]->todo(l, p);
	qsort(l->list, l->n, sizeof *l->list, by_due);
	return e;
}
