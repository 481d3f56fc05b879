/* The invariants of sync.md when all is at rest: the database by itself, and against what every computer
 * holds and was told. */
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "outbox.h"
#include "sim.h"
#include "sim_told.h"
#include "staging.h"

/* ---- the database ---- */

static size_t same_values(const struct record *a, const struct record *b, uint32_t groups)
{
	size_t same = 0;

	for (unsigned g = 1; g <= a->kind->group_count; g++)
		same |= (size_t)(groups >> (g - 1) & 1 && record_same_group(a, b, g)) << (g - 1);
	return same;
}

struct chain {
	const struct client *client;
	struct db_device device;
	const struct db_push *pushes[4096];
	size_t n;
};

static void collect_push(void *data, const void *row)
{
	struct chain *c = data;
	const struct db_push *p = row;

	if (memcmp(p->device, c->device.id, ID_SIZE) == 0 && c->n < 4096)
		c->pushes[c->n++] = p;
}

static int by_first(const void *a, const void *b)
{
	const struct db_push *x = *(const struct db_push *const *)a, *y = *(const struct db_push *const *)b;

	return x->incarnation != y->incarnation ? (x->incarnation < y->incarnation ? -1 : 1)
		: x->first < y->first           ? -1
						: x->first > y->first;
}

/* I2, I3: numbers from 1 on without a gap or an overlap, one chain, the answers kept. */
static void check_chain(struct chain *c)
{
	uint8_t hash[HASH_SIZE];
	uint64_t last = 0;
	uint32_t incarnation = 0;
	struct arena arena;

	if (c->n)
		qsort(c->pushes, c->n, sizeof *c->pushes, by_first);
	for (size_t i = 0; i < c->n; i++) {
		const struct db_push *p = c->pushes[i];
		const ProtobufCMessage *message;
		if (p->incarnation != incarnation) {
			incarnation = p->incarnation;
			last = 0;
			hash_genesis(hash, c->device.id, incarnation);
		}
		demand(p->first == last + 1, "I2", "device %u: operations %llu to %llu stand after %llu",
			c->client->no, (unsigned long long)p->first, (unsigned long long)p->last,
			(unsigned long long)last);
		arena_init(&arena, 8u << 20);
		bool pruned = !p->results.len;
		demand(!envelope_unpack(
			       &pb_push_reply_desc, p->results.data, p->results.len, &arena, &message, NULL),
			"I3", "answers of a push cannot be read");
		const pb_push_reply *reply = (const pb_push_reply *)message;
		demand(pruned || reply->n_result == p->last - p->first + 1, "I3",
			"a push of %llu operations has %zu answers",
			(unsigned long long)(p->last - p->first + 1), reply->n_result);
		for (uint64_t no = p->first; no <= p->last; no++) {
			const uint8_t *sha = p->shas.data + HASH_SIZE * (no - p->first);
			struct told *t = *told_slot(c->client, incarnation, no);
			hash_chain(hash, hash, no, sha);
			if (!t)
				continue;
			t->seen = true;
			t->kept = pruned ? 0 : (int)reply->result[no - p->first]->outcome;
			demand(memcmp(t->sha, sha, HASH_SIZE) == 0, "I1",
				"operation %llu of device %u stands with other bytes", (unsigned long long)no,
				c->client->no);
			demand(pruned || (int)reply->result[no - p->first]->outcome == t->outcome ||
					t->outcome == JINGGUAN__V1__OUTCOME__ALREADY_APPLIED,
				"I2",
				"operation %llu of incarnation %u of device %u was told %d and is kept as %d",
				(unsigned long long)no, (unsigned)incarnation, c->client->no, t->outcome,
				(int)reply->result[no - p->first]->outcome);
		}
		last = p->last;
		arena_free(&arena);
	}
	if (incarnation != c->device.incarnation) {
		hash_genesis(hash, c->device.id, c->device.incarnation);
		last = 0;
	}
	demand(c->device.last_op == last && memcmp(c->device.last_hash, hash, HASH_SIZE) == 0, "I3",
		"device %u stands at %llu, its pushes end at %llu", c->client->no,
		(unsigned long long)c->device.last_op, (unsigned long long)last);
}

