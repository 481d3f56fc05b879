/* The year of a table of the transition. */
#include <stdio.h>
#include <string.h>

#include "cycle.h"
#include "import_transition.h"
#include "lang.h"
#include "way.h"

/* A year in a title is this one's neighbour, or something else. */
static bool is_near(const struct import *im, int32_t year)
{
	return year >= im->today / 10000 - 3 && year <= im->today / 10000 + 2;
}

static enum err ask_year(struct import *im, const struct cycle *cycle)
{
	im->report->ask_year = cycle_year_of(im->today);
	if (cycle->known)
		return problem_set(im->p, ERR_PHASE, "--year", _("若是下一年的，请加 --year 年份"),
			_("%d 年的升学工作已经办结"), cycle->year);
	char hint[128];
	snprintf(hint, sizeof hint, _("请先 %s 收取县里的年度，或在命令后加 --year %d"), way("sync"),
		im->report->ask_year);
	return problem_set(im->p, ERR_NOT_NOW, "--year", hint, "%s",
		_("还没有收到县里的升学年度，文件标题里也没有年份：不知道是哪一年的小升初"));
}

/* A year that is open, or can be opened yet (this one and the next): the server takes no other. */
static enum err check_year(struct import *im, const struct cycle *latest)
{
	struct cycle of;
	struct problem later = {0};
	enum err e = cycle_find(im->store, im->year, &of, im->p);
	char hint[160];

	if (e)
		return e;
	if (strcmp(of.phase, "closed") == 0)
		return problem_set(im->p, ERR_PHASE, "--year", _("若是下一年的，请加 --year 年份"),
			_("%d 年的升学工作已经办结"), im->year);
	if (of.known)
		return ERR_OK;
	if (latest->known)
		snprintf(hint, sizeof hint, _("现在办理的是 %d 年：--year %d"), latest->year, latest->year);
	else
		snprintf(hint, sizeof hint, _("核对年份；先 %s 收取县里的年度"), way("sync"));
	if (im->year < im->today / 10000 || im->year > im->today / 10000 + 1 ||
		(latest->known && im->year < latest->year))
		return problem_set(
			im->p, ERR_USAGE, "--year", hint, _("县里没有 %d 年的小升初工作"), im->year);
	if (!latest->known)
		return ERR_OK;
	problem_set(
		&later, ERR_NOT_NOW, NULL, hint, _("%d 年还没有开始：先存着，县局开始后才看得到"), im->year);
	import_warn_page(im, NULL, "YEAR_NOT_OPEN", &later);
	return ERR_OK;
}

/* The year that a destination or a roster belongs to: told, else written in the file, else that of the cycle.
 * Never guessed: rows of another year are seen by nobody. */
enum err import_cycle_begin(struct import *im)
{
	const struct import_options *o = im->options;
	struct cycle cycle;
	struct import_hint hint = {0};
	enum err e = cycle_read(im->store, im->today, &cycle, im->p);

	if (e)
		return e;
	for (size_t i = 0; !hint.year && i < im->book.n; i++)
		import_hint_read(im, im->book.tables[i].table, im->book.tables[i].page, &hint);
	bool closed = strcmp(cycle.phase, "closed") == 0;
	if (o->year)
		im->year = o->year;
	else if (is_near(im, hint.year))
		im->year = hint.year;
	else
		im->year = 0;
	if (!im->year && (!cycle.known || (closed && cycle_year_of(im->today) > cycle.year)))
		return ask_year(im, &cycle);
	if (!im->year)
		im->year = cycle.year;
	im->report->year = im->year;
	if (cycle.known && im->year < cycle.year && !o->year)
		return problem_set(im->p, ERR_CONFLICT, NULL, _("确实要导入旧年度的表，请加 --year 年份"),
			_("标题写的是 %d 年，现在办理的是 %d 年"), im->year, cycle.year);
	return check_year(im, &cycle);
}
