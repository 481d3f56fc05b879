/* Which orders there are: a read of one trip; the lamp is of the moment that asks. */
#include <string.h>

#include "clock.h"
#include "codes.h"
#include "documents_calls.h"
#include "reminder.h"

/* Leaders, the office and the inspectors see all, others what they gave, were given or may read by its
 * paper. */
static const struct db_stmt select_orders = {
	"WITH x AS MATERIALIZED (SELECT o.*, coalesce(d.number, m.number, '') AS doc_number, coalesce(d.mark,"
	" '') AS mark, coalesce(s.name, '') AS to_name"
	" FROM document_order o"
	" LEFT JOIN document d ON d.county = o.county AND d.id = o.matter"
	" LEFT JOIN meeting m ON m.county = o.county AND m.id = o.matter"
	" LEFT JOIN school s ON s.county = o.county AND s.code = o.to_who AND NOT s.deleted AND o.is_school"
	" WHERE o.county = app_county() AND ($4::text = '' OR o.state = $4::text)"
	" AND ($3::text = '' OR o.matter = (SELECT matter_find($3::text))))"
	" SELECT x.id, x.number, x.matter, x.doc_number, x.title, x.to_who, x.to_name, x.state, x.due,"
	" x.answered_at, x.answer,"
	" x.adder, x.made_at"
	" FROM x WHERE document_may_read(x.matter, x.mark, $1::text)"
	" AND ($2::boolean OR $1::text IN (x.adder, x.to_who) OR document_is_in(x.matter, $1::text))"
	" ORDER BY x.year, x.n"};
enum {
	L_ID,
	L_NUMBER,
	L_MATTER,
	L_DOC_NUMBER,
	L_TITLE,
	L_TO,
	L_TO_NAME,
	L_STATE,
	L_DUE,
	L_ANSWERED_AT,
	L_ANSWER,
	L_ADDER,
	L_MADE_AT
};

struct orders {
	const PGresult *t;
	struct document_surroundings around;
};

static bool fill_row(struct request *r, struct orders *x, int i, pb_order_row *row)
{
	const struct document_world *w = &x->around.world;
	int64_t made = db_get_int(x->t, i, L_MADE_AT);
	const struct workday_calendar *calendar = world_calendar(r, &x->around, made);
	char id[37];
	size_t n;

	if (!calendar)
		return false;
	*row = (pb_order_row)PB_ORDER_ROW_INIT;
	id_format(id, db_get_bytes(x->t, i, L_ID, &n));
	row->id = arena_text(&r->arena, id, 36);
	id_format(id, db_get_bytes(x->t, i, L_MATTER, &n));
	row->doc = arena_text(&r->arena, id, 36);
	row->number = (char *)document_text(r, db_get_text(x->t, i, L_NUMBER));
	row->doc_number = (char *)document_text(r, db_get_text(x->t, i, L_DOC_NUMBER));
	row->title = (char *)document_text(r, db_get_text(x->t, i, L_TITLE));
	row->to = (char *)document_text(r, db_get_text(x->t, i, L_TO));
	row->to_name = (char *)document_text(r, db_get_text(x->t, i, L_TO_NAME));
	if (!*row->to_name)
		row->to_name = (char *)document_name_of(w, row->to);
	row->state = (char *)document_text(r, db_get_text(x->t, i, L_STATE));
	row->answer = (char *)document_text(r, db_get_text(x->t, i, L_ANSWER));
	row->adder_name = (char *)document_name_of(w, document_text(r, db_get_text(x->t, i, L_ADDER)));
	row->has_due = row->has_answered_at = 1;
	row->due = db_get_int(x->t, i, L_DUE);
	row->answered_at = db_get_int(x->t, i, L_ANSWERED_AT);
	/* While it waits for its addressee: what was answered is in time or late for good. */
	bool waits = strcmp(row->state, "open") == 0 || strcmp(row->state, "returned") == 0;
	int64_t at = waits || !row->answered_at ? w->now : row->answered_at;
	row->lamp = (char *)codes_lamp
			    .items[reminder_lamp(
				    calendar, row->due, at, document_yellow(&x->around, "order", made))]
			    .code;
	return !r->arena.refused;
}

static const ProtobufCMessage *orders_page(struct request *r, void *data, size_t from, size_t to)
{
	pb_order_list *out = arena_alloc(&r->arena, sizeof *out);
	pb_order_row *rows = arena_alloc(&r->arena, sizeof *rows * (to - from + 1));

	if (!out || !rows)
		return NULL;
	*out = (pb_order_list)PB_ORDER_LIST_INIT;
	out->order = arena_alloc(&r->arena, sizeof *out->order * (to - from + 1));
	for (size_t i = from; out->order && i < to; i++) {
		if (!fill_row(r, data, (int)i, &rows[i - from]))
			return NULL;
		out->order[out->n_order++] = &rows[i - from];
	}
	return out->order ? &out->base : NULL;
}

static void orders_query(struct request *r)
{
	const pb_document_query *query = REQUEST(r, pb_document_query);
	struct db_params p = {0};

	db_text(&p, r->caller.user);
	db_bool(&p,
		request_has_role(r, ROLE_LEADER) || request_has_role(r, ROLE_OFFICE) ||
			request_has_role(r, ROLE_SUPERVISION));
	db_text(&p, text_of(query->doc));
	db_text(&p, text_of(query->state));
	request_query(r, &select_orders, &p);
	world_query(r);
}

static void orders_done(struct request *r)
{
	struct orders *x = arena_alloc(&r->arena, sizeof *x);

	if (!x) {
		request_fail(r, ERR_NOMEM, NULL, NULL);
		return;
	}
	x->t = request_result(r, &select_orders);
	if (world_read(r, &x->around))
		document_reply_pages(r, &(struct document_pages){(size_t)PQntuples(x->t), orders_page, x});
}

void documents_orders(struct request *r)
{
	request_call(r, orders_query, orders_done);
}