static void check_client_end(struct client *c)
{
	static struct chain chain;
	const struct db_device *d;
	uint8_t id[ID_SIZE];

	id_parse(id, c->profile.device);
	d = db_find(T_DEVICE, id, ID_SIZE);
	chain.client = c;
	chain.device = *d;
	chain.n = 0;
	db_each(T_PUSH, collect_push, &chain);
	check_chain(&chain);
	/* An incarnation that was offered begins with what is sent in it; a restored server may stand several
	 * back, of which nothing is left to send. */
	bool offered =
		c->store->incarnation > d->incarnation && !c->store->last_op && !c->store->older.incarnation;
	demand(offered ||
			(c->store->incarnation == d->incarnation && c->store->last_op == d->last_op &&
				memcmp(c->store->last_hash, d->last_hash, HASH_SIZE) == 0),
		"I3", "device %u and the server do not stand at one place", c->no);
	demand(c->store->made == c->store->last_op, "I13", "device %u has unsent operations", c->no);
	for (unsigned i = 0; i < SIM_STREAMS; i++) {
		int64_t stream = sim_stream(i);
		const struct db_stream *s = db_find(T_STREAM, &stream, sizeof stream);
		uint32_t mine[LANES];
		if (i && stream != strtoll(c->profile.school, NULL, 10)) {
			demand(ask_store(c,
				       i == 1 ? "SELECT count(*) FROM base WHERE stream = 2132999001"
					       : i == 2
					       ? "SELECT count(*) FROM base WHERE stream = 2132999002"
					       : "SELECT count(*) FROM base WHERE stream = 3132999003") == 0,
				"I8", "rows of another school's stream");
			continue;
		}
		demand(!staging_digest(c->store, stream, true, mine, NULL), "I4", "the store cannot be read");
		demand(memcmp(mine, s->lanes, sizeof mine) == 0, "I4",
			"device %u does not hold what stream %u is", c->no, i);
	}
}

/* I5, I9: a record's versions count its changes, and nothing comes after its deletion. */
struct counting {
	const struct stored *row;
	int64_t changes, last;
	uint32_t last_groups, by_group[KIND_GROUPS_MAX];
};

static void count_history(void *data, const void *row)
{
	struct counting *n = data;
	const struct db_history *h = row;

	if (memcmp(h->id, n->row->id, ID_SIZE) != 0 || h->kind != n->row->kind->number)
		return;
	n->changes++;
	if (h->ver > n->last) {
		n->last = h->ver;
		n->last_groups = h->groups;
	}
	for (unsigned g = 0; g < KIND_GROUPS_MAX && h->groups != 0xFF; g++)
		n->by_group[g] += h->groups >> g & 1;
}

static void check_versions(void *data, const void *row)
{
	struct stored r;
	struct counting n = {.row = &r};

	(void)data;
	db_record(row, &r);
	db_each(T_HISTORY, count_history, &n);
	demand(r.state.ver == 1 + n.changes, "I9", "a %s has version %lld after %lld changes", r.kind->table,
		(long long)r.state.ver, (long long)n.changes);
	for (unsigned g = 0; g < r.kind->group_count; g++)
		demand(r.state.gver[g] == n.by_group[g] || r.state.gver[g] == n.by_group[g] + 1, "I9",
			"group %u of a %s has version %u after %u changes", g + 1, r.kind->table,
			(unsigned)r.state.gver[g], (unsigned)n.by_group[g]);
	demand(r.state.deleted == (n.last_groups == 0xFF), "I9", "a %s was changed after it was deleted",
		r.kind->table);
}

/* Whether a school has it: its own, what names it as the other one, what is the county's; unless it is
 * hidden. */
