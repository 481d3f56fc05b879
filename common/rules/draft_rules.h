/* draft_rules.h - what a draft may not be: the rules R02 to R17 that its text and a few facts decide, in order.
 * Owns the rules and the sentences that refuse; knows no state, no person and no number. Takes no memory.
 * Any thread. Rule: 《党政机关公文处理工作条例》 art. 8-15. */
#ifndef JG_DRAFT_RULES_H
#define JG_DRAFT_RULES_H

#include <stdbool.h>

#include "codes.h"
#include "draft.h"

/* What an organ is to ours. */
enum draft_relation { RELATION_UNKNOWN, RELATION_SUPERIOR, RELATION_HIGHER, RELATION_PEER, RELATION_BELOW };

struct draft_organ {
	const char *name;
	enum draft_relation relation;
};

/* A file that hangs on the draft, and what came of looking at it. */
enum draft_file_fault { FILE_SOUND, FILE_INFECTED, FILE_UNSCANNED, FILE_CHANGED, FILE_CUT, FILE_WRONG_TYPE };
struct draft_file {
	const char *name; /* with its extension */
	enum draft_file_fault fault;
};

struct draft_facts {
	const char *own; /* our organ's name, as it stands in a title */
	const struct draft_organ *organs;
	size_t organ_count;
	const struct draft_file *files;
	size_t file_count;
	void *context; /* of the three below */
	/* What the school of this code teaches (enum stage_bit), 0 for a code that is no live school's. */
	unsigned (*school)(void *context, const char *code);
	/* Whether a paper was registered under this number. */
	bool (*received)(void *context, const char *number);
	/* Whether the county issues this 文种; NULL: all that have directions. */
	bool (*issues)(void *context, const struct draft_genre *genre);
};

/* 小学 初中 幼儿园 高中 全县学校: what they teach, 0 for other words. */
unsigned draft_school_group(const char *name);
/* What a name in 主送 or 抄送 is to us: an organ, a live school or a group of them. */
enum draft_relation draft_relation(const struct draft_facts *f, const char *name);
/* All the directions of 主送: DRAFT_UP | …; DRAFT_NONE without one; 0 when a name is unknown. */
unsigned draft_directions(const struct draft *d, const struct draft_facts *f);
/* Whether the head alone signs it (R18): what goes up, 决定 and 意见. */
bool draft_is_for_head(const struct draft *d, const struct draft_facts *f);

/* 绝密 机密 秘密 beside ★, whatever blanks stand between: R07 for any text, also one that is not a draft's. */
bool draft_text_is_secret(const char *text);

enum draft_when {
	DRAFT_READ,  /* R03, R07 and R12: of whatever is named or read */
	DRAFT_SUBMIT /* all of them */
};

struct draft_refusal {
	unsigned rule;       /* 3 for R03 */
	const char *line;    /* the line that it is about: 主送 */
	struct problem told; /* field is "R03"; message and hint in the user's language; the code is the
				caller's to change */
};

/* The number of the first rule that refuses the draft, told in *r; 0 for none. R12 comes before R03: a person
 * is no unknown organ. What R07 refuses is told without a word of it. */
/* R17 alone, of files that nobody submits: 17, or 0. d NULL: of files that no draft names. */
unsigned draft_judge_files(const struct draft *d, const struct draft_facts *f, struct draft_refusal *r);
unsigned draft_judge(
	const struct draft *d, const struct draft_facts *f, enum draft_when when, struct draft_refusal *r);

#endif
