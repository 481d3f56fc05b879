/* document_number.h - the numbers on papers: 洪教发〔2026〕12号 of what is issued, 收 电 督 会 of what is
 * registered, and 档号 J001-WS·2026-D30-BGS-0001 of what is archived. Owns their form and which archive's term
 * and office a paper gets; takes no number and knows no document. Any thread. Rules:
 * 《党政机关公文格式》 GB/T 9704-2012 7.2.5, 《归档文件整理规则》 DA/T 22-2015 5.4. */
#ifndef JG_DOCUMENT_NUMBER_H
#define JG_DOCUMENT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define SERIES_RECEIVED "收"
#define SERIES_PHONE "电"
#define SERIES_ORDER "督"
#define SERIES_MEETING "会"

#define SERIES_SIZE 49 /* 16 characters of three bytes */
#define DOCUMENT_NUMBER_SIZE 96
#define DOCUMENT_NUMBER_MAX 999999

struct document_number {
	char series[SERIES_SIZE];
	int32_t year, n;
};

/* What is wrong with a number, as people get it wrong. */
enum number_fault {
	NUMBER_OK,
	NUMBER_FORM,     /* nothing like a number */
	NUMBER_BRACKETS, /* other brackets than 〔〕 */
	NUMBER_ORDINAL,  /* 第 before the digits */
	NUMBER_ZERO      /* a zero before the digits */
};

/* 代字 are one to sixteen Chinese characters. Whether they are one of the four above is said apart: those
 * cannot be added as a series of the bureau's. */
bool document_series_valid(const char *series);
bool document_series_reserved(const char *series);

/* 洪教发〔2026〕12号. ERR_INVALID for what is no number, ERR_TOO_LARGE; out is "" then. */
enum err document_number_format(char *out, size_t size, const char *series, int32_t year, int32_t n);
/* Exactly this form and no other; of the faults the first that the text shows. */
enum number_fault document_number_parse(struct document_number *out, const char *text);
/* The fault in words, with what to write instead; "" for NUMBER_OK. */
const char *document_number_fault(enum number_fault fault);

/* What a person types for a number, in the form it has: 收2026-3, 收[2026]3号 and 收（2026）第03号 are
 * 收〔2026〕3号. text itself where it is nothing like a number. */
const char *document_number_typed(char out[DOCUMENT_NUMBER_SIZE], const char *text);

/* ---- 档号 ---- */

#define ARCHIVE_FONDS_MAX 16 /* 全宗号 */
#define ARCHIVE_NUMBER_SIZE 64

struct archive_number {
	char fonds[ARCHIVE_FONDS_MAX + 1];
	int32_t year;
	char term[4];   /* Y, D30, D10 */
	char office[8]; /* BGS, JJK, DDS, ZKB, or the county's own: capital letters */
	int32_t n;
};

enum err archive_number_format(char *out, size_t size, const struct archive_number *a);
enum err archive_number_parse(struct archive_number *out, const char *text);

/* What the term depends on. */
struct archive_subject {
	bool out;          /* issued by us; else received */
	const char *genre; /* 文种, "" when none is known */
	bool phone, read;  /* a telephone record; a paper of class read */
};

/* A row of the table of terms (保管期限); the first that fits decides. */
struct archive_term_rule {
	bool out;
	const char *genre; /* NULL: any */
	bool phone_or_read;
	const char *term;
};
extern const struct archive_term_rule archive_terms[];
extern const size_t archive_term_count;

bool archive_term_known(const char *term);
/* By these rules, or the county's; "D30" when none fits. */
const char *archive_term(
	const struct archive_term_rule *rules, size_t n, const struct archive_subject *subject);
/* 机构 by the role (its code, or its English word) of who drafted it or was in the lead; BGS for any other. */
const char *archive_office(const char *role);

#endif