static bool is_carried(const struct stored *row, const char *school)
{
	const struct kind *kind = row->kind;

	return !row->state.deleted &&
		(kind->owner == OWNER_COUNTY || strcmp(row->owner, school) == 0 ||
			strcmp(row->other, school) == 0) &&
		(kind->hidden_field < 0 ||
			!record_is(&row->state.record, kind->hidden_field, kind->hidden_value));
}

/* I7: with nothing under way, what people are shown is what the server has. */
static void check_shown_at_end(struct client *c)
{
	struct view *v;
	struct stored row;

	demand(!view_load(&v, c->store, kinds_all, NULL), "I7", "the store of device %u cannot be read",
		c->no);
	for (size_t i = 0; i < v->n; i++) {
		const struct item *item = v->items[i];
		const void *found = db_find(T_RECORD + item->record.kind->number, item->id, ID_SIZE);
		struct buf mine = {0}, theirs = {0};
		bool there = false;
		if (found) {
			db_record(found, &row);
			there = is_carried(&row, c->profile.school);
		}
		demand(item->live == there, "I7", "device %u shows a %s that is %s", c->no,
			item->record.kind->table, there ? "there as gone" : "gone");
		if (!there)
			continue;
		record_encode(&item->record, &mine);
		if (strcmp(row.other, c->profile.school) == 0)
			record_encode_other(&row.state.record, &theirs);
		else
			record_encode(&row.state.record, &theirs);
		demand(mine.len == theirs.len && memcmp(mine.data, theirs.data, mine.len) == 0, "I7",
			"device %u shows a %s otherwise than it is", c->no, item->record.kind->table);
		buf_free(&mine);
		buf_free(&theirs);
	}
	view_free(v);
}

/* What a stream must be, from the records alone. */
struct expected {
	int64_t stream;
	unsigned kind;
	uint32_t lanes[LANES], told[LANES]; /* the second from the trace alone */
	uint64_t rows, tombstones, entries;
	const struct db_stream *row;
	struct {
		uint64_t n;
		uint8_t head[HASH_SIZE];
	} last;
};

static void expect_record(void *data, const void *row)
{
	struct expected *x = data;
	struct stored r;
	struct buf bytes = {0};
	uint8_t hash[HASH_SIZE], key[8 + ID_SIZE];
	uint32_t lanes[LANES];

	db_record(row, &r);
	bool own = stream_of(SIM_COUNTY, r.owner) == x->stream,
	     other = r.other[0] && stream_of(SIM_COUNTY, r.other) == x->stream;
	put_be64(key, (uint64_t)x->stream);
	memcpy(key + 8, r.id, ID_SIZE);
	const struct db_feed *f = db_find(T_FEED, key, sizeof key);
	if ((!own && !other) || !is_carried(&r, own ? r.owner : r.other)) {
		demand(!f || f->action != 1, "I12",
			"a record that is gone from stream %lld is still handed out", (long long)x->stream);
		return;
	}
	demand(f && f->action == 1 && f->ver == r.state.ver, "I7",
		"a record of stream %lld is not in its feed as it stands", (long long)x->stream);
	if (own)
		record_encode(&r.state.record, &bytes);
	else
		record_encode_other(&r.state.record, &bytes);
	hash_record(hash, bytes.data, bytes.len);
	hash_lanes(lanes, r.id, (uint64_t)r.state.ver, r.kind->number, hash);
	lanes_add(x->lanes, lanes);
	buf_free(&bytes);
	x->rows++;
}

static void count_feed_row(void *data, const void *row)
{
	struct expected *x = data;
	const struct db_feed *f = row;

	if (f->stream != x->stream)
		return;
	demand(f->seq <= x->row->seq && f->seq > 0, "I5", "a feed row lies behind its stream");
	if (f->action != 1)
		x->tombstones++;
}

