/* docx_read.h - a document in memory, read from .docx (ISO/IEC 29500, strict or not): its paragraphs with the
 * type they are shown in, and the measures of its pages. Text of text boxes, foot notes and what was deleted
 * under tracking is left out, and so are numbers that the program counts by itself. Owns what styles inherit;
 * knows no rule of any document. Reading blocks. One thread. */
#ifndef JG_DOCX_READ_H
#define JG_DOCX_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "err.h"

#define DOCX_PARAGRAPHS_MAX 20000

enum docx_aligned { DOCX_LEFT, DOCX_CENTRED, DOCX_RIGHT, DOCX_BOTH };
enum docx_pitch { DOCX_AUTO, DOCX_EXACT, DOCX_AT_LEAST };

struct docx_run {
	const char *text;
	int half_points;  /* of its size: 32 is 三号 */
	const char *font; /* of its Chinese characters; "" when nothing says it */
};

struct docx_paragraph {
	const char *text;
	struct docx_run *runs;
	size_t run_count;
	enum docx_aligned aligned;
	int first_twips, first_chars; /* indent of the first line: 1/20 pt, 1/100 of a character; 0 = none */
	int line;                     /* 1/20 pt, or 1/240 of a line when `pitch` is DOCX_AUTO */
	enum docx_pitch pitch;
	bool in_table;
};

struct docx_section {
	int width, height, top, right, bottom, left; /* 1/20 pt */
	int grid;                                    /* how far its lines stand apart, 1/20 pt; 0: no grid */
};

struct docx {
	struct docx_paragraph *paragraphs;
	size_t paragraph_count;
	struct docx_section *sections;
	size_t section_count;
	bool page_number; /* a footer that is used has one */
};

/* Everything lives in the arena. Errors, each with advice in *p: ERR_FILE_FORMAT, ERR_FILE_DAMAGED,
 * ERR_FILE_LIMIT (also for a DTD), ERR_FILE_IO, ERR_NOMEM. */
enum err docx_read_file(const char *path, struct docx *out, struct arena *arena, struct problem *p);
/* The same from memory; `name` is the file's name for messages. */
enum err docx_read_memory(const void *bytes, size_t n, const char *name, struct docx *out,
	struct arena *arena, struct problem *p);

#endif
