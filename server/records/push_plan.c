#include "push_plan.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "envelope.h"
#include "lang.h"
#include "tables.h"
#include "validate.h"

/* ---- tables of this push: records by id, holders by key ---- */

struct entry {
	struct stored row;
	bool found;          /* a row stands in the database */
	struct effect *last; /* the newest effect on it in this push */
};

struct plan {
	struct push *push;
	const struct plan_facts *facts;
	struct entry *entries;
	size_t entry_count;
	uint32_t *slots; /* open addressing over entries, by id; 0 = empty, else index + 1 */
	size_t slot_mask;
	struct plan_holder *added; /* keys that this push itself has taken */
	size_t added_count;
	uint8_t hash[HASH_SIZE];
	bool stopped; /* the operation under way is left to the next push */
};

static size_t id_slot(const struct plan *plan, const uint8_t *id)
{
	return (size_t)get_be64(id + 8) & plan->slot_mask; /* the random half of a UUIDv7 */
}

static struct entry *entry_find(struct plan *plan, const uint8_t *id)
{
	for (size_t s = id_slot(plan, id);; s = (s + 1) & plan->slot_mask) {
		if (!plan->slots[s])
			return NULL;
		struct entry *e = &plan->entries[plan->slots[s] - 1];
		if (memcmp(e->row.id, id, ID_SIZE) == 0)
			return e;
	}
}

static struct entry *entry_add(struct plan *plan, const uint8_t *id)
{
	size_t s = id_slot(plan, id);
	struct entry *e = &plan->entries[plan->entry_count++];

	while (plan->slots[s])
		s = (s + 1) & plan->slot_mask;
	plan->slots[s] = (uint32_t)plan->entry_count;
	memcpy(e->row.id, id, ID_SIZE);
	return e;
}

static enum err plan_init(struct plan *plan)
{
	size_t n = plan->push->count + plan->facts->row_count, slots = 16;

	while (slots < n * 2)
		slots *= 2;
	plan->slot_mask = slots - 1;
	plan->entries = arena_alloc(plan->push->arena, sizeof *plan->entries * (n + 1));
	plan->slots = arena_alloc(plan->push->arena, sizeof *plan->slots * slots);
	plan->added = arena_alloc(plan->push->arena, sizeof *plan->added * (plan->push->count + 1));
	plan->push->part.effect =
		arena_alloc(plan->push->arena, sizeof(struct effect) * (plan->push->count + 1));
	if (!plan->entries || !plan->slots || !plan->added || !plan->push->part.effect)
		return ERR_NOMEM;
	for (size_t i = 0; i < plan->facts->row_count; i++) {
		struct entry *e = entry_add(plan, plan->facts->rows[i].id);
		e->row = plan->facts->rows[i];
		e->found = true;
	}
	return ERR_OK;
}

/* ---- one operation ---- */

static pb_op_result *result_new(struct plan *plan, uint64_t op_no)
{
	pb_op_result *r = arena_alloc(plan->push->arena, sizeof *r);

	if (!r)
		return NULL;
	*r = (pb_op_result)PB_OP_RESULT_INIT;
	r->has_op_no = r->has_outcome = 1;
	r->op_no = op_no;
	return r;
}

static void refuse(struct plan *plan, pb_op_result *r, int outcome, const struct problem *problem)
{
	r->outcome = (Jingguan__V1__Outcome)outcome;
	r->has_code = 1;
	r->code = (uint32_t)problem->code;
	r->message = arena_printf(plan->push->arena, "%s", problem->message);
	if (problem->field[0])
		r->field = arena_printf(plan->push->arena, "%s", problem->field);
	if (problem->hint[0])
		r->hint = arena_printf(plan->push->arena, "%s", problem->hint);
}

static void reject(struct plan *plan, pb_op_result *r, enum err code, const char *field)
{
	struct problem problem;

	problem_set(&problem, code, field, NULL, NULL);
	refuse(plan, r, JINGGUAN__V1__OUTCOME__REJECTED, &problem);
}

