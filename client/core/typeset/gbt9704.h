/* gbt9704.h - an official document on paper, as GB/T 9704-2012 《党政机关公文格式》 sets it: the four
 * forms of a county's bureau (文件, 上行文, 信函, 纪要) as a PDF. Owns the measures of the standard;
 * judges nothing and knows no store. Blocks. One thread. */
#ifndef JG_GBT9704_H
#define JG_GBT9704_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "draft.h"
#include "err.h"

enum gbt_layout {
	GBT_DOWN,    /* 文件, to those below or beside */
	GBT_UP,      /* 上行文, with 签发人 */
	GBT_LETTER,  /* 信函: a 函 */
	GBT_MINUTES, /* 纪要 */
};

/* An attachment that is text: it is set behind the signature, each on a page of its own. */
struct gbt_attachment {
	unsigned number;   /* its place in the list of attachments, from 1; 0: among these */
	const char *title; /* "" or NULL: the first line of the body */
	const char *body;  /* paragraphs ended by LF */
};

/* Every text may be "" or NULL, every day 0: then it is left out and its place stays. */
struct gbt9704 {
	enum gbt_layout layout;
	const char *organ;       /* 发文机关; the head adds 文件 or 会议纪要 */
	const char *number;      /* 发文字号 */
	const char *signer;      /* 签发人, of an 上行文 */
	const char *copy_number; /* 份号 */
	bool plain;              /* without room for a seal */
	int32_t dated, printed;  /* 成文日期, 印发日期 (date.h) */
	const char *printer;     /* 印发机关 */
	bool practice;           /* a rehearsal county's: 演练 across every page */
	/* Its lists of organs and schools hold names as they are shown, not codes. */
	const struct draft *draft;
	const struct gbt_attachment *attachments;
	size_t attachment_count;
	/* Names of organs and schools, which a title's lines do not part; words: NULL = the usual ones. */
	const char *const *names;
	size_t name_count;
	const char *const *words;
	size_t word_count;
};

/* Writes the file as a whole under its name; *pages (may be NULL) is always even. ERR_TOO_LARGE: a title
 * of more than TITLE_MAX characters, more organs that get copies than a page has room for, or more text
 * than any paper. Others: as pdf_open and pdf_close. */
enum err gbt9704_print(const char *path, const struct gbt9704 *doc, unsigned *pages, struct problem *p);

#endif