/* The last entry of a record in the trace is what the feed has of it. */
static void check_entry(struct expected *x, const uint8_t *entry)
{
	uint64_t ver = get_be64(entry + ID_SIZE);
	uint32_t kind = get_be32(entry + ID_SIZE + 8), lanes[LANES];
	uint8_t action = entry[ID_SIZE + 12], key[8 + ID_SIZE];

	put_be64(key, (uint64_t)x->stream);
	memcpy(key + 8, entry, ID_SIZE);
	const struct db_feed *f = db_find(T_FEED, key, sizeof key);
	x->entries++;
	if (!f || f->seq != x->entries) /* purged, or changed again */
		return;
	demand(f->ver == (int64_t)ver && f->kind == kind && f->action == action, "I11",
		"entry %llu of stream %lld says otherwise than the feed", (unsigned long long)x->entries,
		(long long)x->stream);
	if (action != 1)
		return;
	hash_lanes(lanes, entry, ver, kind, entry + AUDIT_ENTRY_SIZE - HASH_SIZE);
	lanes_add(x->told, lanes);
}

/* I11: the links make one chain, there are as many entries as the feed had numbers, and what they tell of
 * each record last is what the stream has. */
static void walk_links(struct expected *x)
{
	uint8_t head[HASH_SIZE] = {0}, root[HASH_SIZE];

	for (uint64_t n = 1; n <= x->row->audit_n; n++) {
		uint8_t key[16];
		put_be64(key, (uint64_t)x->stream);
		put_be64(key + 8, n);
		const struct db_link *l = db_find(T_LINK, key, sizeof key);
		demand(l, "I11", "link %llu of stream %lld is missing", (unsigned long long)n,
			(long long)x->stream);
		audit_root(root, l->parts.data, l->parts.len);
		audit_next(head, n, root);
		demand(memcmp(root, l->root, HASH_SIZE) == 0 && memcmp(head, l->head, HASH_SIZE) == 0, "I11",
			"the chain of stream %lld breaks at %llu", (long long)x->stream,
			(unsigned long long)n);
		/* author NUL device first last count entries, once a push */
		const uint8_t *at = l->parts.data, *end = at + l->parts.len;
		while (at < end) {
			const uint8_t *nul = memchr(at, 0, (size_t)(end - at));
			demand(nul && end - nul > ID_SIZE + 20, "I11", "a part of the trace is cut");
			uint32_t count = get_be32(nul + 1 + ID_SIZE + 16);
			at = nul + 1 + ID_SIZE + 20;
			demand(count && count <= (size_t)(end - at) / AUDIT_ENTRY_SIZE, "I11",
				"a part of the trace has not what it counts");
			for (; count > 0; count--, at += AUDIT_ENTRY_SIZE)
				check_entry(x, at);
		}
	}
	demand(memcmp(x->told, x->row->lanes, sizeof x->told) == 0, "I11",
		"the trace of stream %lld tells of other records than it has", (long long)x->stream);
	demand(memcmp(head, x->row->head, HASH_SIZE) == 0, "I11",
		"the head of stream %lld is not its chain's", (long long)x->stream);
	demand(x->entries == x->row->seq, "I11", "stream %lld has %llu changes and %llu entries",
		(long long)x->stream, (unsigned long long)x->row->seq, (unsigned long long)x->entries);
}

static void check_stream_end(unsigned i)
{
	struct expected x = {.stream = sim_stream(i)};

	x.row = db_find(T_STREAM, &x.stream, sizeof x.stream);
	for (size_t k = 0; k < kind_count; k++)
		db_each(T_RECORD + kind_table[k].number, expect_record, &x);
	demand(memcmp(x.lanes, x.row->lanes, sizeof x.lanes) == 0, "I4",
		"the digest of stream %lld is not that of its records", (long long)x.stream);
	db_each(T_FEED, count_feed_row, &x);
	walk_links(&x);
	if (x.tombstones)
		sim_met("tombstones in a feed");
}

/* ---- I9: a typed value is current, in history or in a conflict ---- */