static const struct plan_author *author_of(const struct plan *plan, const pb_op *op)
{
	for (size_t i = 0; op->author && i < plan->facts->author_count; i++)
		if (strcmp(plan->facts->authors[i].name, op->author) == 0)
			return &plan->facts->authors[i];
	return NULL;
}

/* ---- the classes of an operation: a class teacher may touch what is of his own, before it and behind it
 * ---- */

struct scopes {
	const struct plan_author *author;
	bool any, foreign;
	bool named; /* a pupil of the roster has the number that the record has behind it */
};

static void scopes_add(struct scopes *s, const char *scope)
{
	s->any = true;
	for (int i = 0; scope[0] && i < s->author->class_count; i++)
		if (strcmp(s->author->classes[i], scope) == 0)
			return;
	s->foreign = true;
}

/* The class that a record says itself; nothing when its kind has none, or it is left open. */
static void scopes_add_own(struct scopes *s, const struct record *r)
{
	int class_no = kind_field_index(r->kind, "class_no"), grade = kind_field_index(r->kind, "grade");
	char class_text[32], grade_text[32], scope[CLASS_SCOPE_SIZE];

	if (class_no < 0 || !record_has(r, class_no))
		return;
	scopes_add(s,
		class_scope_make(scope,
			grade < 0 ? r->kind->grade : record_text(r, grade, grade_text, sizeof grade_text),
			record_text(r, class_no, class_text, sizeof class_text)));
}

static bool same_text(const struct record *a, const char *field, const struct record *b)
{
	int i = kind_field_index(a->kind, field), k = kind_field_index(b->kind, field);

	return i >= 0 && k >= 0 && record_has(a, i) && a->value[i].len == b->value[k].len &&
		memcmp(a->value[i].data, b->value[k].data, a->value[i].len) == 0;
}

/* Of the pupil: the first digit of codes:grade, 0 when it cannot be told. */
static char stage_of(const struct record *r)
{
	int grade = kind_field_index(r->kind, "grade");

	if (grade < 0)
		return r->kind->grade[0];
	return (char)(record_has(r, grade) ? r->value[grade].data[0] : 0);
}

/* An ill-formed student number is ignored: no pupil is found by it. */
static bool is_student_no(const struct record *r)
{
	char text[64];

	return student_no_check(record_text(r, kind_field_index(r->kind, "student_no"), text, sizeof text)) ==
		ID_OK;
}

/* The pupil of this push that the record names by number. deleting: those count that it has deleted. */
static void scopes_add_named(struct plan *plan, struct scopes *s, const struct record *r, bool deleting)
{
	for (size_t i = 0; r->kind->registered && i < plan->entry_count; i++) {
		const struct stored *row = &plan->entries[i].row;
		if (!row->kind || !row->kind->is_register || !row->state.exists ||
			(row->state.deleted && !deleting) || stage_of(&row->state.record) != stage_of(r))
			continue;
		bool cert = same_text(&row->state.record, "cert_no", r),
		     student = same_text(&row->state.record, "student_no", r);
		if (cert || student)
			scopes_add_own(s, &row->state.record);
		s->named |= cert || (student && is_student_no(r));
	}
}

/* A pupil that an earlier operation of this push made is not in the database yet, nor is what hangs on it. */
static void scopes_add_pupils_of_push(
	struct plan *plan, struct scopes *s, const struct record *r, bool deleting)
{
	scopes_add_named(plan, s, r, deleting);
	bool named = s->named;
	for (size_t up = 0; r && r->kind->of >= 0 && r->value[r->kind->of].len == ID_SIZE && up < KIND_COUNT;
		up++) {
		const struct entry *on = entry_find(plan, r->value[r->kind->of].data);
		r = on && on->row.state.exists ? &on->row.state.record : NULL;
		if (r) {
			scopes_add_own(s, r);
			scopes_add_named(plan, s, r, deleting);
		}
	}
	s->named = named;
}

static enum err refuse_class(const struct plan_author *a, struct problem *problem)
{
	char all[200] = "", one[64];

