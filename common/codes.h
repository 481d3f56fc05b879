/* codes.h - code lists (proto/jingguan/v1/codes.proto and each service's own file): code, Chinese and English
 * word, and the other words that people's files use; and the reading of class names. Kinship of guardians
 * (监护人关系) has no list: it is free text. All data is constant; any thread. */
#ifndef JG_CODES_H
#define JG_CODES_H

#include <stdbool.h>
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

/* Every list, made from the .proto files that declare them: code_lists.h has codes_<name> of each. */
struct named_list {
	const char *name;
	const struct code_list *list;
	bool checked;      /* a field or a request names it: what people may ask for */
	const char *about; /* English, where such a value stands when no check names the list, or NULL */
};
extern const struct named_list code_lists[];
extern const size_t code_list_count;

/* The list that a declaration calls `codes:<name>`, or NULL. */
const struct code_list *code_list_by_name(const char *name);
/* The i-th of those that a declaration checks, with its name, NULL behind the last. */
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

/* All that a list permits, as people write it: "A1 施教区公办、A2 …"; a list that is longer than size is not
 * cut, the place where it stands whole is named instead. Returns out. */
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

#include "code_lists.h" /* made by proto/gen_tables.py */

#endif
