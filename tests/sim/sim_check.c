/* The invariants of sync.md, from what people were told and what both sides hold. Nothing of the server's or
 * the client's bookkeeping is believed: digests, chains and feeds are made again from rows. sim_check.c looks
 * while a history goes on, sim_end.c when all is at rest. */
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "outbox.h"
#include "sim.h"
#include "sim_told.h"
#include "staging.h"

struct told *told[TOLD_SLOTS];

void check_begin(void)
{
	memset(told, 0, sizeof told);
	for (unsigned i = 0; i < world.plan.clients; i++) {
		world.clients[i].saved_rows = 0;
		memset(world.clients[i].seen, 0, sizeof world.clients[i].seen);
		world.clients[i].rolled_back = world.clients[i].behind = world.clients[i].put_back = false;
		world.clients[i].met = world.clients[i].agreed = 0;
	}
}

bool looks(void)
{
	return !world.again || world.plan.memory;
}

struct told **told_slot(const struct client *c, uint32_t incarnation, uint64_t op_no)
{
	struct told **at = &told[(c->no * 31 + incarnation * 7 + op_no * SIM_CLIENTS_MAX) % TOLD_SLOTS];

	while (*at && ((*at)->client != c || (*at)->incarnation != incarnation || (*at)->op_no != op_no))
		at = &(*at)->next;
	return at;
}

static const char *outcome_word(const pb_op_result *r)
{
	static const char *const words[] = {
		"?", "APPLIED", "MERGED", "CONFLICT", "REJECTED", "BLOCKED", "ALREADY_APPLIED"};

	if (r->outcome == JINGGUAN__V1__OUTCOME__REJECTED)
		return r->duplicate_of.len ? "REJECTED duplicate_of" : err_info((int)r->code)->name;
	return words[r->outcome];
}

/* The version of a group that the author saw. False: an own operation whose answer is not known. */
static bool seen_version(const struct client *c, const pb_op *op, uint32_t group, uint32_t *out)
{
	*out = 0;
	for (size_t i = 0; i < op->n_seen; i++) {
		const pb_group_base *base = op->seen[i];
		const struct told *own = base->own_op ? *told_slot(c, op->incarnation, base->own_op) : NULL;
		if (base->group != group)
			continue;
		*out = base->own_op ? (own ? own->gver[group - 1] : 0) : base->gver;
		return !base->own_op || *out;
	}
	return true;
}

struct effect_search {
	const uint8_t *id;
	uint8_t device[ID_SIZE];
	uint32_t incarnation;
	uint64_t op_no;
	bool found;
};

static void search_effect(void *data, const void *row)
{
	struct effect_search *s = data;
	const struct db_history *h = row;

	s->found |= h->incarnation == s->incarnation && h->op_no == s->op_no &&
		memcmp(h->id, s->id, ID_SIZE) == 0 && memcmp(h->device, s->device, ID_SIZE) == 0;
}

bool told_changed(const struct client *c, uint32_t incarnation, uint64_t op_no, const uint8_t *id)
{
	struct effect_search s = {.id = id, .incarnation = incarnation, .op_no = op_no};

	id_parse(s.device, c->profile.device);
	db_each(T_HISTORY, search_effect, &s);
	return s.found;
}

/* Never last-writer-wins: what an operation replaced or deleted is what its author had seen. */
static void check_bases(const struct client *c, const pb_op *op, const pb_op_result *r)
{
	bool del = op->action == JINGGUAN__V1__ACTION__DEL;

	if (del && !told_changed(c, op->incarnation, op->op_no, op->id.data))
		return;
	for (uint32_t g = 1; g <= r->n_gver && g <= KIND_GROUPS_MAX; g++) {
		uint32_t saw, now = r->gver[g - 1];
		bool carried = del;
		for (size_t i = 0; i < op->n_seen; i++)
			carried |= op->seen[i]->group == g;
		if (carried && seen_version(c, op, g, &saw))
			demand(now == saw || (!del && now == saw + 1), "I9",
				"operation %llu of device %u saw version %u of group %u and made it %u",
				(unsigned long long)op->op_no, c->no, (unsigned)saw, (unsigned)g,
				(unsigned)now);
	}
}