	for (int i = 0; i < a->class_count; i++) {
		class_scope_text(one, sizeof one, a->classes[i]);
		if (strlen(all) + strlen(one) + 4 < sizeof all)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? _("、") : "", one);
	}
	if (!all[0])
		return problem_set(
			problem, ERR_PERMISSION, "class_no", NULL, _("您还没有负责的班级，请系统管理员指定"));
	return problem_set(problem, ERR_PERMISSION, "class_no", NULL, _("不是您负责的班级：您负责 %s"), all);
}

static bool keeps_number(const struct plan_op *o)
{
	return !record_has(&o->body, kind_field_index(o->kind, "cert_no")) &&
		!record_has(&o->body, kind_field_index(o->kind, "student_no"));
}

/* Every class that the operation touches must be one of the author's; a record whose class cannot be told
 * belongs to no author. A record of a `registered` kind must carry the number of a pupil in a register:
 * without it, it could be attached by name or telephone to any pupil. */
static enum err check_class(struct plan *plan, size_t index, const struct plan_op *o,
	const struct plan_author *a, const struct entry *e, struct problem *problem)
{
	struct scopes s = {.author = a};
	bool del = o->op->action == JINGGUAN__V1__ACTION__DEL;

	/* Only a class teacher is limited to classes; every other role that may write the kind is not. */
	if (a->roles & (PLAN_ALL_CLASSES | (o->kind->writers & ~(1u << ROLE_CLASS_TEACHER))))
		return ERR_OK;
	if (e && e->row.state.exists) {
		/* As earlier operations of this push left it: a deletion says nothing itself, and an operation
		 * only what is in its groups. */
		scopes_add_own(&s, &e->row.state.record);
		scopes_add_pupils_of_push(plan, &s, &e->row.state.record, del);
		s.named &= !o->kind->registered || del || keeps_number(o);
	}
	if (o->op->action == JINGGUAN__V1__ACTION__PUT)
		scopes_add_own(&s, &o->body);
	for (size_t i = 0; i < plan->facts->scope_count; i++)
		if (plan->facts->scopes[i].op == index) {
			scopes_add(&s, plan->facts->scopes[i].scope);
			s.named |= plan->facts->scopes[i].named;
		}
	scopes_add_pupils_of_push(plan, &s, &o->body, del);
	if (!s.any || s.foreign)
		return refuse_class(a, problem);
	/* A record that keeps its number was judged with it, and stands. */
	if (!o->kind->registered || o->op->action != JINGGUAN__V1__ACTION__PUT || s.named ||
		(keeps_number(o) && e && !e->found))
		return ERR_OK;
	return problem_set(problem, ERR_PERMISSION, "cert_no",
		_("更正证件号码或学籍号；名册里没有的学生请学籍管理员填报"),
		_("本校名册里没有这个号码的学生，班主任只填报本班名册里的学生"));
}

/* Server-owned kinds exist already, and a school writes only the groups declared `school_writes`. */
static bool groups_allowed(const struct kind *kind, uint32_t groups)
{
	if (kind->owner != OWNER_SERVER)
		return true;
	for (size_t i = 0; i < kind->field_count; i++)
		if (groups >> (kind->fields[i].group - 1) & 1 && !kind->fields[i].school_writes)
			return false;
	return true;
}

/* A field that names the record's author must name the author of the operation. */
static enum err check_authors(const struct plan_op *o, struct problem *problem)
{
	for (size_t i = 0; i < o->kind->field_count; i++)
		if (o->kind->fields[i].author && record_has(&o->body, (int)i) &&
			!record_is(&o->body, (int)i, o->op->author))
			return problem_set(problem, ERR_PERMISSION, o->kind->fields[i].name, NULL,
				_("“%s”只能是办理人本人的帐号"),
				lang_declared(o->kind->fields[i].label, o->kind->fields[i].label_en));
	return ERR_OK;
}

/* Who may write this record in this session. Only a registrar's session carries operations that another
 * person typed: in any other session the other name is not proved, and would lend its rights to whoever
 * writes it. */
static enum err authorise(struct plan *plan, size_t index, const struct plan_op *o, const struct entry *e,
	struct problem *problem)
{
	const struct plan_author *a = author_of(plan, o->op);

