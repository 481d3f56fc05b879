/* lineage_db.h - which record hangs on which, and of which classes the pupils are that a record has to do
 * with: statements made from the declarations (`of`, `on`, `addressee`, `grade`, `register`), so that a new
 * kind needs none of its own. On its loop's thread. */
#ifndef JG_LINEAGE_DB_H
#define JG_LINEAGE_DB_H

#include "db.h"
#include "kind.h"

void lineage_db_init(void); /* once, before anything is served */

/* Whether schools may hang records on one of this kind that they can delete under them. */
bool lineage_has_children(const struct kind *kind);
bool lineage_hangs_on_own(const struct kind *child, const struct kind *parent);

/* columns: ord int[], school text[], parent uuid[]. Rows: ord, kind number, whether the school may hang
 * something on the record: it owns the record, or the record is addressed to it. Reads past row-level
 * security, because a record that it hides would look as if it did not exist. No row: no record has that id.
 * `scope` is the value of app.scope, which is set again afterwards. */
void lineage_parents(struct db_task *task, struct pg_array columns[3], const char *scope);
/* columns: ord int[], id uuid[]. Rows: ord, id of a live record that hangs on it. */
void lineage_children(struct db_task *task, struct pg_array columns[2]);
/* Whether a record that `kind` may hang on judges it. */
bool lineage_is_judged(const struct kind *kind);
/* columns: ord int[], school text[], id uuid[], parent uuid[] (null: the one that stands), deleted boolean[],
 * of operations on `kind`. Rows as a guard's (record_db.h), shared_with null: what the kinds that it hangs on
 * say by their `children_guard`. */
void lineage_judge(struct db_task *task, const struct kind *kind, struct pg_array columns[5]);
/* columns: ord int[], school text[], kind int[], id uuid[], parent uuid[], cert_no text[], student_no text[].
 * Rows: ord, grade, class_no, and whether it is the class of a pupil whose number the record has when the
 * push is done: every class that it has to do with as the database stands, of the record that it hangs on or
 * hung on, and of the school's pupils whose number it carries or carried. */
void lineage_classes(struct db_task *task, struct pg_array columns[7]);

#endif