/* A conflict is about values that differ, and with somebody else. */
static void check_conflict(
	const struct client *c, const pb_op *op, const pb_op_result *r, struct arena *arena)
{
	const struct kind *kind = kind_by_number(op->kind);
	struct record mine, theirs;
	uint32_t saw;

	if (op->action == JINGGUAN__V1__ACTION__PUT && r->current.len && r->group) {
		demand(!record_decode(&mine, kind, op->body.data, op->body.len, arena, NULL) &&
				!record_decode(&theirs, kind, r->current.data, r->current.len, arena, NULL),
			"I3", "a conflict cannot be read");
		demand(!record_same_group(&mine, &theirs, r->group), "I9",
			"operation %llu of device %u conflicts about nothing", (unsigned long long)op->op_no,
			c->no);
	}
	if (!r->group || !seen_version(c, op, r->group, &saw))
		return;
	for (size_t i = 0; i < TOLD_SLOTS; i++)
		for (const struct told *t = told[i]; t; t = t->next)
			demand(t->client != c || t->outcome == JINGGUAN__V1__OUTCOME__ALREADY_APPLIED ||
					t->incarnation != op->incarnation || t->op_no >= op->op_no ||
					memcmp(t->id, op->id.data, ID_SIZE) != 0 ||
					!(t->groups >> (r->group - 1) & 1) || t->gver[r->group - 1] <= saw,
				"I9", "operation %llu of device %u conflicts with its own operation %llu",
				(unsigned long long)op->op_no, c->no, (unsigned long long)t->op_no);
}

/* Whether it hangs on what was sent to this school, and may have been taken back meanwhile. */
static bool hangs_on_sent(const pb_op *op, const pb_op_result *r, struct arena *arena)
{
	const struct kind *kind = kind_by_number(op->kind);
	struct record body;

	return kind->of >= 0 && r->field && strcmp(r->field, kind->fields[kind->of].name) == 0 &&
		!record_decode(&body, kind, op->body.data, op->body.len, arena, NULL) &&
		record_has(&body, kind->of) && bureau_wrote(body.value[kind->of].data);
}

/* Nobody is refused without a reason. Only while the database has lost nothing: what it lost may be back when
 * the answer comes. */
static void check_refusal(const struct client *c, const pb_op *op, const pb_op_result *r, struct arena *arena)
{
	const void *found = db_find(T_RECORD + op->kind, op->id.data, ID_SIZE);
	struct stored row;

	switch ((enum err)r->code) {
	case ERR_PERMISSION:
		demand(!(c->profile.session.roles & 1u << ROLE_REGISTRAR) || hangs_on_sent(op, r, arena) ||
				(kind_by_number(op->kind) &&
					!(kind_by_number(op->kind)->writers & 1u << ROLE_REGISTRAR)),
			"I9", "operation %llu of device %u is the registrar's and was not permitted",
			(unsigned long long)op->op_no, c->no);
		break;
	case ERR_DUPLICATE:
		demand(r->duplicate_of.len == ID_SIZE &&
				db_find(T_RECORD + op->kind, r->duplicate_of.data, ID_SIZE),
			"I9", "operation %llu of device %u is told to be a duplicate of nothing",
			(unsigned long long)op->op_no, c->no);
		break;
	case ERR_NOT_FOUND: /* of a child: the record that it hangs on */
		if (found)
			db_record(found, &row);
		demand(op->action != JINGGUAN__V1__ACTION__DEL || !found || row.state.deleted, "I9",
			"operation %llu of device %u was to delete a record that stands, and was told that "
			"there is none",
			(unsigned long long)op->op_no, c->no);
		break;
	default:
		break;
	}
}

static void check_answer(
	struct told *t, const struct client *c, const pb_op *op, const pb_op_result *r, struct arena *arena)
{
	bool taken =
		r->outcome == JINGGUAN__V1__OUTCOME__APPLIED || r->outcome == JINGGUAN__V1__OUTCOME__MERGED;

	for (size_t i = 0; taken && i < r->n_gver && i < KIND_GROUPS_MAX; i++)
		t->gver[i] = r->gver[i];
	memcpy(t->id, op->id.data, ID_SIZE);
	t->kind = op->kind;
	t->del = op->action == JINGGUAN__V1__ACTION__DEL;
	t->ver = r->ver;
	for (size_t i = 0; taken && i < op->n_seen; i++)
		t->groups |= 1u << (op->seen[i]->group - 1);
	if (!world.lossy)
		check_refusal(c, op, r, arena);
	if (t->lossy) /* versions may be gone with the database's tail */
		return;
	for (size_t i = 0; taken && i < op->n_seen; i++) {
		const struct told *own =
			op->seen[i]->own_op ? *told_slot(c, op->incarnation, op->seen[i]->own_op) : NULL;
		demand(!own || own->outcome == JINGGUAN__V1__OUTCOME__APPLIED ||
				own->outcome == JINGGUAN__V1__OUTCOME__MERGED ||
				own->outcome == JINGGUAN__V1__OUTCOME__ALREADY_APPLIED,
			"I9",
			"operation %llu of device %u was taken, and rests on its operation %llu, which was "
			"not",
			(unsigned long long)op->op_no, c->no, (unsigned long long)op->seen[i]->own_op);
	}
	if (r->outcome == JINGGUAN__V1__OUTCOME__APPLIED)
		check_bases(c, op, r);
	if (r->outcome == JINGGUAN__V1__OUTCOME__CONFLICT)
		check_conflict(c, op, r, arena);
}

