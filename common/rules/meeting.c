#include "meeting.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "clock.h"
#include "date.h"
#include "lang.h"
#include "text.h"
#include "workday.h"

#define MINUTE_US INT64_C(60000000)

/* ---- Times ---- */

enum err meeting_time(int64_t *out, const char *text)
{
	char day[16];
	unsigned hour, minute;
	int32_t date;
	int used = 0;

	*out = 0;
	if (sscanf(text, "%15s %2u:%2u%n", day, &hour, &minute, &used) != 3 || text[used] || hour > 23 ||
		minute > 59 || date_parse(day, DATE_EPOCH_1900, &date))
		return ERR_INVALID;
	*out = workday_begin(date) + (int64_t)(hour * 60 + minute) * MINUTE_US;
	return ERR_OK;
}

void meeting_time_text(char out[MEETING_TIME_SIZE], int64_t at)
{
	char text[TIME_TEXT_SIZE];

	time_format(text, at);
	snprintf(out, MEETING_TIME_SIZE, "%.10s %.5s", text, text + 11);
}

/* ---- The file ---- */

enum line { SUBJECT, PURPOSE, HOST, START, END, PLACE, CHAIR, ATTEND, AGENDA, REPLY_DUE, QUORUM, LINES };
static const struct {
	const char *name;
	bool required;
} lines[LINES] = {
	[SUBJECT] = {"主题", true},
	[PURPOSE] = {"目的", false},
	[HOST] = {"主承办", false},
	[START] = {"开始", true},
	[END] = {"结束", true},
	[PLACE] = {"地点", true},
	[CHAIR] = {"主持", true},
	[ATTEND] = {"参会", true},
	[AGENDA] = {"议程", false},
	[REPLY_DUE] = {"回执截止", false},
	[QUORUM] = {"法定人数", false},
};

