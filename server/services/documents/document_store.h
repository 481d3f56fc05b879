/* document_store.h - a document in and out of its tables, in one trip each: what is locked and read before an
 * event, what is written behind it. Owns the SQL of one document; judges nothing. One thread: the loop's. */
#ifndef JG_DOCUMENT_STORE_H
#define JG_DOCUMENT_STORE_H

#include "document_files.h"
#include "document_signed.h"

/* A document with what the machine does not look at. */
struct document_file {
	struct document d;
	uint8_t id[16];
	bool is_new;
	const char *kind; /* "in", "out" */
	const char *title, *genre, *mark, *carrier, *from, *their_no, *caller, *phone, *matter, *reply_to;
	const char *number, *take_series; /* take_series: the number to be given, NULL = none */
	int32_t take_year, trace_n;
	uint8_t trace_head[TRACE_HASH];
	const char *file, *questions; /* a new text, or NULL, and what it asks, as JSON */
	const struct draft *asks;     /* the same, parsed; NULL: nothing */
	const char
		*body; /* with the title and the number it is found by this from now on; NULL: it stays so */
	uint8_t digest[TRACE_HASH];
	struct document_files files; /* of that text, or of a paper that comes in */
};

/* Locks it and adds everything of it to the trip; `of` is an id or a number. */
void document_query(struct request *r, const char *of);
/* Reads it. ERR_NOT_FOUND, ERR_NOMEM. */
enum err document_read(struct request *r, struct document_file *f);

/* Adds the statements that write it, its tasks, its text and the entry of its trace. ERR_NOMEM, ERR_INTERNAL
 * when nothing can be signed. */
enum err document_write(struct request *r, struct document_file *f, const struct document_entry *entry);
/* Adds the statement that writes how often the seal was set, behind document_write. */
void document_seal_write(struct request *r, const struct document_file *f, int32_t count);
/* The number that it has now, when that trip is back. "" = none. */
const char *document_written_number(struct request *r, const struct document_file *f);

/* document_archive.c: adds the statement that gives it its 档号, behind document_write. */
void document_give_archive_number(
	struct request *r, const struct document_surroundings *around, const struct document_file *f);

#endif