/* What a history has of each kind is said by the declaration. */
static void meet_kind(const struct kind *kind, const struct client *c, const pb_op *op, const pb_op_result *r,
	struct arena *arena)
{
	int names = kind->of < 0 ? kind_reference(kind) : -1;
	struct record body;
	struct stored named;

	if (r->outcome != JINGGUAN__V1__OUTCOME__APPLIED)
		return;
	if (kind->alone)
		sim_met("APPLIED alone");
	if (kind->owner == OWNER_SERVER)
		sim_met("APPLIED answer to the server");
	if (names < 0 || record_decode(&body, kind, op->body.data, op->body.len, arena, NULL) ||
		!record_has(&body, names))
		return;
	for (size_t k = 0; k < kind_count; k++) {
		const void *found = db_find(T_RECORD + kind_table[k].number, body.value[names].data, ID_SIZE);
		if (!found)
			continue;
		db_record(found, &named);
		if (strcmp(named.other, c->profile.school) == 0)
			sim_met("APPLIED about another school's");
	}
}

void check_told(
	struct client *c, const void *bytes, const uint8_t sha[HASH_SIZE], const void *result, uint64_t lossy)
{
	const ProtobufCBinaryData *op_bytes = bytes;
	const ProtobufCMessage *message;
	const pb_op_result *r = result;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	demand(!envelope_unpack(&pb_op_desc, op_bytes->data, op_bytes->len, &arena, &message, NULL), "I3",
		"an operation cannot be read");
	const pb_op *op = (const pb_op *)message;
	demand(op->op_no == r->op_no, "I3", "operation %llu was answered as %llu",
		(unsigned long long)op->op_no, (unsigned long long)r->op_no);
	struct told **at = told_slot(c, op->incarnation, r->op_no);

	sim_trace("told", r->op_no, (uint64_t)r->outcome);
	sim_met(outcome_word(r));
	if (op->action == JINGGUAN__V1__ACTION__DEL && r->outcome == JINGGUAN__V1__OUTCOME__APPLIED)
		sim_met("APPLIED deletion");
	meet_kind(kind_by_number(op->kind), c, op, r, &arena);
	struct told *t = *at;
	if (t && t->gone && memcmp(t->sha, sha, HASH_SIZE) != 0)
		t = NULL; /* a database and a disk lost it: its number is free again */
	if (t) {
		sim_met("answered again");
		demand(memcmp(t->sha, sha, HASH_SIZE) == 0, "I2",
			"operation %llu was answered for other bytes", (unsigned long long)r->op_no);
		/* Where the database lost a tail the operation is executed anew, and may find another
		 * world. */
		demand(t->lossy != lossy || t->outcome == (int)r->outcome ||
				r->outcome == JINGGUAN__V1__OUTCOME__ALREADY_APPLIED,
			"I2", "operation %llu of device %u was answered %d, then %d",
			(unsigned long long)r->op_no, c->no, t->outcome, (int)r->outcome);
		t->outcome = (int)r->outcome;
		t->lossy = lossy;
		t->gone = t->forgot = false;
		check_answer(t, c, op, r, &arena);
		arena_free(&arena);
		return;
	}
	struct told *next = *at ? (*at)->next : NULL;
	if (!*at)
		*at = arena_alloc(&world.arena, sizeof *t);
	t = *at;
	*t = (struct told){.next = next,
		.client = c,
		.incarnation = op->incarnation,
		.op_no = r->op_no,
		.lossy = lossy,
		.outcome = (int)r->outcome};
	memcpy(t->sha, sha, HASH_SIZE);
	check_answer(t, c, op, r, &arena);
	arena_free(&arena);
}

struct cover {
	struct told *told;
	uint8_t device[ID_SIZE];
	bool found;
};

static void look_for(void *data, const void *row)
{
	struct cover *c = data;
	const struct db_push *p = row;

	c->found |= memcmp(p->device, c->device, ID_SIZE) == 0 && p->incarnation == c->told->incarnation &&
		p->first <= c->told->op_no && c->told->op_no <= p->last;
}

