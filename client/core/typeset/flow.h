/* flow.h - lines of text that run from page to page, and what must stay together at their end. Knows the type
 * area of an official document (GB/T 9704-2012: 22 rows of 28 characters in 156 × 225 mm) and nothing of its
 * elements. One thread. */
#ifndef JG_FLOW_H
#define JG_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "setting.h"

#define AREA_LEFT 28.0
#define AREA_RIGHT 184.0
#define AREA_TOP 37.0
#define AREA_BOTTOM 262.0
#define AREA_MIDDLE ((AREA_LEFT + AREA_RIGHT) / 2)
#define AREA_C (156.0 / 28)                             /* a character's cell */
#define AREA_P (225.0 / 22)                             /* a row */
#define AREA_ROW(n) (AREA_TOP + ((n)-1) * AREA_P + 7.5) /* the base line of row n */
#define BODY_SIZE 16.0                                  /* 三号 */
#define BODY_EM SET_EM(BODY_SIZE)
#define EM_BELOW 0.12 /* of the size, from the base line down */
#define EM_ABOVE 0.88
#define LAST_BASE_LINE (AREA_BOTTOM - EM_BELOW * BODY_EM)

#define BESIDE_MAX 2
struct flow_line {
	struct set_text text;
	double x, pitch;
	struct {
		struct set_text text;
		double x;
	} beside[BESIDE_MAX]; /* what hangs before it */
	size_t beside_count;
	bool heads;  /* the next line must not be on another page, where that is possible */
	double down; /* rows below the line before, when that is on the same page */
	unsigned page;
	double y;
};

struct flow {
	struct flow_line *lines;
	size_t n, room;
	size_t first; /* this line must stand on the first page */
	size_t tail;  /* from here on the lines stay together, with text before them on their page; n: none */
};

/* A paragraph, broken and spread. `down`: of its first line. */
void flow_paragraph(
	struct setting *s, struct flow *f, struct set_text text, double first, double rest, double down);
/* One line as it is. */
void flow_line(struct setting *s, struct flow *f, struct set_text text, double x, double pitch, double down);
/* Words before a line, such as 附件：, which the line knows nothing of. */
void flow_beside(struct setting *s, struct flow *f, size_t line, struct set_text text, double x);
/* Gives every line its page and place; the first stands on that base line. False: `first` is not on that page,
 * or the tail could not be given company. */
bool flow_place(struct flow *f, unsigned page, double y);
void flow_set(struct setting *s, const struct flow *f);

#endif