	problem_set(problem, ERR_PERMISSION, NULL, NULL, NULL);
	if (!a || !a->may_write || o->kind->owner == OWNER_COUNTY || !(o->kind->writers & a->roles))
		return ERR_PERMISSION;
	if (!plan->facts->carries_others && strcmp(a->name, plan->facts->user) != 0)
		return problem_set(problem, ERR_PERMISSION, "author", NULL,
			_("须由 %s 本人或学籍管理员登录后上传"), a->name);
	if (e && e->row.state.exists && strcmp(e->row.owner, plan->facts->school) != 0)
		return ERR_PERMISSION;
	if (o->kind->owner == OWNER_SERVER &&
		(!e || !e->row.state.exists || o->op->action != JINGGUAN__V1__ACTION__PUT ||
			!groups_allowed(o->kind, o->groups)))
		return ERR_PERMISSION;
	return check_authors(o, problem) ? problem->code : check_class(plan, index, o, a, e, problem);
}

static const struct problem *guard_refusal(const struct plan *plan, size_t index)
{
	for (size_t i = 0; i < plan->facts->refusal_count; i++)
		if (plan->facts->refusals[i].op == index)
			return &plan->facts->refusals[i].problem;
	return NULL;
}

/* The group version that an own earlier operation left, or a refusal when that one was not applied. */
static enum err resolve_own(const struct plan *plan, const pb_group_base *seen, uint32_t *gver)
{
	const pb_push_reply *reply = &plan->push->reply;
	uint64_t first = plan->push->first_op;

	if (seen->own_op < first) {
		reply = NULL;
		for (size_t i = 0; i < plan->facts->replay_count && !reply; i++)
			if (plan->facts->replays[i].first_op <= seen->own_op &&
				seen->own_op <= plan->facts->replays[i].last_op) {
				reply = plan->facts->replays[i].reply;
				first = plan->facts->replays[i].first_op;
			}
	}
	if (!reply || seen->own_op - first >= reply->n_result)
		return ERR_BLOCKED;
	const pb_op_result *r = reply->result[seen->own_op - first];
	if ((r->outcome != JINGGUAN__V1__OUTCOME__APPLIED && r->outcome != JINGGUAN__V1__OUTCOME__MERGED) ||
		r->n_gver < seen->group)
		return ERR_BLOCKED;
	*gver = r->gver[seen->group - 1];
	return ERR_OK;
}

static enum err make_merge_op(const struct plan *plan, const struct plan_op *o, struct merge_op *m)
{
	*m = (struct merge_op){
		.del = o->op->action == JINGGUAN__V1__ACTION__DEL, .body = o->body, .groups = o->groups};
	for (size_t i = 0; i < o->op->n_seen; i++) {
		const pb_group_base *seen = o->op->seen[i];
		uint32_t gver = seen->gver;
		if (seen->own_op && resolve_own(plan, seen, &gver))
			return ERR_BLOCKED;
		m->seen[seen->group - 1] = gver;
	}
	return ERR_OK;
}

static const uint8_t *key_holder(
	const struct plan *plan, const struct kind *kind, const char *key, const uint8_t *id)
{
	for (size_t i = plan->added_count; i-- > 0;)
		if (plan->added[i].kind == kind && strcmp(plan->added[i].key, key) == 0)
			return memcmp(plan->added[i].id, id, ID_SIZE) ? plan->added[i].id : NULL;
	for (size_t i = 0; i < plan->facts->holder_count; i++)
		if (plan->facts->holders[i].kind == kind && strcmp(plan->facts->holders[i].key, key) == 0 &&
			strcmp(plan->facts->holders[i].owner, plan->facts->school) == 0)
			return memcmp(plan->facts->holders[i].id, id, ID_SIZE) ? plan->facts->holders[i].id
									       : NULL;
	return NULL;
}

static void add_holder(struct plan *plan, const struct kind *kind, const char *key, const uint8_t *id)
{
	struct plan_holder *h = &plan->added[plan->added_count++];

	h->kind = kind;
	h->key = key;
	h->owner = plan->facts->school;
	memcpy(h->id, id, ID_SIZE);
}