struct search {
	const uint8_t *id, *device;
	uint32_t incarnation;
	uint64_t op_no;
	const struct record *body;
	uint32_t groups, found;
	bool exact;
};

static void search_bytes(struct search *s, const struct value *bytes)
{
	struct record r;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	if (!record_decode(&r, s->body->kind, bytes->data, bytes->len, &arena, NULL))
		s->found |= (uint32_t)same_values(&r, s->body, s->groups);
	arena_free(&arena);
}

static void search_history(void *data, const void *row)
{
	struct search *s = data;
	const struct db_history *h = row;

	if (memcmp(h->id, s->id, ID_SIZE) == 0 && h->kind == s->body->kind->number)
		search_bytes(s, &h->old);
}

static void search_conflict(void *data, const void *row)
{
	struct search *s = data;
	const struct db_conflict *c = row;

	if (memcmp(c->id, s->id, ID_SIZE) == 0 && memcmp(c->device, s->device, ID_SIZE) == 0 &&
		c->incarnation == s->incarnation && c->op_no == s->op_no) {
		s->exact = true;
		search_bytes(s, &c->mine);
	}
}

static enum err check_value(void *data, const struct op_row *op)
{
	struct client *c = data;
	uint8_t device[ID_SIZE];
	struct search s = {.id = op->id,
		.device = device,
		.incarnation = op->incarnation,
		.op_no = op->op_no,
		.body = &op->body,
		.groups = op->groups};
	struct stored now;

	id_parse(device, c->profile.device);
	struct told *t = op->op_no ? *told_slot(c, op->incarnation, op->op_no) : NULL;
	/* a draft is before a person, whatever was said of it on a disk that is gone */
	if (!t || op->del || (op->state == OP_DRAFT && c->put_back))
		return ERR_OK;
	bool taken =
		t->outcome == JINGGUAN__V1__OUTCOME__APPLIED || t->outcome == JINGGUAN__V1__OUTCOME__MERGED;
	/* What was refused is told, or resolved to the id that exists. */
	if (t->outcome == JINGGUAN__V1__OUTCOME__REJECTED)
		demand(t->forgot || op->state == OP_REFUSED || op->state == OP_DONE ||
				(op->has_duplicate && (op->state == OP_CONFLICT || op->state == OP_ACCEPTED)),
			"I9", "a refused operation is shown as %d", (int)op->state);
	if (t->outcome == JINGGUAN__V1__OUTCOME__BLOCKED || t->outcome == JINGGUAN__V1__OUTCOME__CONFLICT)
		demand(t->forgot || op->state == OP_DONE ||
				op->state ==
					(t->outcome == JINGGUAN__V1__OUTCOME__BLOCKED ? OP_BLOCKED
										      : OP_CONFLICT),
			"I9", "what a person should decide is shown as %d", (int)op->state);
	if (!taken && t->outcome != JINGGUAN__V1__OUTCOME__CONFLICT)
		return ERR_OK;
	const void *row = db_find(T_RECORD + op->kind->number, op->id, ID_SIZE);
	if (row && taken) {
		db_record(row, &now);
		s.found |= (uint32_t)same_values(&now.state.record, &op->body, op->groups);
	}
	if (taken)
		db_each(T_HISTORY, search_history, &s);
	db_each(T_CONFLICT, search_conflict, &s);
	uint32_t groups = op->groups & ((1u << op->kind->group_count) - 1);
	demand((s.found & groups) == groups, "I9",
		"a value of operation %llu of device %u is gone (told %d, groups %x, found %x)",
		(unsigned long long)op->op_no, c->no, t->outcome, (unsigned)groups, (unsigned)s.found);
	return ERR_OK;
}

/* ---- I9: what hangs on a record that nobody has is shown to nobody ---- */

struct asked {
	const struct client *c;
	const uint8_t *id;
	bool found;
};