/* The clients would send it again and heal it, but synchronous replication promises that they need not. */
void check_kept(uint64_t lossy)
{
	for (size_t i = 0; i < TOLD_SLOTS; i++)
		for (struct told *t = told[i]; t; t = t->next) {
			struct cover c = {.told = t};
			if (t->lossy != lossy)
				continue;
			id_parse(c.device, t->client->profile.device);
			db_each(T_PUSH, look_for, &c);
			demand(c.found, "I1",
				"operation %llu of device %u was acknowledged and is lost by a failover that "
				"was to lose nothing",
				(unsigned long long)t->op_no, t->client->no);
		}
}

/* ---- a client's store ---- */

int64_t ask_store(struct client *c, const char *sql)
{
	sqlite3_stmt *stmt = store_prepare(c->store, sql, NULL);
	int64_t n = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;

	sqlite3_finalize(stmt);
	return n;
}

/* What a rolled back disk does not hold any more only the bureau has. */
static void mark_gone(struct client *c)
{
	sqlite3_stmt *stmt = store_prepare(c->store,
		"SELECT state, code IS NOT NULL FROM outbox WHERE incarnation = ? AND op_no = ?", NULL);

	for (size_t i = 0; stmt && i < TOLD_SLOTS; i++)
		for (struct told *t = told[i]; t; t = t->next) {
			if (t->client != c)
				continue;
			sqlite3_bind_int64(stmt, 1, t->incarnation);
			sqlite3_bind_int64(stmt, 2, (int64_t)t->op_no);
			bool there = sqlite3_step(stmt) == SQLITE_ROW;
			/* What it holds unanswered becomes a draft with the fork, for a person to look at. */
			t->gone |= !there || !sqlite3_column_int(stmt, 1);
			t->forgot |= t->lossy && there && sqlite3_column_int(stmt, 0) >= OP_ACCEPTED;
			sqlite3_reset(stmt);
		}
	sqlite3_finalize(stmt);
}

/* What was not stored is not there to be read either. */
void check_at_rest(struct client *c)
{
	demand(sqlite3_get_autocommit(c->store->db), "C1", "a transaction stays open");
}

void check_typed(struct client *c)
{
	c->saved_rows = c->store->next_row - 1;
}

/* What a person was told is saved is there after any end of the program or of the power (C1-C7, C11). */
void check_opened(struct client *c)
{
	int64_t rows = ask_store(c, "SELECT count(*) FROM outbox");

	demand(chance(800) || !looks() ||
			ask_store(c,
				"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> "
				"'ok'") == 0 ||
			disk_hurt(c->no),
		"C7", "the file is damaged");
	if (c->rolled_back) {
		c->rolled_back = false;
		c->saved_rows = rows;
		mark_gone(c);
		memset(c->seen, 0, sizeof c->seen);
	}
	demand(rows >= c->saved_rows, "C2", "%lld of %lld saved operations are left", (long long)rows,
		(long long)c->saved_rows);
	demand(ask_store(c, "SELECT count(*) FROM outbox WHERE state IN (1, 2)") ==
			ask_store(c,
				"SELECT count(DISTINCT incarnation || ' ' || op_no) FROM outbox WHERE "
				"state IN (1, 2)"),
		"I2", "two waiting operations have one number");
}

struct showing {
	struct client *c;
	struct view *v;
};

static bool is_newest(struct client *c, const struct op_row *op)
{
	sqlite3_stmt *stmt = store_prepare(
		c->store, "SELECT count(*) FROM outbox WHERE id = ? AND n > ? AND state IN (1, 2, 3)", NULL);

	if (!stmt)
		return false;
	sqlite3_bind_blob(stmt, 1, op->id, ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, op->n);
	bool newest = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) == 0;
	sqlite3_finalize(stmt);
	return newest;
}

static enum err check_own(void *data, const struct op_row *op)
{
	struct showing *s = data;
	const struct item *item = view_find_id(s->v, op->id);
	const struct told *t = *told_slot(s->c, op->incarnation, op->op_no);

	/* the database that said so was put back, and so was the disk that was told otherwise since */
	if (t && t->forgot)
		return ERR_OK;
	if (op->del || op->has_duplicate ||
		(op->incarnation != s->c->store->incarnation && op->state != OP_UNKNOWN) ||
		!is_newest(s->c, op))
		return ERR_OK;
	/* An answer says which version it made; from there on the server's copy speaks. */
	if (op->state == OP_ACCEPTED && (!op->ver || !item || (item->in_base && item->ver >= op->ver)))
		return ERR_OK;
	for (unsigned g = 1; g <= op->kind->group_count; g++)
		demand(!(op->groups >> (g - 1) & 1) ||
				(item && record_same_group(&item->record, &op->body, g)),
			"I6", "operation %llu of device %u is not shown (%d)", (unsigned long long)op->op_no,
			s->c->no, (int)op->state);
	return ERR_OK;
}

