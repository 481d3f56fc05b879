#include "orders.h"

#include <string.h>

#include "clock.h"
#include "codes.h"
#include "decide.h"
#include "document_number.h"
#include "lang.h"
#include "outbox.h"
#include "tables.h"

const uint32_t orders_kinds[] = {KIND_ORDER_COPY, 0};

const struct shown_list shown_orders = {.name = "shown_orders", .act = "list_orders", .kinds = orders_kinds};

/* As SQL school_order_state has it; an answer that is not sent yet counts. */
const char *order_state(const struct record *d)
{
	char end[32];

	if (record_has(d, F_ORDER_COPY_ENDED)) {
		record_text(d, F_ORDER_COPY_ENDED, end, sizeof end);
		const struct code_item *item = code_item(&codes_order_state, end);
		return item ? item->code : "closed";
	}
	if (!record_has(d, F_ORDER_COPY_ANSWERED_AT))
		return "open";
	return record_has(d, F_ORDER_COPY_JUDGED_FOR) &&
			record_number(d, F_ORDER_COPY_JUDGED_FOR) ==
				record_number(d, F_ORDER_COPY_ANSWERED_AT)
		? "returned"
		: "answered";
}

static bool waits(const struct record *d)
{
	const char *state = order_state(d);

	return strcmp(state, "open") == 0 || strcmp(state, "returned") == 0;
}

const char *order_lamp(const struct record *d, int64_t now_us)
{
	int64_t at = waits(d) || !record_has(d, F_ORDER_COPY_ANSWERED_AT)
		? now_us
		: record_number(d, F_ORDER_COPY_ANSWERED_AT);

	if (at >= record_number(d, F_ORDER_COPY_DUE))
		return "red";
	if (at >= record_number(d, F_ORDER_COPY_WARN_AT))
		return "yellow";
	return "green";
}

struct item *orders_find(struct view *v, const char *text)
{
	char id[37], of[37];
	size_t n;
	char number[DOCUMENT_NUMBER_SIZE];

	text = document_number_typed(number, text);
	for (size_t i = 0; i < v->n; i++) {
		struct item *item = v->items[i];
		if (!item->live || item->record.kind->number != KIND_ORDER_COPY)
			continue;
		const struct value *order = &item->record.value[F_ORDER_COPY_ORDER_ID];
		id_format(id, item->id);
		n = order->len;
		if (n == ID_SIZE)
			id_format(of, order->data);
		if (record_is(&item->record, F_ORDER_COPY_NUMBER, text) || strcmp(id, text) == 0 ||
			(n == ID_SIZE && strcmp(of, text) == 0))
			return item;
	}
	return NULL;
}

enum err orders_answer(
	struct view *v, struct item *item, const char *answer, int64_t now_us, struct problem *p)
{
	struct record want = item->record;

	if (!waits(&item->record))
		return problem_set(p, ERR_NOT_NOW, "answer", NULL, _("这件重点交办%s，现在不用回复"),
			code_name(&codes_order_state, order_state(&item->record)));
	record_set_number(&want, F_ORDER_COPY_ANSWERED_AT, now_us);
	record_set_text(&want, F_ORDER_COPY_ANSWERED_BY, v->store->profile->session.user);
	record_set_text(&want, F_ORDER_COPY_ANSWER, answer);
	return decide_anew(v, item, &want, p);
}

void orders_todo(struct todo_list *l)
{
	char number[64], title[256];

	for (size_t i = 0; i < l->view->n; i++) {
		const struct item *item = l->view->items[i];
		const struct record *d = &item->record;
		if (!item->live || d->kind->number != KIND_ORDER_COPY || !waits(d))
			continue;
		record_text(d, F_ORDER_COPY_NUMBER, number, sizeof number);
		record_text(d, F_ORDER_COPY_TITLE, title, sizeof title);
		todo_add(l, "order", "answer_order", number, 1, record_number(d, F_ORDER_COPY_DUE),
			strcmp(order_state(d), "returned") == 0 ? _("县局退回了重点交办的回复 %s %s")
								: _("待回复的重点交办 %s %s"),
			number, title);
	}
}
