/* transition.h - 小升初 as a school sees it: where its sixth grade goes (transition), who declared it
 * (verify), and the 交办单 addressed to it (slips). Reads a view that holds transition_kinds; writes through
 * outbox.h. One thread. */
#ifndef JG_TRANSITION_H
#define JG_TRANSITION_H

#include "cycle.h"
#include "outbox.h"
#include "shown.h"

/* Everything these functions look at, ended by 0. */
extern const uint32_t transition_kinds[];

extern const struct shown_list shown_transition, shown_verify;

/* ---- Destinations ---- */

/* What a screen shows of a pupil (domain.md §2.3a); words in codes.c (codes_declared). */
enum declared { DECLARED_UNSET, DECLARED_DRAFT, DECLARED_CONFIRMED, DECLARED_T1, DECLARED_T2 };
const char *declared_code(enum declared state);

struct pupil_row {
	struct item *student;     /* NULL: a row of the table whose pupil is not on the list of students */
	struct item *destination; /* NULL: not yet declared */
	size_t evidence;
	enum declared state;
};
/* The sixth grade of this school (in school, suspended or resumed) and what it declared for the year, then
 * rows of the table that belong to none of them. malloc'ed; *n rows. NULL when out of memory. */
struct pupil_row *transition_pupils(struct view *v, int32_t year, size_t *n);

/* Whoever was in the sixth grade when the county froze it and, by a change made on this computer, is there no
 * more: on no list of the school's, and counted by the bureau until it takes him out. */
struct left_pupil {
	uint8_t id[ID_SIZE];
	char pupil[160]; /* 高浩然（六3班） */
};
/* *out is malloc'ed, *n rows; of the classes that this person may see. */
enum err transition_left(
	struct view *v, const struct cycle *cycle, struct left_pupil **out, size_t *n, struct problem *p);

/* Why `file` cannot take a pupil's row. */
enum gap {
	GAP_CATEGORY = 1,
	GAP_SCHOOL = 2,
	GAP_UNDECIDED = 4,
	GAP_PROOF = 8,
	GAP_GUARDIAN = 16 /* only a warning */
};
/* What June (T1) or September (T2) asks of a row, as a mask of enum gap. */
unsigned transition_gaps(const struct view *v, const struct pupil_row *row, bool september);
const char *transition_gap_text(unsigned gap); /* of one bit */

/* The pupil of the own roster who has one of its two numbers; an ID number is a student number too
 * (domain.md §1.3: G and the ID). NULL: nobody. */
const struct record *destination_pupil(struct view *v, const struct record *destination);
/* Whether a destination leads to a school that there is, and is of a pupil whom this person may enter: the
 * server's judgement, told before anything is typed in vain. ERR_INVALID, ERR_PERMISSION. */
enum err transition_judge(struct view *v, const struct record *destination, struct problem *p);

struct destination_edit {
	const char *category;        /* code */
	const char *school, *place;  /* a school by its code or name; NULL: not given */
	const char *registration_no; /* NULL: not given */
};
/* Queues a pupil's destination; within a transaction. A new row takes name, numbers, class and guardian from
 * the student. *out is the destination's item. */
enum err transition_set(struct view *v, const struct pupil_row *row, int32_t year,
	const struct destination_edit *edit, int64_t batch, struct item **out, struct problem *p);
/* Queues a formal report (stage "T1", "T2" or "V"); within a transaction. *n: its row in the outbox. */
enum err transition_file(struct view *v, int32_t year, const char *stage, bool incomplete, const char *reason,
	int64_t *n, struct problem *p);

/* ---- In words; all return out ---- */

/* “声称入学未报到；拒绝入学” of “M10,M51”. */
const char *transition_mismatch_words(const struct record *r, int field, char *out, size_t size);
/* Where a destination goes: 测试县第一初级中学, 上海市. */
const char *transition_place_words(
	const struct view *v, const struct record *destination, char *out, size_t size);
/* “A1 施教区公办 测试县第一初级中学”: what was declared, with the code that the paper form has. */
const char *transition_destination_words(
	const struct view *v, const struct record *destination, char *out, size_t size);
struct todo_list;
enum err transition_todo(struct todo_list *l, struct problem *p); /* client_service.h */
bool transition_word(const struct view *v, const struct record *r, int field, char *out,
	size_t size); /* client_service.h */

/* ---- Verification ---- */

struct verify_row {
	struct item *destination;
	struct item *answer;    /* VerifyAnswer, or NULL */
	struct item *enrolment; /* the pupil's row on our roster, or NULL */
};
/* The pupils who declared this school. malloc'ed. */
struct verify_row *transition_verify_rows(struct view *v, int32_t year, size_t *n);
/* Queues an answer (code of codes_answer); within a transaction. */
enum err transition_verify_answer(struct view *v, const struct verify_row *row, int32_t year,
	const char *answer, const char *note, int64_t batch, struct problem *p);

#endif
