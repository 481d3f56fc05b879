/* document_files.h - the files that hang on a version of a paper: those that an event brings, or those
 * that stay. A file is a blob of the county (services/sync_calls.c) that was looked at
 * (documents_inspect_file). One thread: the loop's. */
#ifndef JG_DOCUMENT_FILES_H
#define JG_DOCUMENT_FILES_H

#include "documents_calls.h"
#include "draft_digest.h"
#include "draft_rules.h"

#define DOCUMENT_FILES_MAX 50
#define DOCUMENT_FILES_BYTES (100u << 20)

struct document_files {
	struct draft_file_hash hash[DOCUMENT_FILES_MAX]; /* names and hashes, in their order */
	struct draft_file fault[DOCUMENT_FILES_MAX];     /* what came of looking at each */
	uint64_t size[DOCUMENT_FILES_MAX];
	size_t n;
};

/* Adds the statements: of the paper that the ask names, and of what it brings. */
void document_files_query(struct request *r);
/* What hangs on the version that stands, or on what schools hold. */
void document_files_before(struct request *r, struct document_files *f);
/* What hangs on the version that this event makes. False: refused. */
bool document_files_after(struct request *r, const struct document_files *before, struct document_files *f);
/* As an answer names them. NULL: no memory. */
pb_document_attach **document_files_reply(struct request *r, const struct document_files *f, size_t *n);
/* Adds the statement that writes them with their version. */
void document_files_write(
	struct request *r, const uint8_t id[16], int32_t version, const struct document_files *f);

#endif
