/* draft_digest.h - what two versions of a draft have in common: the digest that is signed, whether a change
 * touches the substance, whether a question was asked before, and what the draft costs each school. Knows no
 * document, person or school. Any thread. */
#ifndef JG_DRAFT_DIGEST_H
#define JG_DRAFT_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "draft.h"
#include "hash.h"

/* A file that hangs on the draft, in its order; the name is NFC. */
struct draft_file_hash {
	const char *name;
	uint8_t sha256[HASH_SIZE];
};

#define DRAFT_HEX_SIZE (2 * HASH_SIZE + 1)
void draft_hex(char out[DRAFT_HEX_SIZE], const uint8_t hash[HASH_SIZE]);

/* The lines that the digest of a parsed draft is over, NUL-terminated in the arena: anybody can make them from
 * the file and hash them. ERR_INVALID for a file's name with a character that no text may hold; ERR_NOMEM,
 * ERR_TOO_LARGE by the arena. */
enum err draft_digest_lines(const char **out, const struct draft *d, const struct draft_file_hash *files,
	size_t n, struct arena *arena);
/* Their SHA-256. */
enum err draft_digest(uint8_t out[HASH_SIZE], const struct draft *d, const struct draft_file_hash *files,
	size_t n, struct arena *arena);

struct draft_version {
	const struct draft *draft;
	const struct draft_file_hash *files;
	size_t file_count;
};
/* Whether title, body, each name of 主送 and 抄送, each question and the files' hashes are equal after
 * NFKC without white space, punctuation and control characters – but for those of a number: 3.5 is not 35
 * –, and 标识 and 公开 as they are: then a change is one of form only. The order of names and of files
 * counts, the files' names do not. ERR_NOMEM, ERR_TOO_LARGE by the arena. */
enum err draft_same_substance(
	bool *same, const struct draft_version *a, const struct draft_version *b, struct arena *arena);

/* By which a question is known again: its label in small letters without white space and marks, a line feed,
 * its period so too ("" = none). */
enum err draft_question_key(const char **out, const char *label, const char *period, struct arena *arena);

/* Minutes of a school's time. */
struct draft_minutes {
	int64_t base, characters; /* one minute for so many characters of the body, begun ones too */
	int64_t answer[DRAFT_CHOICE + 1];
};
extern const struct draft_minutes draft_minutes_default;
/* minutes_per_school; line ends are no characters. */
int64_t draft_cost(const struct draft *d, const struct draft_minutes *minutes);

#endif
