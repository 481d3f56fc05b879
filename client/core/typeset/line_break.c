#include "line_break.h"

#include <wchar.h>

#define SHORT_MAX 2.0 /* cells: a full line ends not before its last cell but two */
#define ALMOST 1e-6

/* The first marks are the standard's own; the rest are their like, and give way where a line has no other
 * end. */
static const wchar_t no_begin[] = L"、，。；：？！）》”’」",
		     no_begin_either[] = L"』】〉〕］｝…—·％‰℃,.;:?!)]}%";
static const wchar_t no_end[] = L"（《“‘", no_end_either[] = L"「『【〈〔［｛([{￥";

static bool is_one(const wchar_t *marks, int32_t code)
{
	return code && wcschr(marks, (wchar_t)code);
}

bool line_no_begin(int32_t code)
{
	return is_one(no_begin, code) || is_one(no_begin_either, code);
}

bool line_no_end(int32_t code)
{
	return is_one(no_end, code) || is_one(no_end_either, code);
}

static bool is_space(int32_t code)
{
	return code == ' ' || code == 0x3000;
}

double line_step(const struct line_unit *unit, double pitch)
{
	if (!unit->full)
		return unit->width;
	return unit->squeezed ? pitch / 2 : pitch;
}

/* Blanks at the end of a line take no room. */
static size_t without_blanks(const struct line_unit *units, size_t n)
{
	while (n > 1 && is_space(units[n - 1].code))
		n--;
	return n;
}

double line_width(const struct line_unit *units, size_t n, double pitch, double em)
{
	double width = 0;

	n = without_blanks(units, n);
	for (size_t i = 0; i < n; i++)
		width += line_step(&units[i], pitch);
	if (n && units[n - 1].full)
		width += em - pitch; /* the last one ends where it ends, not where its cell does */
	return width;
}

static bool may_break(const struct line_unit *units, size_t k, bool strict)
{
	const struct line_unit *before = &units[k - 1], *behind = &units[k];

	if (is_one(no_begin, behind->code) || is_one(no_end, before->code))
		return false;
	if (strict && (line_no_begin(behind->code) || line_no_end(before->code)))
		return false;
	if (before->code == behind->code && is_one(L"…—", behind->code))
		return false;
	if (is_space(behind->code))
		return false; /* the blank stays behind, where it is not seen */
	if (!before->full && !behind->full)
		return before->code == ' ';
	return true;
}

/* What the line would leave empty that spreading does not fill, in cells. */
static double left_empty(const struct line_unit *units, size_t n, double room, const struct line_grid *grid)
{
	return (room - line_width(units, n, grid->most, grid->em)) / grid->cell;
}

/* How many fit at the narrowest. */
static size_t fitting(const struct line_unit *units, size_t n, double room, const struct line_grid *grid)
{
	double width = 0;
	size_t k = 0;

	while (k < n) {
		width += line_step(&units[k], grid->cell);
		if (width > room + ALMOST && !is_space(units[k].code))
			break;
		k++;
	}
	return k ? k : 1;
}

/* Squeezes the marks of the first k units that stand before another mark; how many. */
static size_t squeeze(struct line_unit *units, size_t k, bool squeezed)
{
	size_t count = 0;

	for (size_t i = 0; i + 1 < k; i++)
		if (units[i].full && line_no_begin(units[i].code) && units[i].code < 0xFF5F &&
			units[i].code != 0x2014 && units[i].code != 0x2026 &&
			line_no_begin(units[i + 1].code)) {
			units[i].squeezed = squeezed;
			count++;
		}
	return count;
}

/* A word or a number that is longer than what a line can leave empty is cut where the line ends, an
 * address behind one of its marks when there is one near. */
static size_t cut_run(const struct line_unit *units, size_t fit, double room, const struct line_grid *grid)
{
	static const wchar_t joints[] = L"/@?&=_-.";
	size_t k;

	for (k = fit; k > 1 && left_empty(units, k, room, grid) < SHORT_MAX - 0.1; k--)
		if (!units[k].full && !units[k - 1].full && wcschr(joints, (wchar_t)units[k - 1].code) &&
			!line_no_begin(units[k].code))
			return k;
	for (k = fit; k > 1; k--)
		if (!line_no_begin(units[k].code) && !line_no_end(units[k - 1].code) &&
			!is_space(units[k].code))
			return k;
	return fit;
}

/* The last place before `fit` where a line may end that is then full; 0: there is none. */
static size_t last_break(
	const struct line_unit *units, size_t fit, double room, const struct line_grid *grid, bool strict)
{
	size_t k = fit;

	while (k > 1 && !may_break(units, k, strict))
		k--;
	return may_break(units, k, strict) && left_empty(units, k, room, grid) < SHORT_MAX - 0.1 ? k : 0;
}

size_t line_end(struct line_unit *units, size_t n, double room, const struct line_grid *grid)
{
	size_t fit = fitting(units, n, room, grid), k;

	if (fit >= n)
		return n;
	if ((k = last_break(units, fit, room, grid, true)))
		return k;
	/* Marks that hang over: room is made for them. */
	size_t over = fit;
	while (over < n && !may_break(units, over, true))
		over++;
	if (squeeze(units, over, true) &&
		line_width(units, over, grid->cell, grid->em) <= room + (grid->em - grid->cell) + ALMOST)
		return over;
	squeeze(units, over, false);
	k = last_break(units, fit, room, grid, false);
	return k ? k : cut_run(units, fit, room, grid);
}

double line_pitch(const struct line_unit *units, size_t n, double room, const struct line_grid *grid)
{
	double cells = 0, fixed = 0;

	n = without_blanks(units, n);
	for (size_t i = 0; i < n; i++) {
		if (!units[i].full)
			fixed += units[i].width;
		else if (i + 1 == n)
			fixed += grid->em;
		else
			cells += units[i].squeezed ? 0.5 : 1;
	}
	double pitch = cells > 0 ? (room - fixed) / cells : grid->cell;
	if (pitch < grid->cell)
		return grid->cell;
	if (pitch > grid->most)
		return grid->most;
	return pitch;
}
