/* validate.h - numbers that carry their own rule: resident ID, student number, school and area codes.
 *
 * Owns the normal form of certificate numbers and what Excel does to them. The checks return an enum naming
 * the rule that failed, so that each caller words its own message; they never look a number up anywhere.
 * All functions are pure; any thread. */
#ifndef JG_VALIDATE_H
#define JG_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "date.h"
#include "err.h"

enum id_fault {
	ID_OK,
	ID_EMPTY,
	ID_DAMAGED, /* Excel made a number of it: the last digits are lost, not mistyped */
	ID_LENGTH,
	ID_CHARACTER, /* something else than digits (and X at the end, and what the code allows) */
	ID_DATE,      /* the birth date does not exist or lies in the future */
	ID_CHECK,     /* well-formed, only the check digit is wrong */
};

/* A sentence for a person: what is wrong with the number, in the user's language. */
const char *id_fault_text(enum id_fault fault);

#define CERT_NO_MAX 32 /* longest foreign passport numbers have far less; bytes without NUL */
#define RESIDENT_ID_LENGTH 18

/* Normal form (domain.md §2.4): half-width, no white space, no apostrophes of any kind, ASCII upper case, X
 * for what looks like it (Ⅹ, ×, Х). cert_key of sql/functions does the same; tests/service/test_text.py
 * compares them. Errors as in text.h. */
enum err cert_no_normal(char *out, size_t size, const char *in);

/* Whether a number in normal form was damaged by a spreadsheet: "1.23E+17", "….0" and groups of three; a cell
 * that the file held as a number of 16 digits or more (the caller knows: CELL_DAMAGED_NUMBER of sheet.h); or
 * 18 digits that end in 000 and fail the check (15 digits are all that Excel keeps). */
bool cert_no_damaged(const char *no, bool damaged_cell);

struct resident_id {
	int32_t birth; /* YYYYMMDD */
	int gender;    /* GB/T 2261.1: 1 male, 2 female */
	int32_t area;  /* six digits at first issue; withdrawn codes are legal, never compare with today's */
};

/* GB 11643-1999 on a number in normal form, 18 characters. `today` YYYYMMDD is the last birth date allowed.
 * *out (may be NULL) is filled when the date holds, that is for ID_OK and ID_CHECK. */
enum id_fault resident_id_check(const char *no, int32_t today, struct resident_id *out);
/* The check character of the first 17 digits ('0'-'9' or 'X'), 0 when they are not digits. */
char resident_id_check_digit(const char *no);
/* 全国学籍号, 19 characters in normal form: G + resident ID, J + 18 with the same check digit, L + 18
 * (temporary, no check digit). ^[GJL]\d{17}[\dX]$ */
enum id_fault student_no_check(const char *no);

/* 学校（机构）标识码: 10 digits, no check digit. */
enum id_fault school_code_check(const char *code);

/* 统计用区划代码: 12 digits 2+2+2+3+3, or with `prefix_allowed` its first 2, 4, 6 or 9. */
enum id_fault area_code_check(const char *code, bool prefix_allowed);
/* The same cut anywhere from the county on: 6 to 12 digits. */
bool area_code_is_prefix(const char *code);

#endif