static char *trim(char *text)
{
	size_t n;

	while (*text == ' ' || *text == '\t')
		text++;
	for (n = strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
		text[n - 1] = 0;
	return text;
}

/* The parts of a text between a mark that is also written at full width; empty ones are not kept. */
static size_t split(char *text, const char *mark, const char *wide, const char **out, size_t max)
{
	size_t n = 0;

	while (text && n < max) {
		char *a = strstr(text, mark), *b = strstr(text, wide), *end = !a || (b && b < a) ? b : a;
		char *next = end ? end + (end == b ? strlen(wide) : strlen(mark)) : NULL;
		if (end)
			*end = 0;
		text = trim(text);
		if (*text)
			out[n++] = text;
		text = next;
	}
	return n;
}

static enum err line_problem(struct problem *p, int row, enum line line, const char *how)
{
	enum err e = problem_set(p, ERR_INVALID, lines[line].name, NULL, _("第 %d 行“%s”写得不对：%s"), row,
		lines[line].name, how);

	p->row = row;
	return e;
}

/* 题目|分钟|发言人 */
static bool take_item(struct meeting_item *item, char *text)
{
	const char *parts[4];
	size_t n = split(text, "|", "｜", parts, 4);
	char *rest;

	if (n < 2 || n > 3)
		return false;
	long minutes = strtol(parts[1], &rest, 10);
	*item = (struct meeting_item){parts[0], n == 3 ? parts[2] : "", (int32_t)minutes};
	return !*rest && minutes > 0 && minutes <= 1440;
}

static enum err take_agenda(
	struct meeting_plan *out, char *value, int row, struct arena *arena, struct problem *p)
{
	const char *items[MEETING_AGENDA_MAX];
	size_t n = split(value, ";", "；", items, MEETING_AGENDA_MAX);

	out->agenda = arena_alloc(arena, sizeof *out->agenda * (n + 1));
	if (!out->agenda)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (!take_item(&out->agenda[out->agenda_count++], (char *)(uintptr_t)items[i]))
			return line_problem(p, row, AGENDA, _("每一项是 题目|分钟|发言人，用；隔开"));
	return ERR_OK;
}

static enum err take_list(struct draft_list *out, char *value, struct arena *arena)
{
	out->items = arena_alloc(arena, sizeof *out->items * (DRAFT_LIST_MAX + 1));
	if (!out->items)
		return ERR_NOMEM;
	out->n = split(value, ";", "；", out->items, DRAFT_LIST_MAX);
	return ERR_OK;
}

static enum err take_line(struct meeting_plan *out, enum line line, char *value, int row, struct arena *arena,
	struct problem *p)
{
	const char **texts[LINES] = {[SUBJECT] = &out->subject,
		[PURPOSE] = &out->purpose,
		[HOST] = &out->host,
		[PLACE] = &out->place,
		[CHAIR] = &out->chair};
	char *rest;

	switch (line) {
	case START:
	case END:
		return meeting_time(line == START ? &out->start : &out->end, value)
			? line_problem(p, row, line, _("例如 2026-09-12 09:00"))
			: ERR_OK;
	case ATTEND:
		return take_list(&out->attend, value, arena);
	case AGENDA:
		return take_agenda(out, value, row, arena, p);
	case REPLY_DUE:
		return date_parse(value, DATE_EPOCH_1900, &out->reply_due)
			? line_problem(p, row, line, _("例如 2026-09-10"))
			: ERR_OK;
	case QUORUM:
		out->quorum = (int32_t)strtol(value, &rest, 10);
		return *rest || out->quorum < 1 || out->quorum > 100000
			? line_problem(p, row, line, _("写人数"))
			: ERR_OK;
	default:
		*texts[line] = value;
		return ERR_OK;
	}
}

static enum err parse_line(struct meeting_plan *out, char *text, int row, bool met[LINES],
	struct arena *arena, struct problem *p)
{
	char *wide = strstr(text, "："), *half = strchr(text, ':');
	char *mark = !wide || (half && half < wide) ? half : wide;
	char *value = mark ? mark + (mark == wide ? strlen("：") : 1) : NULL;

	if (mark)
		*mark = 0;
	const char *name = trim(text);
	for (int i = 0; mark && i < LINES; i++) {
		if (strcmp(lines[i].name, name) != 0)
			continue;
		if (met[i])
			return line_problem(p, row, (enum line)i, _("写了两次"));
		value = trim(value);
		met[i] = *value != 0;
		return *value ? take_line(out, (enum line)i, value, row, arena, p) : ERR_OK;
	}
	enum err e = problem_set(p, ERR_INVALID, "file", NULL, _("第 %d 行看不懂：“%s”"), row, name);
	p->row = row;
	return e;
}

enum err meeting_parse(
	struct meeting_plan *out, const char *bytes, size_t n, struct arena *arena, struct problem *p)
{
	bool met[LINES] = {false};
	int row = 0;

	*out = (struct meeting_plan){.subject = "", .purpose = "", .host = "", .place = "", .chair = ""};
	if (n > MEETING_BYTES_MAX)
		return problem_set(p, ERR_TOO_LARGE, "file", NULL, NULL);
	if (memchr(bytes, 0, n) || !text_utf8_valid(bytes, n))
		return problem_set(p, ERR_INVALID, "file", _("另存为 UTF-8 文本（.txt）再办"),
			_("会议预案不是 UTF-8 文本"));
	char *text = arena_text(arena, bytes, n), *next;
	if (!text)
		return ERR_NOMEM;
	if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
		text += 3;
	for (; text; text = next) {
		char *end = strchr(text, '\n');
		next = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		row++;
		text = trim(text);
		enum err e = *text ? parse_line(out, text, row, met, arena, p) : ERR_OK;
		if (e)
			return e == ERR_NOMEM ? problem_set(p, e, NULL, NULL, NULL) : e;
	}
	for (int i = 0; i < LINES; i++)
		if (lines[i].required && !met[i])
			return problem_set(p, ERR_MISSING, "file", NULL, _("没有写“%s”"), lines[i].name);
	return ERR_OK;
}

/* ---- At the door ---- */

static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void meeting_code(
	char out[MEETING_CODE_SIZE], const uint8_t secret[MEETING_SECRET], const uint8_t id[16], int32_t day)
{
	uint8_t hash[crypto_auth_hmacsha256_BYTES];
	char text[64], name[37];
	uint64_t bits = 0;

	id_format(name, id);
	int n = snprintf(text, sizeof text, "jg meeting%s%08d", name, (int)day);
	crypto_auth_hmacsha256(hash, (const uint8_t *)text, (unsigned long long)n, secret);
	for (int i = 0; i < 5; i++)
		bits = bits << 8 | hash[i];
	for (int i = 0; i < 8; i++)
		out[i] = base32[bits >> (35 - 5 * i) & 31];
	out[8] = 0;
}

void meeting_code_typed(char out[MEETING_CODE_SIZE], const char *text)
{
	size_t n = 0;

	for (; *text && n < MEETING_CODE_SIZE - 1; text++) {
		char c = (char)toupper((unsigned char)*text);
		if (c == ' ' || c == '-')
			continue;
		out[n++] = (char)(c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c);
	}
	out[n] = 0;
	if (strspn(text, " -") != strlen(text))
		out[0] = 0;
}

enum meeting_presence meeting_presence(
	enum meeting_reply reply, int64_t signed_at, int64_t start, int32_t late)
{
	if (!signed_at)
		return reply == MEETING_REPLY_LEAVE ? MEETING_LEAVE : MEETING_ABSENT;
	if (reply == MEETING_REPLY_SUBSTITUTE)
		return MEETING_SUBSTITUTE;
	return signed_at <= start + late * MINUTE_US ? MEETING_PRESENT : MEETING_LATE;
}

bool meeting_counts(enum meeting_presence x)
{
	return x != MEETING_ABSENT && x != MEETING_LEAVE;
}

int64_t meeting_person_hours(size_t persons, int64_t start, int64_t end, int32_t way_minutes)
{
	int64_t minutes = (end - start) / MINUTE_US + way_minutes;

	return ((int64_t)persons * minutes * 100 + 30) / 60;
}
