#include "lineage_db.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "tables.h"

static struct db_stmt parents, children, classes, judges[KIND_COUNT];

bool lineage_hangs_on_own(const struct kind *child, const struct kind *parent)
{
	return parent->owner == OWNER_SCHOOL && kind_hangs_on(child, parent->number);
}

bool lineage_has_children(const struct kind *kind)
{
	for (size_t i = 0; i < kind_count; i++)
		if (lineage_hangs_on_own(&kind_table[i], kind))
			return true;
	return false;
}

static bool is_parent(const struct kind *kind)
{
	for (size_t i = 0; i < kind_count; i++)
		if (kind_hangs_on(&kind_table[i], kind->number))
			return true;
	return false;
}

static const char *parent_field(const struct kind *kind)
{
	return kind->fields[kind->of].name;
}

static bool has_field(const struct kind *kind, const char *name)
{
	return kind_field_index(kind, name) >= 0;
}

/* Has the numbers of a pupil whose class stands elsewhere. */
static bool names_pupil(const struct kind *kind)
{
	return has_field(kind, "cert_no") && has_field(kind, "student_no") && !has_field(kind, "grade");
}

/* "" or the stage (first digit of codes:grade) of the pupils that a kind names. */
static void add_stage(struct buf *b, const struct kind *kind)
{
	if (kind->grade[0])
		buf_printf(b, "'%c'", kind->grade[0]);
	else
		buf_text(b, "NULL");
}

static void add_grade(struct buf *b, const struct kind *kind)
{
	if (kind->grade[0])
		buf_printf(b, "'%s'", kind->grade);
	else
		buf_text(b, "t.grade");
}

/* A class that is left open says nothing where the kind's own table is no pupil's home; in a register with
 * grades it is nobody's. */
static const char *left_open(const struct kind *kind)
{
	return kind->grade[0] ? " AND t.class_no <> ''" : "";
}

static void add_union(struct buf *b, bool *first, const char *word)
{
	if (!*first)
		buf_text(b, word);
	*first = false;
}

static const char *parents_sql(void)
{
	struct buf b = {0};
	bool first = true;

	buf_text(&b,
		"SELECT u.ord, t.kind, t.open"
		" FROM unnest($1::int[], $2::text[], $3::uuid[]) AS u (ord, school, parent),"
		" LATERAL (");
	for (size_t i = 0; i < kind_count; i++) {
		const struct kind *k = &kind_table[i];
		if (!is_parent(k))
			continue;
		add_union(&b, &first, " UNION ALL ");
		buf_printf(&b, "SELECT %u AS kind, t.owner_school = u.school", k->number);
		for (size_t a = 0; a < kind_count; a++)
			if (kind_table[a].addressee >= 0 && kind_hangs_on(&kind_table[a], k->number))
				buf_printf(&b,
					" OR EXISTS (SELECT FROM %s a"
					" WHERE a.county = app_county() AND a.%s = t.rec_id"
					" AND a.%s = u.school AND NOT a.deleted)",
					kind_table[a].table, parent_field(&kind_table[a]),
					kind_table[a].fields[kind_table[a].addressee].name);
		buf_printf(&b, " AS open FROM %s t WHERE t.county = app_county() AND t.rec_id = u.parent",
			k->table);
	}
	buf_text(&b, ") t");
	return buf_keep(&b);
}

static const char *children_sql(void)
{
	struct buf b = {0};
	bool first = true;

	buf_text(&b, "SELECT u.ord, h.rec_id FROM unnest($1::int[], $2::uuid[]) AS u (ord, id), LATERAL (");
	for (size_t i = 0; i < kind_count; i++) {
		bool own = false;
		for (size_t p = 0; p < kind_count; p++)
			own |= lineage_hangs_on_own(&kind_table[i], &kind_table[p]);
		if (!own)
			continue;
		add_union(&b, &first, " UNION ALL ");
		buf_printf(&b,
			"SELECT rec_id FROM %s WHERE county = app_county() AND %s = u.id AND NOT deleted",
			kind_table[i].table, parent_field(&kind_table[i]));
	}
	buf_text(&b, ") h");
	return buf_keep(&b);
}

