/* roster.h - grade and class as people write them, and as spreadsheets spoil them. Owns the words; knows no
 * files. Pure; any thread. */
#ifndef JG_ROSTER_H
#define JG_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "codes.h"

#define GRADE_CODE_MAX 2

/* The code of a cell 年级: 六年级, 六年级(2020级), 六, 6, 16, 小六, 毕业年级. `school` (10 digits) says what
 * 毕业年级 and bare numbers mean; NULL or "" when it is not known. NULL when it is no grade. */
const char *roster_grade(const char *text, const char *school);
/* The one grade that a title or a sheet's name speaks of: “…2026届六年级学生名册”, “六1班”; NULL for none or
 * several. */
const char *roster_grade_within(const char *text);
/* The class in a title or a sheet's name: “六（1）班名册”, “3班”; false when there is none. */
bool roster_class_within(const char *text, char no[CLASS_NO_MAX + 1]);
/* The year that a title gives: “2027年…升学去向”, “2027届”, the later one of “2026-2027学年”; dates are none.
 * 0: none. */
int roster_year_within(const char *text);

/* The year of 入学年月 or of 2020级: 202109, 2021-09, 2021年9月, 2021级, 2021. 0 when it is none. */
int roster_entry_year(const char *text);
/* The grade in which who entered in that year is in the school year of `today` (YYYYMMDD), or NULL. A school
 * of nine years has two who entered then; the year of birth (0: not known) tells them apart. */
const char *roster_grade_of_entry(int entry_year, int32_t today, const char *school, int birth_year);

enum roster_fault {
	ROSTER_OK,
	ROSTER_NO_CLASS, /* 实验班, 六年级, 0班 */
	ROSTER_SEVERAL,  /* 1、2班 */
	ROSTER_GRADE,    /* 五（1）班 in a row of grade six */
	/* 6.1, from which a spreadsheet may have taken a 0; a date that could be read in two ways */
	ROSTER_AMBIGUOUS,
	ROSTER_DATE /* a date that cannot be a class */
};

struct roster_class {
	char no[CLASS_NO_MAX + 1];
	char grade[GRADE_CODE_MAX + 1]; /* what the class itself says (六3班), or "" */
	int entry_year;                 /* that the class itself says (2020级3班, 202003), or 0 */
	bool was_date;                  /* read back from a date: a person should look */
};

/* Reads a class for a row of this grade (its code, NULL: not known). `number`: the cell was a number, so
 * that 6.10 had become 6.1. Dates are read back: 6-3 had become 3 June, 6-32 June 1932, 2020-3 March 2020. */
enum roster_fault roster_class_read(
	const char *text, const char *grade, int32_t today, bool number, struct roster_class *out);
/* What is wrong, for a person. */
const char *roster_fault_text(enum roster_fault fault);

#endif
