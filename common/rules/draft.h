/* draft.h - an official document as its drafter types it: UTF-8, lines 名：值, a line ---, the body with a
 * paragraph a line. What is printed, judged and signed is read from this alone. Owns the form; judges nothing
 * (draft_rules.h). Text borrows from the arena. Any thread. Rule: 《党政机关公文处理工作条例》 art. 9. */
#ifndef JG_DRAFT_H
#define JG_DRAFT_H

#include "arena.h"

#define DRAFT_BYTES_MAX (64u << 10) /* of a file, as a school's record holds it: 20,000 characters */
#define DRAFT_TITLE_MAX 1000        /* bytes, as there: 330 characters, more than any page has room for */
#define DRAFT_LIST_MAX 200          /* names in one line: a county's organs and schools by group */
#define DRAFT_QUESTIONS_MAX 40

/* Names between ； */
struct draft_list {
	const char **items;
	size_t n;
};

enum draft_answer { DRAFT_NUMBER, DRAFT_DATE, DRAFT_TEXT, DRAFT_FILE, DRAFT_CHOICE };

/* What schools are asked: 反馈：label|type[@period]. */
struct draft_question {
	const char *key; /* "q1" */
	const char *label;
	enum draft_answer type;
	struct draft_list choices; /* of DRAFT_CHOICE */
	const char *period;        /* "" = none */
};

/* Every text is "" when its line is absent. */
struct draft {
	const char *title, *genre /* 文种 */, *publicity /* 公开 */, *publicity_reason;
	const char *urgency, *mark /* 标识 */, *secrecy /* 密级, which no paper here may have */;
	const char *reply_to /* 答复: a number */, *skip_reason /* 越级理由 */, *contact, *phone,
		*note /* 附注 */;
	struct draft_list to, cc, matters /* 请示事项 */, attachments, present, excused, observers;
	struct draft_question *questions;
	size_t question_count;
	const char *body;        /* paragraphs, each ended by LF */
	const char **paragraphs; /* the same, without LF; none is empty */
	size_t paragraph_count;
};

/* CRLF, CR and a BOM are taken; blanks around names, values and paragraphs are not kept, empty lines, empty
 * items of a list and tabs neither. ':' may stand for ：, ';' for ； in lists; 反馈 may have a line for each
 * question. All is in the normal form NFC. ERR_INVALID with p->row and field for what is not of this form:
 * not UTF-8, a character that text_forbidden names, a line without ：, an unknown or repeated name, no ---, a
 * question without a type, a 紧急程度 or 标识 that is none (one that speaks of secrets is left to R07);
 * ERR_MISSING for 标题, 文种, 公开 or the body; ERR_TOO_LARGE; ERR_NOMEM. After an error `out` must not be
 * read. */
enum err draft_parse(struct draft *out, const char *bytes, size_t n, struct arena *arena, struct problem *p);

/* The 15 文种 of art. 8, with what is known of each. */
enum draft_direction { DRAFT_NONE = 1, DRAFT_UP = 2, DRAFT_LEVEL = 4, DRAFT_DOWN = 8 };
struct draft_genre {
	const char *name;
	unsigned directions; /* DRAFT_UP | … that its 主送 may have; 0: known, and not issued by a bureau */
};
/* NULL: no 文种. */
const struct draft_genre *draft_genre(const char *name);

#endif
