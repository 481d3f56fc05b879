/* line_break.h - where a line of Chinese text ends and how far apart its characters stand. Pure: it is told how
 * wide things are and draws nothing. Any thread. Rule: GB/T 9704-2012, 28 characters to a line of 156 mm, with
 * what no line may begin or end with. */
#ifndef JG_LINE_BREAK_H
#define JG_LINE_BREAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character. A full one takes a cell of the grid; digits and Latin letters are as wide as they are and keep
 * together. */
struct line_unit {
	int32_t code;
	uint8_t font; /* the caller's */
	bool full;
	bool squeezed; /* a mark before another mark that was given half a cell, see line_end */
	double width;  /* of what is not full */
};

struct line_grid {
	double cell; /* how far apart the characters stand in a line that is not spread */
	double most; /* and at the most in one that is */
	double em;   /* how wide a full character is */
};

/* How many of the n units stand in the first line, at least one; n: it is the last line of the paragraph. Where
 * marks could only be kept from the beginning of the next line by leaving more of this one empty than spreading
 * can fill, marks that follow each other are squeezed. */
size_t line_end(struct line_unit *units, size_t n, double room, const struct line_grid *grid);

/* How far apart the full characters of a line stand: so that it ends at the room's end, between cell and
 * most. */
double line_pitch(const struct line_unit *units, size_t n, double room, const struct line_grid *grid);

/* How far a unit pushes the next one, and where a line that begins at 0 ends. */
double line_step(const struct line_unit *unit, double pitch);
double line_width(const struct line_unit *units, size_t n, double pitch, double em);

/* Marks that no line begins with; that no line ends with. */
bool line_no_begin(int32_t code);
bool line_no_end(int32_t code);

#endif