/* The records that the pushed ones hang on or hung on, and what those hang on. */
static void add_ancestors(struct buf *b)
{
	bool first = true;

	buf_text(b,
		" up (ord, school, id) AS (SELECT ord, school, parent FROM u WHERE parent IS NOT NULL"
		" UNION SELECT s.ord, s.school, t.parent"
		" FROM (SELECT ord, school, id FROM u UNION ALL SELECT ord, school, id FROM up) s,"
		" LATERAL (");
	for (size_t i = 0; i < kind_count; i++)
		if (kind_table[i].of >= 0) {
			add_union(b, &first, " UNION ALL ");
			buf_printf(b,
				"SELECT %s AS parent FROM %s WHERE county = app_county() AND rec_id = s.id",
				parent_field(&kind_table[i]), kind_table[i].table);
		}
	buf_text(b, ") t)");
}

/* The numbers that the records have, those that they had, and those of the records above. What is pushed
 * without a number keeps the one that stands. */
static void add_numbers(struct buf *b)
{
	bool first = true;

	buf_text(b, ", numbers (ord, school, stage, cert, sno, named) AS MATERIALIZED (");
	for (size_t i = 0; i < kind_count; i++) {
		const struct kind *k = &kind_table[i];
		if (!names_pupil(k))
			continue;
		add_union(b, &first, " UNION ");
		buf_text(b, "SELECT u.ord, u.school, ");
		add_stage(b, k);
		buf_printf(b, ", u.cert, u.sno, true FROM u WHERE u.kind = %u UNION SELECT u.ord, u.school, ",
			k->number);
		add_stage(b, k);
		buf_printf(b,
			", t.cert_no, t.student_no, u.cert IS NULL AND u.sno IS NULL"
			" FROM u"
			" JOIN %s t ON t.county = app_county() AND t.rec_id = u.id",
			k->table);
		if (!is_parent(k))
			continue;
		buf_text(b, " UNION SELECT u.ord, u.school, ");
		add_stage(b, k);
		buf_printf(b,
			", t.cert_no, t.student_no, false"
			" FROM up u"
			" JOIN %s t ON t.county = app_county() AND t.rec_id = u.id",
			k->table);
	}
	buf_text(b, ")");
}

static void add_registers(struct buf *b)
{
	bool first = true;

	buf_text(b, ", register (owner_school, cert_no, student_no, grade, class_no) AS MATERIALIZED (");
	for (size_t i = 0; i < kind_count; i++)
		if (kind_table[i].is_register) {
			add_union(b, &first, " UNION ALL ");
			buf_text(b, "SELECT t.owner_school, t.cert_no, t.student_no, ");
			add_grade(b, &kind_table[i]);
			buf_printf(b,
				", t.class_no"
				" FROM %s t"
				" WHERE t.county = app_county() AND t.owner_school = ANY ($2::text[])"
				" AND NOT t.deleted%s",
				kind_table[i].table, left_open(&kind_table[i]));
		}
	buf_text(b, ")");
}

/* Of two records of one child, in the primary and in the junior stage of a through-school, that of the stage
 * counts. */