/* A record that this very push deleted, or gave another key, no longer holds this one. */
static bool holder_is_gone(struct plan *plan, const uint8_t *id, const char *key)
{
	struct entry *e = entry_find(plan, id);
	char *now = !e || e->row.state.deleted ? NULL : record_key(&e->row.state.record, plan->push->arena);

	return e && (e->row.state.deleted || (now && strcmp(now, key) != 0));
}

static void fill_state(struct plan *plan, pb_op_result *r, const struct stored *row)
{
	r->has_ver = 1;
	r->ver = row->state.ver;
	r->n_gver = row->kind->group_count;
	r->gver = arena_copy(plan->push->arena, row->state.gver, sizeof(uint32_t) * r->n_gver);
	if (!r->gver)
		r->n_gver = 0;
}

/* A person who decides a conflict needs to know who wrote the other side. */
static void fill_writer(struct plan *plan, pb_op_result *r, size_t index)
{
	const struct plan_writer *w = plan->facts->writers ? &plan->facts->writers[index] : NULL;

	if (!w || !w->author)
		return;
	r->their_author = arena_printf(plan->push->arena, "%s", w->author);
	r->has_their_at = 1;
	r->their_at = w->at;
}

static void fill_current(struct plan *plan, pb_op_result *r, const struct stored *row)
{
	struct buf bytes = {0};

	record_encode(&row->state.record, &bytes);
	if (bytes.failed)
		plan->push->arena->refused = ERR_NOMEM;
	r->current.data = arena_copy(plan->push->arena, bytes.data, bytes.len);
	r->current.len = r->current.data ? bytes.len : 0;
	r->has_current = 1;
	buf_free(&bytes);
	fill_state(plan, r, row);
}

static void add_effect(
	struct plan *plan, struct entry *entry, const struct stored *before, uint32_t changed, uint64_t op_no)
{
	struct effect *e = &plan->push->part.effect[plan->push->part.count++];

	e->before = *before;
	e->after = entry->row;
	e->changed = changed;
	e->op_no = op_no;
	e->last = true;
	e->fresh = !entry->found;
	e->repeat = entry->last != NULL;
	if (entry->last)
		entry->last->last = false;
	entry->last = e;
}

static void keep_conflict(
	struct plan *plan, const struct entry *entry, const struct plan_op *o, unsigned group)
{
	struct effect *e = &plan->push->part.effect[plan->push->part.count++];

	e->after = entry->row;
	e->after.state.record = o->body;
	e->conflict_ver = entry->row.state.ver;
	e->conflict_group = group;
	e->op_no = o->op->op_no;
}

