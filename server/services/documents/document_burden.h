/* document_burden.h - whom a paper goes to, what it asks of them, what that costs their time, and what
 * they were asked before (doc/documents.md "Burden"). One thread: the loop's. */
#ifndef JG_DOCUMENT_BURDEN_H
#define JG_DOCUMENT_BURDEN_H

#include "documents_calls.h"
#include "draft.h"

/* Codes of schools, each once, by code. */
struct document_addressees {
	const char **codes;
	size_t n;
};

/* The live schools of 主送 and 抄送 among these rows {code, stages}. */
void document_addressees(
	struct request *r, const PGresult *schools, const struct draft *d, struct document_addressees *out);
/* What a school's record has of the questions, as JSON; "" for none. */
const char *document_questions(struct request *r, const struct draft *d);
/* Adds the statement that keeps by what the questions of a version are known again. ERR_NOMEM,
 * ERR_TOO_LARGE. */
enum err document_questions_write(
	struct request *r, const uint8_t id[16], int32_t version, const struct draft *d);

/* A question that some of them were asked before, by a paper that was issued and not recalled. */
struct document_repeat {
	const char *label, *doc, *number, *title;
};
/* Adds the statement, of a paper by its id or number. */
void document_repeats_query(struct request *r, const char *doc);
/* How many there are, the first `max` of them in *out. */
size_t document_repeats(
	struct request *r, const struct document_addressees *to, struct document_repeat *out, size_t max);

#endif
