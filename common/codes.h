/* codes.h - the code lists of the field (domain.md §1, cli.md): code, Chinese and English word, and the other
 * words that people's files use. Owns the lists and the reading of class names. Kinship of guardians
 * (监护人关系) has no list: it is free text. All data is constant; any thread. */
#ifndef JG_CODES_H
#define JG_CODES_H

#include <stddef.h>

#include "err.h"

struct code_item {
	const char *code;
	const char *zh, *en;
	const char *also; /* other accepted words, separated by blanks; NULL when there are none */
};

struct code_list {
	const char *name;   /* Chinese, as a column is called */
	const char *suffix; /* what may follow a word ("族": 汉 or 汉族), or NULL */
	const struct code_item *items;
	size_t n;
};

extern const struct code_list codes_gender;       /* GB/T 2261.1 */
extern const struct code_list codes_ethnic;       /* GB/T 3304 */
extern const struct code_list codes_cert_type;    /* 证件类型; "1" is the resident ID */
extern const struct code_list codes_role;         /* of accounts, by their number on the wire */
extern const struct code_list codes_grade;        /* 11-16, 21-23, 31-33 */
extern const struct code_list codes_pupil_status; /* 当前状态 */
extern const struct code_list codes_school_type;  /* 办学类型, GB/T 33782-2017 table 4 */
extern const struct code_list codes_founder;      /* 举办者; "999" is private */
extern const struct code_list codes_stage;        /* 学段 of a catchment: primary, junior */
extern const struct code_list codes_destination;  /* 去向类别 A1-D5 */
extern const struct code_list codes_outcome;      /* answers to a 交办单 */
extern const struct code_list codes_answer;       /* present, absent, unknown */
extern const struct code_list codes_phase;        /* of the 小升初 cycle */
extern const struct code_list codes_filing_stage; /* T1, T2, V */
extern const struct code_list codes_severity;
extern const struct code_list codes_slip_state;
extern const struct code_list codes_reminder;
extern const struct code_list codes_pupil_state; /* CONFIRMED … OPEN */
extern const struct code_list codes_declared;     /* how far a pupil's destination is */
extern const struct code_list codes_op_state;     /* of an operation of the outbox */
extern const struct code_list codes_mismatch;     /* M01-M61 of reconciliation */
extern const struct code_list codes_yes_no;       /* "1" and "0" */

/* The list that a declaration calls `codes:<name>`, or NULL. */
const struct code_list *code_list_by_name(const char *name);
/* The i-th of those lists with its name of the declarations, NULL behind the last. */
const struct code_list *code_list_at(size_t i, const char **name);
/* The list that a person calls by either name ("ethnic", 民族), or NULL. */
const struct code_list *code_list_called(const char *text);
/* The code that a text means, or NULL. Accepts the code (leading zeros may be missing, as in numeric cells),
 * the Chinese and English word, the other words, and code and word together ("A1 施教区公办", "01-汉族");
 * full-width forms, case and white space do not matter. The answer is constant. */
const char *code_find(const struct code_list *list, const char *text);
/* The item of exactly this code, or NULL. */
const struct code_item *code_item(const struct code_list *list, const char *code);
/* The word of a code in the user's language, or NULL when the list has no such code. */
const char *code_name(const struct code_list *list, const char *code);

/* All that a list permits, as people write it: "A1 施教区公办、A2 …"; a list that is longer than size is not cut, the place where it
 * stands whole is named instead. Returns out. */
const char *code_list_words(const struct code_list *list, char *out, size_t size);

/* Stages that a school type teaches (domain.md §1.4). */
enum stage_bit {
	STAGE_KINDERGARTEN = 1,
	STAGE_PRIMARY = 2,
	STAGE_JUNIOR = 4,
	STAGE_SENIOR = 8,
	STAGE_VOCATIONAL = 16 /* vocational senior */
};

/* Mask of enum stage_bit; 0 for a code that is no school type. */
unsigned school_type_stages(const char *code);

#define CLASS_NO_MAX 3 /* digits: 999 classes of one grade are more than any school has */

/* The class number in what people write: 3, 03, 3班, 三班, 六（3）班, 六年级3班, 6.3班, 2020级3班 → "3".
 * `out` takes CLASS_NO_MAX + 1 bytes. ERR_INVALID when there is no one number (实验班, 六三班, 0班, four
 * digits); out is "". */
enum err class_no_parse(char *out, size_t size, const char *text);

#endif