static void apply(struct plan *plan, size_t index, struct plan_op *o, struct entry *entry,
	const struct merge_op *m, pb_op_result *r)
{
	struct stored before = entry->row;
	const uint8_t *holder;
	struct problem problem;

	struct merge_result merged = sync_merge(&entry->row.state, m);
	if (merged.outcome == MERGE_CONFLICTED || merged.outcome == MERGE_REJECTED) {
		problem_set(&problem, merged.code, NULL, NULL, NULL);
		refuse(plan, r,
			merged.outcome == MERGE_CONFLICTED ? JINGGUAN__V1__OUTCOME__CONFLICT
							   : JINGGUAN__V1__OUTCOME__REJECTED,
			&problem);
		r->has_group = merged.group != 0;
		r->group = merged.group;
		fill_writer(plan, r, index);
		if (before.state.exists && !before.state.deleted)
			fill_current(plan, r, &before);
		if (merged.outcome == MERGE_CONFLICTED && !m->del)
			keep_conflict(plan, entry, o, merged.group);
		return;
	}
	char *key = record_key(&entry->row.state.record, plan->push->arena);
	holder = m->del || !key || !key[0] ? NULL : key_holder(plan, o->kind, key, entry->row.id);
	if (holder && holder_is_gone(plan, holder, key)) {
		/* Changed rows are written before new ones, so a new row may take a key that a changed row
		 * gives up. Two changed rows are written by one statement, in which the key may not be free
		 * yet: then this operation begins the next push. */
		if (entry->found) {
			plan->stopped = true;
			return;
		}
		holder = NULL;
	}
	enum err e = ERR_OK;
	if (!key)
		e = ERR_NOMEM;
	else if (holder)
		e = ERR_DUPLICATE;
	else if (!m->del)
		e = check_record(&entry->row.state.record, true, plan->facts->today, &problem);
	if (e) {
		entry->row = before;
		if (!key)
			problem_set(&problem, e, NULL, NULL, NULL);
		else if (holder)
			problem_set(&problem, e, NULL, NULL,
				before.state.exists ? _("这是本校另一条记录的号码")
						    : _("本校已有这名学生的记录"));
		refuse(plan, r, JINGGUAN__V1__OUTCOME__REJECTED, &problem);
		if (holder) {
			r->has_duplicate_of = 1;
			r->duplicate_of.data = arena_copy(plan->push->arena, holder, ID_SIZE);
			r->duplicate_of.len = r->duplicate_of.data ? ID_SIZE : 0;
		}
		return;
	}
	if (m->del)
		entry->row.other[0] = 0;
	else if (plan->facts->shared && plan->facts->shared[index].said)
		snprintf(entry->row.other, sizeof entry->row.other, "%s", plan->facts->shared[index].school);
	if (!m->del && key[0])
		add_holder(plan, o->kind, key, entry->row.id);
	r->outcome = (Jingguan__V1__Outcome)(merged.outcome == MERGE_MERGED ? JINGGUAN__V1__OUTCOME__MERGED
									    : JINGGUAN__V1__OUTCOME__APPLIED);
	fill_state(plan, r, &entry->row);
	if (merged.changed)
		add_effect(plan, entry, &before, merged.changed, o->op->op_no);
}

static bool hangs_on(const struct record *r, const uint8_t *id)
{
	int of = r->kind->of;

	return of >= 0 && r->value[of].len == ID_SIZE && memcmp(r->value[of].data, id, ID_SIZE) == 0;
}

/* Whether a live record of this school hangs on the one that is to be deleted; what this push has deleted or
 * moved does not. */
static bool has_children(struct plan *plan, size_t index, const uint8_t *id)
{
	for (size_t i = 0; i < plan->facts->child_count; i++)
		if (plan->facts->children[i].op == index && !entry_find(plan, plan->facts->children[i].id))
			return true;
	for (size_t i = 0; i < plan->entry_count; i++)
		if (plan->entries[i].row.state.exists && !plan->entries[i].row.state.deleted &&
			hangs_on(&plan->entries[i].row.state.record, id))
			return true;
	return false;
}

/* A record hangs on one of this school, or on one that is addressed to it, and of a kind that its declaration
 * names. */
static enum err check_target(struct plan *plan, size_t index, const struct plan_op *o, const struct entry *on,
	struct problem *problem)
{
	struct plan_target t = plan->facts->targets ? plan->facts->targets[index] : (struct plan_target){0};

	if (on && on->row.state.exists)
		t = (struct plan_target){on->row.kind->number,
			on->row.kind->owner == OWNER_SERVER
				? t.open
				: strcmp(on->row.owner, plan->facts->school) == 0};
	if (!t.kind || (t.open && kind_hangs_on(o->kind, t.kind)))
		return ERR_OK;
	return problem_set(problem, ERR_PERMISSION, o->kind->fields[o->kind->of].name, NULL,
		_("所属的记录不是本校的，也没有交办给本校"));
}

/* What hangs on a deleted record is never shown. So nothing may be hung on a record that was deleted
 * meanwhile, and no record may be deleted on which something was hung meanwhile. A record that was never made
 * is different: its sender learns of the one that exists and moves there what hangs on it. */