/* What stands of a refusal that was pruned is "done already": nobody is told what became of it. */
static enum err match_open(void *data, const struct op_row *op)
{
	struct asked *asked = data;
	const struct told *t = op->op_no ? *told_slot(asked->c, op->incarnation, op->op_no) : NULL;
	bool open = op->state != OP_ACCEPTED && op->state != OP_DONE;

	asked->found |= memcmp(op->id, asked->id, ID_SIZE) == 0 &&
		(open || (t && t->outcome == JINGGUAN__V1__OUTCOME__ALREADY_APPLIED));
	return ERR_OK;
}

static bool waits(const uint8_t *id)
{
	struct asked asked = {.id = id};

	for (unsigned i = 0; i < world.plan.clients; i++) {
		asked.c = &world.clients[i];
		outbox_each(world.clients[i].store, UINT32_MAX, 0, match_open, &asked, NULL);
	}
	return asked.found;
}

/* It waits, or what somebody made anew in its place does. */
static bool before_a_person(const uint8_t *id)
{
	static const uint32_t none[] = {0};
	uint8_t end[ID_SIZE];
	bool found = waits(id);

	for (unsigned i = 0; i < world.plan.clients && !found; i++) {
		struct view *v;
		struct item *there;
		if (view_load(&v, world.clients[i].store, none, NULL))
			continue;
		found = outbox_find_end(v, id, end, &there, NULL) == ERR_OK && waits(end);
		view_free(v);
	}
	return found;
}

/* What the server sent may be taken back, or lost with the tail of its database: with what schools hung on
 * it. */
static void check_hanging(void *data, const void *row)
{
	struct stored child, target = {0};

	(void)data;
	db_record(row, &child);
	const struct value *of = &child.state.record.value[child.kind->of];
	if (child.state.deleted)
		return;
	for (size_t k = 0; k < kind_count; k++) {
		const void *found = db_find(T_RECORD + kind_table[k].number, of->data, ID_SIZE);
		if (found)
			db_record(found, &target);
	}
	demand((target.kind && (target.kind->owner != OWNER_SCHOOL || !target.state.deleted)) ||
			(!target.kind && world.lossy && bureau_wrote(of->data)) ||
			before_a_person(of->data) || before_a_person(child.id),
		"I9", "a %s hangs on what is nobody's", child.kind->table);
}

/* What a computer that is gone, or the disk that was put back, would have moved stays where it is. */
static void check_children(void)
{
	for (unsigned i = 0; i < world.plan.clients; i++)
		if (world.clients[i].put_back)
			return;
	for (size_t k = 0; k < kind_count; k++)
		if (kind_table[k].of >= 0 && kind_table[k].owner == OWNER_SCHOOL)
			db_each(T_RECORD + kind_table[k].number, check_hanging, NULL);
}

/* ---- A2.6: a formal report is what its school had as it was typed before it ---- */

/* What a school pushes by itself, and what follows from it in its transaction. */
static bool is_report(const struct kind *kind)
{
	return kind->applied[0] && kind->alone;
}

static void check_snapshot(void *data, const void *row)
{
	const struct db_snapshot *s = row;
	bool found = false;

	(void)data;
	for (size_t k = 0; k < kind_count; k++)
		found |= is_report(&kind_table[k]) &&
			db_find(T_RECORD + kind_table[k].number, s->report, ID_SIZE);
	demand(found, "I4", "a table is kept of a report that is not there");
}

static void check_report(void *data, const void *row)
{
	struct stored r;

	(void)data;
	db_record(row, &r);
	demand(db_find(T_SNAPSHOT, r.id, ID_SIZE), "I4", "a formal report stands without its table");
}

static const struct db_frozen *frozen_row(const struct db_snapshot *s, const uint8_t *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(s->rows[i].id, id, ID_SIZE) == 0)
			return &s->rows[i];
	return NULL;
}

static bool was_taken(const struct told *t)
{
	return t->outcome == JINGGUAN__V1__OUTCOME__APPLIED || t->outcome == JINGGUAN__V1__OUTCOME__MERGED;
}