static const char *classes_sql(void)
{
	/* An ill-formed student number names nobody: nothing else would find its pupil by it. */
	static const struct {
		const char *meets, *names;
	} numbers[] = {{"r.cert_no = n.cert", "true"},
		{"r.student_no = n.sno", "student_no_key(n.sno) IS NOT NULL"},
		{"'G' || r.cert_no = n.sno", "student_no_key(n.sno) IS NOT NULL"},
		{"r.student_no = 'G' || n.cert", "student_no_key(r.student_no) IS NOT NULL"}};
	struct buf b = {0};

	buf_text(&b,
		"WITH RECURSIVE u AS MATERIALIZED (SELECT *"
		" FROM unnest($1::int[], $2::text[], $3::int[], $4::uuid[], $5::uuid[], $6::text[],"
		" $7::text[]) AS u (ord, school, kind, id, parent, cert, sno)),");
	add_ancestors(&b);
	add_numbers(&b);
	add_registers(&b);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		buf_printf(&b,
			"%s"
			" SELECT n.ord, r.grade, r.class_no, n.named AND %s"
			" FROM numbers n"
			" JOIN register r ON r.owner_school = n.school AND %s"
			" WHERE n.stage IS NULL OR left(r.grade, 1) = n.stage",
			i ? " UNION" : "", numbers[i].names, numbers[i].meets);
	for (size_t i = 0; i < kind_count; i++) {
		const struct kind *k = &kind_table[i];
		if (!is_parent(k) || !has_field(k, "class_no") || (!k->grade[0] && !has_field(k, "grade")))
			continue;
		buf_text(&b, " UNION SELECT u.ord, ");
		add_grade(&b, k);
		buf_printf(&b,
			", t.class_no, false"
			" FROM up u"
			" JOIN %s t ON t.county = app_county() AND t.rec_id = u.id%s",
			k->table, left_open(k));
	}
	return buf_keep(&b);
}

bool lineage_is_judged(const struct kind *kind)
{
	for (size_t i = 0; i < kind_count; i++)
		if (kind_table[i].children_guard[0] && kind_hangs_on(kind, kind_table[i].number))
			return true;
	return false;
}

static const char *judge_sql(const struct kind *kind)
{
	struct buf b = {0};
	bool first = true;

	buf_printf(&b,
		"WITH u AS MATERIALIZED (SELECT u.ord, u.school, coalesce(u.parent, t.%s) AS parent,"
		" u.deleted"
		" FROM unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::boolean[]) AS u (ord,"
		" school, id, parent, deleted)"
		" LEFT JOIN %s t ON t.county = app_county() AND t.rec_id = u.id),"
		" x AS MATERIALIZED (SELECT array_agg(ord) AS ords, array_agg(school) AS schools,"
		" array_agg(parent) AS parents, array_agg(deleted) AS deleted"
		" FROM u)",
		parent_field(kind), kind->table);
	for (size_t i = 0; i < kind_count; i++) {
		const struct kind *k = &kind_table[i];
		if (!k->children_guard[0] || !kind_hangs_on(kind, k->number))
			continue;
		buf_printf(&b,
			"%s"
			" SELECT g.ord, NULL, g.code, g.field, g.message"
			" FROM x, %s(x.ords, x.schools, x.parents, x.deleted) g",
			first ? "" : " UNION ALL", k->children_guard);
		first = false;
	}
	return buf_keep(&b);
}

void lineage_db_init(void)
{
	for (size_t i = 0; i < kind_count; i++)
		if (lineage_is_judged(&kind_table[i]))
			judges[i].sql = judge_sql(&kind_table[i]);
	parents.sql = parents_sql();
	children.sql = children_sql();
	classes.sql = classes_sql();
}

static void ask(struct db_task *task, const struct db_stmt *stmt, struct pg_array *columns, size_t n)
{
	struct db_params p = {0};

	for (size_t i = 0; i < n; i++)
		db_array(&p, &columns[i]);
	db_task_query(task, stmt, &p);
}

void lineage_parents(struct db_task *task, struct pg_array columns[3], const char *scope)
{
	char back[64];

	snprintf(back, sizeof back, "SET LOCAL app.scope = '%s'", scope);
	db_task_command(task, "SET LOCAL app.scope = 'job'");
	ask(task, &parents, columns, 3);
	db_task_command(task, back);
}

void lineage_children(struct db_task *task, struct pg_array columns[2])
{
	ask(task, &children, columns, 2);
}

void lineage_judge(struct db_task *task, const struct kind *kind, struct pg_array columns[5])
{
	ask(task, &judges[kind - kind_table], columns, 5);
}

void lineage_classes(struct db_task *task, struct pg_array columns[7])
{
	ask(task, &classes, columns, 7);
}