static enum err check_hook(struct plan *plan, size_t index, const struct plan_op *o,
	const struct entry *entry, struct problem *problem)
{
	const struct entry *on = NULL;

	if (o->op->action == JINGGUAN__V1__ACTION__PUT && o->kind->of >= 0 &&
		o->body.value[o->kind->of].len == ID_SIZE) {
		on = entry_find(plan, o->body.value[o->kind->of].data);
		if (check_target(plan, index, o, on, problem))
			return problem->code;
	}
	if (on && on->row.state.deleted)
		return problem_set(problem, ERR_NOT_FOUND, o->kind->fields[o->kind->of].name, NULL,
			_("所属的记录已经删除"));
	if (o->op->action == JINGGUAN__V1__ACTION__DEL && entry && entry->row.state.exists &&
		!entry->row.state.deleted && has_children(plan, index, o->op->id.data))
		return problem_set(
			problem, ERR_NOT_NOW, NULL, NULL, _("他人在这条记录下登记了内容，请查看后再删"));
	return ERR_OK;
}

static void decide(struct plan *plan, size_t index, pb_op_result *r)
{
	struct plan_op *o = &plan->push->ops[index];
	struct problem problem;
	struct merge_op m;

	if (o->fault.code || !o->op) { /* what cannot be decoded has its fault */
		refuse(plan, r, JINGGUAN__V1__OUTCOME__REJECTED, &o->fault);
		return;
	}
	struct entry *entry = entry_find(plan, o->op->id.data);
	enum err e = authorise(plan, index, o, entry, &problem);
	if (e) {
		refuse(plan, r, JINGGUAN__V1__OUTCOME__REJECTED, &problem);
		return;
	}
	const struct problem *guard = guard_refusal(plan, index);
	if (guard) {
		refuse(plan, r, JINGGUAN__V1__OUTCOME__REJECTED, guard);
		return;
	}
	if ((e = make_merge_op(plan, o, &m))) {
		problem_set(&problem, e, NULL, NULL, NULL);
		refuse(plan, r, JINGGUAN__V1__OUTCOME__BLOCKED, &problem);
		return;
	}
	if (check_hook(plan, index, o, entry, &problem)) {
		refuse(plan, r, JINGGUAN__V1__OUTCOME__REJECTED, &problem);
		return;
	}
	if (!entry) {
		entry = entry_add(plan, o->op->id.data);
		entry->row.kind = o->kind;
		record_init(&entry->row.state.record, o->kind);
		snprintf(entry->row.owner, sizeof entry->row.owner, "%s", plan->facts->school);
	} else if (entry->row.kind != o->kind) {
		reject(plan, r, ERR_EXISTS, "id");
		return;
	}
	apply(plan, index, o, entry, &m, r);
}

/* ---- the push ---- */

static const struct plan_replay *replay_of(const struct plan_facts *f, uint64_t op_no)
{
	for (size_t i = 0; i < f->replay_count; i++)
		if (f->replays[i].first_op <= op_no && op_no <= f->replays[i].last_op)
			return &f->replays[i];
	return NULL;
}

static enum err set_control(struct push *push, enum err control, const struct plan_facts *facts)
{
	push->answered = 0;
	push->forked = control == ERR_FORKED;
	push->reply.has_control = control != ERR_OK;
	push->reply.control = (uint32_t)control;
	push->reply.has_last_op = push->reply.has_last_hash = 1;
	push->reply.last_op = facts->device.last_op;
	push->reply.last_hash.data = push->last_hash;
	push->reply.last_hash.len = HASH_SIZE;
	memcpy(push->last_hash, facts->device.last_hash, HASH_SIZE);
	return ERR_OK;
}

/* The same bytes get the same answer for ever; other bytes under an old number mean a rolled-back device. */
static enum err answer_replay(struct plan *plan)
{
	struct push *push = plan->push;
	const struct plan_facts *f = plan->facts;

	push->replayed = true;
	set_control(push, ERR_OK, f);
	while (push->answered < push->count && push->first_op + push->answered <= f->device.last_op) {
		uint64_t no = push->first_op + push->answered;
		const struct plan_replay *old = replay_of(f, no);
		if (!old)
			break; /* the rest comes with the next call */
		if (memcmp(old->shas + HASH_SIZE * (no - old->first_op), push->ops[push->answered].sha,
			    HASH_SIZE) != 0)
			return set_control(push, ERR_FORKED, f);
		pb_op_result *r;
		if (old->reply && no - old->first_op < old->reply->n_result) {
			r = old->reply->result[no - old->first_op];
		} else if ((r = result_new(plan, no))) {
			r->outcome = JINGGUAN__V1__OUTCOME__ALREADY_APPLIED;
		} else {
			return ERR_NOMEM;
		}
		push->reply.result[push->reply.n_result++] = r;
		push->answered++;
	}
	return ERR_OK;
}