/* Whether it is shown as the server has it: nobody has deleted it since, or given it another key, here or
 * there. */
static bool is_as_pulled(const struct item *item)
{
	const void *found = db_find(T_RECORD + item->record.kind->number, item->id, ID_SIZE);
	struct stored row;

	if (found)
		db_record(found, &row);
	return item->in_base && !item->pending && found && row.state.ver == item->ver;
}

/* I6: what was typed is shown until the server's copy takes its place. `lost`: a copy is of a history that
 * was put back. */
static void check_own_shown(struct client *c, bool lost)
{
	struct showing s = {.c = c};

	if (view_load(&s.v, c->store, kinds_all, NULL))
		return; /* its disk refuses */
	outbox_each(
		c->store, 1u << OP_WAITING | 1u << OP_UNKNOWN | 1u << OP_ACCEPTED, 0, check_own, &s, NULL);
	/* A pupil is shown once: what was answered and is not in the server's copy is no second record beside
	 * it. Until the history that answers is pulled, the copy may show whom the lost one had in place of
	 * the pupil that was deleted there and stands here. */
	for (size_t i = 0; !lost && i < s.v->n; i++) {
		const struct item *item = s.v->items[i],
				  *other = item->live && !item->in_base && !item->pending
			? view_find_key(s.v, &item->record, true)
			: NULL;
		demand(!other || other == item || !is_as_pulled(other), "I6", "device %u shows a %s twice",
			c->no, item->record.kind->table);
	}
	view_free(s.v);
}

/* I6: what was accepted is in the copy that was pulled behind it, and nothing of it is shown beside. */
static void check_settled(struct client *c)
{
	sqlite3_stmt *stmt =
		store_prepare(c->store, "SELECT op_no FROM outbox WHERE state = 3 AND settled = 0", NULL);

	if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
		demand(false, "I6",
			"operation %lld of device %u is accepted and pulled, and shown as if it still waited",
			(long long)sqlite3_column_int64(stmt, 0), c->no);
	sqlite3_finalize(stmt);
}

void check_synced(struct client *c, enum err e, bool pulled)
{
	struct stream_state streams[STORE_STREAMS_MAX];
	uint32_t mine[LANES], theirs[LANES];
	bool lost = false;
	size_t n;

	if (store_streams(c->store, streams, &n, NULL))
		return; /* its disk refuses */
	for (size_t i = 0; i < n; i++)
		lost |= streams[i].epoch != db_epoch();
	if (chance(250) && looks())
		check_own_shown(c, lost);
	if (!e) {
		c->behind = false;
		c->agreed = c->met;
	}
	if (!e && pulled)
		check_settled(c);
	demand(e != ERR_CHAIN, "I11", "the trace is not the one that this device has seen");
	demand((e != ERR_STORE && e != ERR_DISK_FULL) || disk_hurt(c->no) || c->short_of_memory, "C11",
		"synchronising ended with %s on a disk that is well: %s", err_info((int)e)->name,
		sqlite3_errmsg(c->store->db));
	demand(err_info((int)e)->level == ERR_LEVEL_RETRY || !e || e == ERR_CHAIN || e == ERR_STORE ||
			e == ERR_DISK_FULL,
		"I13", "synchronising ended with %s", err_info((int)e)->name);
	for (size_t i = 0; looks() && i < n; i++) {
		int at = sim_stream_index(streams[i].stream);
		demand(at >= 0, "I8", "a stream that is not this device's");
		if (streams[i].cursor && streams[i].epoch == c->seen[at].epoch)
			demand(streams[i].cursor >= c->seen[at].cursor, "I5",
				"the cursor went back from %llu to %llu",
				(unsigned long long)c->seen[at].cursor,
				(unsigned long long)streams[i].cursor);
		c->seen[at].cursor = streams[i].cursor;
		c->seen[at].epoch = streams[i].epoch;
		if (world.lossy || !streams[i].cursor)
			continue;
		demand(e || streams[i].digest == 1, "I4", "the digests of stream %d differ", at);
		if (staging_digest(c->store, streams[i].stream, true, mine, NULL))
			continue;
		demand(db_lanes_at(streams[i].stream, streams[i].cursor, theirs), "I7",
			"no snapshot of stream %d ever ended at %llu", at,
			(unsigned long long)streams[i].cursor);
		demand(memcmp(mine, theirs, sizeof mine) == 0, "I7",
			"what device %u shows of stream %d is not the server's state at %llu", c->no, at,
			(unsigned long long)streams[i].cursor);
	}
}