static bool is_deleted(const struct told *t)
{
	struct stored r;

	db_record(db_find(T_RECORD + t->kind, t->id, ID_SIZE), &r);
	return r.state.deleted;
}

/* Of an operation before the report; f NULL: the report does not have the record. */
static bool says_what_was_done(const struct told *t, const struct db_frozen *f)
{
	if (t->del)
		return !f;
	return f ? f->ver >= t->ver : is_deleted(t);
}

/* Operation t of the device that made the report. */
static void check_frozen(const struct told *report, const struct db_snapshot *s, const struct told *t)
{
	const struct db_frozen *f = frozen_row(s, t->id);

	if (t->op_no < report->op_no)
		demand(says_what_was_done(t, f), "I4",
			"report %llu of device %u does not say what its operation %llu did",
			(unsigned long long)report->op_no, t->client->no, (unsigned long long)t->op_no);
	else if (f && !t->del)
		demand(f->ver <= t->ver &&
				(f->ver < t->ver ||
					!told_changed(t->client, t->incarnation, t->op_no, t->id)),
			"I4", "report %llu of device %u says what its operation %llu did behind it",
			(unsigned long long)report->op_no, t->client->no, (unsigned long long)t->op_no);
}

static void check_reports(void)
{
	db_each(T_SNAPSHOT, check_snapshot, NULL);
	for (size_t k = 0; k < kind_count; k++)
		if (is_report(&kind_table[k]))
			db_each(T_RECORD + kind_table[k].number, check_report, NULL);
	for (size_t i = 0; i < TOLD_SLOTS && !world.lossy; i++)
		for (const struct told *report = told[i]; report; report = report->next) {
			const struct db_snapshot *s =
				is_report(kind_by_number(report->kind)) && was_taken(report)
				? db_find(T_SNAPSHOT, report->id, ID_SIZE)
				: NULL;
			for (size_t k = 0; s && k < TOLD_SLOTS; k++)
				for (const struct told *t = told[k]; t; t = t->next)
					if (t->client == report->client && t != report &&
						t->incarnation == report->incarnation && was_taken(t))
						check_frozen(report, s, t);
		}
}

/* Told to a program that was killed before it stored the answer, on a disk that was put back: with the fork
 * it became a draft, for a person to look at. */
static bool is_before_a_person(const struct told *t)
{
	sqlite3_stmt *stmt = t->client->put_back
		? store_prepare(
			  t->client->store, "SELECT 1 FROM outbox WHERE sha = ? AND op_no IS NULL", NULL)
		: NULL;

	if (stmt)
		sqlite3_bind_blob(stmt, 1, t->sha, HASH_SIZE, SQLITE_STATIC);
	bool draft = stmt && sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_finalize(stmt);
	return draft;
}

void check_end(void)
{
	for (unsigned i = 0; i < world.plan.clients; i++)
		check_client_end(&world.clients[i]);
	/* I1: every answer that reached a device stands, save those that only a lost disk could have brought
	 * back. */
	for (size_t i = 0; i < TOLD_SLOTS; i++)
		for (const struct told *t = told[i]; t; t = t->next)
			demand(t->seen || (world.lossy && (t->gone || is_before_a_person(t))), "I1",
				"operation %llu of incarnation %u of device %u was acknowledged (%d) and is "
				"lost",
				(unsigned long long)t->op_no, (unsigned)t->incarnation, t->client->no,
				t->outcome);
	for (unsigned i = 0; i < SIM_STREAMS; i++)
		check_stream_end(i);
	for (size_t k = 0; k < kind_count; k++)
		db_each(T_RECORD + kind_table[k].number, check_versions, NULL);
	bureau_check();
	check_reports();
	check_children();
	for (unsigned i = 0; i < world.plan.clients; i++)
		check_shown_at_end(&world.clients[i]);
	for (unsigned i = 0; i < world.plan.clients; i++)
		outbox_each(world.clients[i].store, UINT32_MAX, 0, check_value, &world.clients[i], NULL);
}