bool push_is_ahead(uint32_t theirs, uint32_t ours)
{
	return theirs > ours && theirs - ours <= INCARNATIONS_LOST_MAX;
}

/* The device as this push sees it: in an incarnation that begins now when it is ahead of ours. */
static struct plan_facts in_its_incarnation(const struct push *push, const struct plan_facts *facts)
{
	struct plan_facts f = *facts;

	if (push_is_ahead(push->incarnation, f.device.incarnation)) {
		f.device.incarnation = push->incarnation;
		f.device.last_op = 0;
		hash_genesis(f.device.last_hash, f.device.id, f.device.incarnation);
	}
	return f;
}

enum err push_plan(struct push *push, const struct plan_facts *given)
{
	const struct plan_facts own = in_its_incarnation(push, given), *facts = &own;
	struct plan plan = {.push = push, .facts = facts};
	size_t until = push_barrier(push);

	push->arena->refused = ERR_OK;
	push->known_incarnation = facts->device.incarnation;
	push->reply = (pb_push_reply)PB_PUSH_REPLY_INIT;
	push->reply.result = arena_alloc(push->arena, sizeof *push->reply.result * (push->count + 1));
	if (!push->reply.result)
		return ERR_NOMEM;
	/* The push was made for another history of the database, which may have answered it. This history
	 * would answer it differently, so it is refused: the device says HELLO, learns what is missing here
	 * and sends that. */
	if (push->epoch != given->device.epoch) {
		push->known_incarnation = given->device.incarnation;
		return set_control(push, ERR_EXPECT, given);
	}
	if (push->incarnation != facts->device.incarnation)
		return set_control(push, ERR_FORKED, facts);
	if (push->count == 0)
		return set_control(push, ERR_OK, facts);
	if (push->first_op && push->first_op <= facts->device.last_op)
		return answer_replay(&plan);
	if (push->first_op && push->first_op != facts->device.last_op + 1)
		return set_control(push, ERR_EXPECT, facts);
	push->first_op = facts->device.last_op + 1;
	enum err e = plan_init(&plan);
	memcpy(plan.hash, facts->device.last_hash, HASH_SIZE);
	for (size_t i = 0; !e && i < until; i++) {
		uint64_t no = push->first_op + i;
		const pb_op *op = push->ops[i].op;
		/* A gap in the numbers, or another incarnation, inside the request: operations before it are
		 * decided, those behind it are not. */
		if ((op || push->ops[i].op_no) && push->ops[i].op_no != no)
			break;
		if (op && op->incarnation != push->incarnation)
			break;
		pb_op_result *r = result_new(&plan, no);
		if (!r)
			return ERR_NOMEM;
		decide(&plan, i, r);
		if (plan.stopped)
			break;
		push->reply.result[push->reply.n_result++] = r;
		hash_chain(plan.hash, plan.hash, no, push->ops[i].sha);
		push->answered++;
	}
	if (e)
		return e;
	/* Answers are kept and given again for ever: one that lacks a text or refuses for want of memory must
	 * not be given. */
	if (push->arena->refused)
		return ERR_NOMEM;
	if (push->answered == 0)
		return set_control(push, ERR_EXPECT, facts);
	memcpy(push->last_hash, plan.hash, HASH_SIZE);
	push->reply.has_last_op = push->reply.has_last_hash = 1;
	push->reply.last_op = push->first_op + push->answered - 1;
	push->reply.last_hash.data = push->last_hash;
	push->reply.last_hash.len = HASH_SIZE;
	push->part.first_op = push->first_op;
	push->part.last_op = push->reply.last_op;
	push->part.incarnation = push->incarnation;
	return ERR_OK;
}
