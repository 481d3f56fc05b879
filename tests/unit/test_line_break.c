/* Where lines of text and of titles end, by the functions alone; on paper they are measured by
 * service/test_typeset.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "line_break.h"
#include "text.h"
#include "title_break.h"

#define C (156.0 / 28)
#define ROOM 156.0
static const struct line_grid grid = {C, 6.02, 5.644};

/* Chinese is full, the rest half as wide. */
static size_t units_of(struct line_unit *out, const char *text)
{
	size_t n = 0;
	int32_t code;

	for (int used; (used = text_next(text, &code)) > 0; text += used)
		out[n++] = (struct line_unit){
			.code = code, .full = code >= 0x2000, .width = code >= 0x2000 ? 5.644 : 2.9};
	return n;
}

static size_t first_line(const char *text, double *pitch)
{
	struct line_unit units[400];
	size_t n = units_of(units, text), end = line_end(units, n, ROOM, &grid);

	*pitch = line_pitch(units, end, ROOM, &grid);
	assert_true(line_width(units, end, *pitch, grid.em) <= ROOM + 0.1);
	return end;
}

static const char *repeated(size_t count, const char *behind)
{
	static char text[2000];

	text[0] = '\0';
	while (count--)
		strcat(text, "安");
	return strcat(text, behind);
}

static void a_line_has_28(void **state)
{
	double pitch;

	(void)state;
	assert_int_equal(first_line(repeated(60, ""), &pitch), 28);
	assert_float_equal(pitch, C, 0.01);
	assert_int_equal(first_line(repeated(5, ""), &pitch), 5); /* the last line of a paragraph */
	assert_int_equal(first_line(repeated(27, "。"), &pitch), 28);
}

static void marks_stay_with_their_words(void **state)
{
	double pitch;

	(void)state;
	/* 。 would begin the second line: it takes a character along, and the first is spread. */
	assert_int_equal(first_line(repeated(28, "。安安"), &pitch), 27);
	assert_float_equal(pitch, (ROOM - grid.em) / 26, 0.01);
	/* What opens goes with what it opens. */
	assert_int_equal(first_line(repeated(27, "（安安安"), &pitch), 27);
	assert_int_equal(first_line(repeated(26, "（《安安安"), &pitch), 26);
	/* Five marks leave more empty than spreading fills: they are squeezed into the line. */
	assert_int_equal(first_line(repeated(25, "。”》）、安安"), &pitch), 30);
	/* A pair is one mark. */
	assert_int_equal(first_line(repeated(27, "——安安"), &pitch), 26);
}

static void numbers_and_words_keep_together(void **state)
{
	double pitch;

	(void)state;
	assert_int_equal(first_line(repeated(27, "2026年安安"), &pitch), 27);
	assert_int_equal(first_line(repeated(20, " word another words"), &pitch), 34);
	/* Longer than any line: it is cut, an address behind a mark. */
	assert_int_equal(
		first_line(repeated(0, "www.example.gov.cn/a/long/way/that/has/no/end/at-all/xyz"), &pitch),
		53);
	assert_int_equal(
		first_line("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &pitch), 53);
}

static void nothing_is_left_over(void **state)
{
	struct line_unit units[400];
	const char *texts[] = {
		"，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，，",
		"（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（（",
		"         ", "a", "　"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t n = units_of(units, texts[i]), at = 0, lines = 0;
		while (at < n) {
			size_t took = line_end(units + at, n - at, ROOM, &grid);
			assert_in_range(took, 1, n - at);
			at += took;
			lines++;
		}
		assert_in_range(lines, 1, 3);
	}
}

static void titles(void **state)
{
	static const char *const names[] = {"演练县教育局"};
	const struct title_words words = {names, 1, NULL, 0, NULL};
	static const struct {
		const char *title, *first; /* line */
		size_t lines;
	} rows[] = {
		{"关于做好2026年开学工作的通知", "关于做好2026年开学工作的通知", 1},
		{"演练县教育局关于进一步加强全县中小学校校园安全隐患排查整治专项工作的通知",
			"演练县教育局关于进一步加强全县中小学校", 2},
		/* A name in 《》 that is longer than a line is parted all the same. */
		{"转发《关于一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十的意见》的通知", NULL,
			3},
		{"", "", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t ends[TITLE_LINES_MAX], n = title_break(rows[i].title, &words, ends);
		assert_int_equal(n, rows[i].lines);
		assert_int_equal(ends[n - 1], strlen(rows[i].title));
		if (rows[i].first)
			assert_memory_equal(rows[i].title, rows[i].first, ends[0]);
	}
	/* Without words of one's own there is another way. */
	const char *none[] = {""};
	const struct title_words bare = {NULL, 0, none, 0, NULL};
	size_t ends[TITLE_LINES_MAX];
	assert_int_equal(title_break(rows[1].title, &bare, ends), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_28),
		cmocka_unit_test(marks_stay_with_their_words),
		cmocka_unit_test(numbers_and_words_keep_together),
		cmocka_unit_test(nothing_is_left_over),
		cmocka_unit_test(titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
