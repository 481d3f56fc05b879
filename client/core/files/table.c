#include "table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang.h"
#include "text.h"
#include "way.h"

#define HEADER_SEARCH_ROWS 30 /* titles, notes and how-to lines above a header */
#define HEADING_MAX 192       /* bytes of a heading that is compared; longer ones are notes, no names */
#define NOWHERE SIZE_MAX

/* How well a heading of the file stands for a column. */
enum fit {
	FIT_NONE,
	FIT_UNDER_OTHER, /* its own name, but under a merged heading that we do not know */
	FIT_ALIAS,
	FIT_NAME,
	FIT_MAP
};

#define WORDS_MAX 400 /* names and aliases of all columns; the widest kind has some 120 */
#define WORD_MAX 64   /* bytes of one in its normal form */

struct table {
	const struct sheet *sheet;
	size_t first, end;               /* the rows of its page */
	bool groups[HEADER_SEARCH_ROWS]; /* whether a row holds a known group, from the first on */
	struct table_wants wants;        /* its maps are the caller's until it is open */
	struct {
		char text[WORD_MAX]; /* in the form in which headings are compared */
		size_t column;
		enum fit fit;
	} words[WORDS_MAX]; /* names first, then aliases */
	size_t n_words;
	bool any_needed; /* else every column may make a row */
	size_t header;   /* index of the row */
	size_t next, skipped;
	size_t at[TABLE_COLUMNS_MAX]; /* column of the sheet, or NOWHERE */
	struct {
		size_t column;
		const char *nearest;
	} ignored[SHEET_COLUMNS_MAX];
	size_t n_ignored;
};

/* Drops what people put around a name: stars and colons, and with `notes` every group in brackets. */
static void decoration_strip(char *s, bool notes)
{
	static const char *const opening[] = {"(", "[", "【", "〔"},
				 *const closing[] = {")", "]", "】", "〕"};
	char *to = s;

	while (*s) {
		bool dropped = false;
		for (size_t i = 0; notes && !dropped && i < sizeof opening / sizeof *opening; i++) {
			size_t n = strlen(opening[i]);
			char *end = strncmp(s, opening[i], n) == 0 ? strstr(s + n, closing[i]) : NULL;
			if (end) {
				s = end + strlen(closing[i]);
				dropped = true;
			}
		}
		if (dropped)
			continue;
		if (*s == '*' || *s == ':')
			s++;
		else
			*to++ = *s++;
	}
	*to = 0;
}

/* The form in which headings and names are compared; "" for what cannot be a name. */
static void heading_normal(char out[HEADING_MAX], const char *in, bool notes)
{
	if (text_name_key(out, HEADING_MAX, in))
		*out = 0;
	decoration_strip(out, notes);
}

static enum err word_add(struct table *t, const char *name, size_t column, enum fit fit)
{
	char normal[HEADING_MAX];

	heading_normal(normal, name, false);
	if (t->n_words == WORDS_MAX || strlen(normal) >= WORD_MAX)
		return ERR_INTERNAL;
	t->words[t->n_words].column = column;
	t->words[t->n_words].fit = fit;
	strcpy(t->words[t->n_words++].text, normal);
	return ERR_OK;
}

/* Every cell of the first rows is compared with all of them: they are made once. */
static enum err words_make(struct table *t)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < t->wants.n_columns; i++)
		err = word_add(t, t->wants.columns[i].name, i, FIT_NAME);
	for (size_t i = 0; !err && i < t->wants.n_columns; i++)
		for (const char *const *a = t->wants.columns[i].aliases; !err && a && *a; a++)
			err = word_add(t, *a, i, FIT_ALIAS);
	return err;
}

/* The column that a normal heading names. */
static size_t column_named(const struct table *t, const char *heading, enum fit *fit)
{
	for (size_t i = 0; i < t->n_words; i++)
		if (strcmp(t->words[i].text, heading) == 0) {
			*fit = t->words[i].fit;
			return t->words[i].column;
		}
	*fit = FIT_NONE;
	return NOWHERE;
}

/* The column of a text, first as it stands, then without notes in brackets. */
static size_t column_of(const struct table *t, const char *text, enum fit *fit)
{
	char heading[HEADING_MAX];

	*fit = FIT_NONE;
	for (int notes = 0; notes < 2; notes++) {
		heading_normal(heading, text, notes);
		size_t column = *heading ? column_named(t, heading, fit) : NOWHERE;
		if (column != NOWHERE)
			return column;
	}
	return NOWHERE;
}

/* Splits "列=字段" at its last '='; false when there is none. */
static bool map_split(const char *map, char from[HEADING_MAX], const char **field)
{
	char raw[HEADING_MAX];
	const char *equals = strrchr(map, '=');
	size_t n = equals ? (size_t)(equals - map) : 0;

	if (!n || n >= HEADING_MAX)
		return false;
	memcpy(raw, map, n);
	raw[n] = 0;
	heading_normal(from, raw, false);
	*field = equals + 1;
	return true;
}

static size_t column_mapped(const struct table *t, const char *text)
{
	char heading[HEADING_MAX], from[HEADING_MAX];
	const char *field;
	enum fit fit;

	heading_normal(heading, text, false);
	for (size_t i = 0; i < t->wants.n_maps && *heading; i++)
		if (map_split(t->wants.maps[i], from, &field) && strcmp(from, heading) == 0)
			return column_of(t, field, &fit);
	return NOWHERE;
}

/* NULL: no known group. Other words (母亲, 成员2) are read in front of the heading, and then mostly name
 * nothing. */
static const char *group_meaning(const struct table *t, const char *text)
{
	char heading[HEADING_MAX];

	if (!t->wants.groups)
		return NULL;
	heading_normal(heading, text, true);
	for (const struct table_group *g = t->wants.groups; g->word; g++)
		if (strcmp(g->word, heading) == 0)
			return g->means;
	return NULL;
}

static bool is_above(const struct table *t, size_t row)
{
	return row > t->first && t->sheet->rows[row - 1].number + 1 == t->sheet->rows[row].number;
}

static void groups_find(struct table *t)
{
	for (size_t r = t->first; r < t->end && r < t->first + HEADER_SEARCH_ROWS; r++)
		for (size_t c = 0; c < t->sheet->n_columns && !t->groups[r - t->first]; c++)
			t->groups[r - t->first] = group_meaning(t, sheet_text(t->sheet, r, c)) != NULL;
}

/* Whether the row above holds groups: then headings that stand in it alone belong to this row, merged or
 * not. */
static bool has_groups_above(const struct table *t, size_t row)
{
	return is_above(t, row) && t->groups[row - 1 - t->first];
}

/* The heading above this one that covers only some columns, or "": a title over all says nothing. A file
 * without merged cells (.csv) has it over the first of its columns only. */
static const char *group_above(const struct table *t, size_t row, size_t column)
{
	const struct sheet *s = t->sheet;

	if (!is_above(t, row) || sheet_flags(s, row, column) & CELL_FROM_ABOVE)
		return "";
	const char *above = sheet_text(s, row - 1, column);
	for (size_t left = column; !*above && left-- && has_groups_above(t, row);) {
		above = sheet_text(s, row - 1, left);
		if (*above)
			return group_meaning(t, above) ? above : "";
	}
	if (group_meaning(t, above) && has_groups_above(t, row))
		return above;
	bool merged = sheet_flags(s, row - 1, column) & CELL_FROM_LEFT ||
		sheet_flags(s, row - 1, column + 1) & CELL_FROM_LEFT;
	for (size_t other = 0; *above && merged && other < s->n_columns; other++)
		if (*sheet_text(s, row, other) && sheet_text(s, row - 1, other) != above)
			return above;
	return "";
}

/* The heading of a column: of this row, or of the one above when that holds groups and this one is empty
 * here. */
static const char *heading_at(const struct table *t, size_t row, size_t column)
{
	const char *own = sheet_text(t->sheet, row, column);

	if (*own || !has_groups_above(t, row))
		return own;
	const char *above = sheet_text(t->sheet, row - 1, column);
	return group_meaning(t, above) ? "" : above;
}

/* What one cell of a header row stands for. */
static size_t cell_column(const struct table *t, size_t row, size_t column, enum fit *fit)
{
	const char *own = heading_at(t, row, column);
	char both[2 * HEADING_MAX];
	size_t found;

	*fit = FIT_NONE;
	if (!*own || sheet_flags(t->sheet, row, column) & CELL_FROM_LEFT || strlen(own) >= HEADING_MAX)
		return NOWHERE;
	const char *above = *sheet_text(t->sheet, row, column) ? group_above(t, row, column) : "";
	snprintf(both, sizeof both, "%.*s%s", HEADING_MAX - 1, above, own);
	found = column_mapped(t, both);
	if (found == NOWHERE)
		found = column_mapped(t, own);
	if (found != NOWHERE) {
		*fit = FIT_MAP;
		return found;
	}
	const char *means = group_meaning(t, above);
	if (means) {
		snprintf(both, sizeof both, "%s%s", means, own);
		return column_of(t, both, fit);
	}
	if (!*above)
		return column_of(t, own, fit);
	found = column_of(t, both, fit);
	if (found == NOWHERE && (found = column_of(t, own, fit)) != NOWHERE)
		*fit = FIT_UNDER_OTHER;
	return found;
}

/* How many known columns a row names. */
static size_t row_score(const struct table *t, size_t row)
{
	bool seen[TABLE_COLUMNS_MAX] = {false};
	size_t score = 0;
	enum fit fit;

	for (size_t c = 0; c < t->sheet->n_columns; c++) {
		size_t found = cell_column(t, row, c, &fit);
		if (found != NOWHERE && !seen[found]) {
			seen[found] = true;
			score++;
		}
	}
	return score;
}

static void list_add(char *list, size_t size, const char *word)
{
	size_t n = strlen(list);

	snprintf(list + n, size - n, "%s%s", n ? _("、") : "", word);
}

static bool is_needed(const struct table_column *c)
{
	return c->required || c->required_group;
}

/* Names all that is required, each group once; with `t` only what the header lacks. Returns the first. */
static const char *needed_list(
	const struct table *t, const struct table_column *columns, size_t n, char *list, size_t size)
{
	const char *first = NULL;

	*list = 0;
	for (size_t i = 0; i < n; i++) {
		const char *group = columns[i].required_group;
		bool present = t && t->at[i] != NOWHERE, told = !is_needed(&columns[i]);
		for (size_t k = 0; group && k < n; k++)
			if (columns[k].required_group && strcmp(columns[k].required_group, group) == 0) {
				present |= t && t->at[k] != NOWHERE;
				told |= k < i;
			}
		if (present || told)
			continue;
		const char *word = columns[i].required || !group ? columns[i].name : group;
		list_add(list, size, word);
		if (!first)
			first = word;
	}
	return first;
}

/* What --map calls a column of `needed_list`: of a group its first. */
static const char *map_name(const struct table *t, const char *word)
{
	for (size_t i = 0; word && i < t->wants.n_columns; i++) {
		const struct table_column *c = &t->wants.columns[i];
		if (strcmp(c->name, word) == 0 || (c->required_group && strcmp(c->required_group, word) == 0))
			return c->name;
	}
	return t->wants.columns[0].name;
}

static enum err header_find(struct table *t, struct problem *p)
{
	size_t best = 0;
	char list[200];

	for (size_t r = t->first; r < t->end && r < t->first + HEADER_SEARCH_ROWS; r++) {
		size_t score = row_score(t, r);
		if (score > best) {
			best = score;
			t->header = r;
		}
	}
	if (best > 1 || (best == 1 && t->wants.n_columns == 1))
		return ERR_OK;
	const char *first = needed_list(NULL, t->wants.columns, t->wants.n_columns, list, sizeof list);
	return problem_set(p, ERR_FILE_HEADER, NULL,
		way_hint(_("表头一行应写有各列的名称；名称不同时写明哪列是%2$s：--map %1$s=%2$s"),
			_("文件里的列名"), map_name(t, first)),
		_("找不到表头，需要的列：%s"), list);
}

/* A, B … as the spreadsheet shows it. */
static const char *column_letters(char out[4], size_t column)
{
	if (column < 26)
		snprintf(out, 4, "%c", (char)('A' + column));
	else
		snprintf(out, 4, "%c%c", (char)('A' + column / 26 - 1), (char)('A' + column % 26));
	return out;
}

static enum err ambiguous(
	const struct table *t, size_t column, size_t first, size_t second, struct problem *p)
{
	char a[4], b[4];

	problem_set(p, ERR_FILE_HEADER, t->wants.columns[column].name,
		way_hint(_("请改名其中一列，或写明用哪列：--map %s=%s"), heading_at(t, t->header, first),
			t->wants.columns[column].name),
		_("%s 列“%s”和 %s 列“%s”都可作“%s”"), column_letters(a, first),
		heading_at(t, t->header, first), column_letters(b, second), heading_at(t, t->header, second),
		t->wants.columns[column].name);
	if (p)
		p->row = table_header_row(t);
	return ERR_FILE_HEADER;
}

/* Gives every known column its place: the best fit wins, two equally good ones are an error. */
static enum err columns_place(struct table *t, struct problem *p)
{
	enum fit best[TABLE_COLUMNS_MAX] = {FIT_NONE}, fit;
	size_t rival[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < t->wants.n_columns; i++)
		t->at[i] = rival[i] = NOWHERE;
	for (size_t c = 0; c < t->sheet->n_columns; c++) {
		size_t i = cell_column(t, t->header, c, &fit);
		if (i == NOWHERE || fit < best[i])
			continue;
		if (fit == best[i]) {
			rival[i] = c;
			continue;
		}
		best[i] = fit;
		t->at[i] = c;
		rival[i] = NOWHERE;
	}
	for (size_t i = 0; i < t->wants.n_columns; i++)
		if (rival[i] != NOWHERE)
			return ambiguous(t, i, t->at[i], rival[i], p);
	return ERR_OK;
}

static enum err required_check(const struct table *t, struct problem *p)
{
	char list[200];
	const char *first = needed_list(t, t->wants.columns, t->wants.n_columns, list, sizeof list);

	if (!first)
		return ERR_OK;
	problem_set(p, ERR_FILE_HEADER, first,
		way_hint(_("请补上该列；列名不同时写明哪列是%2$s：--map %1$s=%2$s"), _("文件里的列名"),
			map_name(t, first)),
		_("第 %ld 行的表头缺少必填列：%s"), table_header_row(t), list);
	if (p)
		p->row = table_header_row(t);
	return ERR_FILE_HEADER;
}

/* The known column nearest to a text: fewer than half of its characters differ. NULL when none is near. */
static const char *column_nearest(const struct table *t, const char *text)
{
	char heading[HEADING_MAX], name[HEADING_MAX];
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	heading_normal(heading, text, true);
	for (size_t i = 0; i < t->wants.n_columns; i++) {
		const char *const *alias = t->wants.columns[i].aliases;
		for (const char *word = t->wants.columns[i].name; word; word = alias ? *alias++ : NULL) {
			heading_normal(name, word, false);
			size_t distance = text_distance(heading, name);
			size_t length = text_length(heading) > text_length(name) ? text_length(heading)
										 : text_length(name);
			if (distance < best && distance * 2 < length) {
				best = distance;
				nearest = t->wants.columns[i].name;
			}
		}
	}
	return nearest;
}

static bool is_placed(const struct table *t, size_t sheet_column)
{
	for (size_t i = 0; i < t->wants.n_columns; i++)
		if (t->at[i] == sheet_column)
			return true;
	return false;
}

static void ignored_collect(struct table *t)
{
	for (size_t c = 0; c < t->sheet->n_columns; c++) {
		const char *heading = heading_at(t, t->header, c);
		if (*heading && !is_placed(t, c) && !(sheet_flags(t->sheet, t->header, c) & CELL_FROM_LEFT)) {
			t->ignored[t->n_ignored].column = c;
			t->ignored[t->n_ignored++].nearest = column_nearest(t, heading);
		}
	}
}

static enum err maps_check(const struct table *t, struct problem *p)
{
	char from[HEADING_MAX];
	const char *field;
	enum fit fit;

	for (size_t i = 0; i < t->wants.n_maps; i++) {
		if (!map_split(t->wants.maps[i], from, &field))
			return problem_set(p, ERR_USAGE, "--map",
				way_hint(_("左边是文件里的列名，右边是要导入的列，如 --map %s=%s"),
					_("文件里的列名"), t->wants.columns[0].name),
				_("--map 应写成 列=字段：%s"), t->wants.maps[i]);
		if (column_of(t, field, &fit) != NOWHERE)
			continue;
		const char *nearest = column_nearest(t, field);
		return problem_set(p, ERR_USAGE, "--map",
			nearest ? way_hint(_("是不是 --map %s=%s？"), from, nearest)
				: way_hint(_("等号右边写要导入的列，如 --map %s=%s"), from,
					  t->wants.columns[0].name),
			_("--map：没有字段“%s”"), field);
	}
	return ERR_OK;
}

/* A map that names no column of the header is a mistyped word that would otherwise go unnoticed. */
static enum err maps_used(const struct table *t, struct problem *p)
{
	char from[HEADING_MAX];
	const char *field;
	enum fit fit;

	for (size_t i = 0; i < t->wants.n_maps; i++) {
		if (!map_split(t->wants.maps[i], from, &field))
			continue; /* maps_check has refused it */
		size_t place = t->at[column_of(t, field, &fit)];
		bool used = place != NOWHERE && cell_column(t, t->header, place, &fit) != NOWHERE &&
			fit == FIT_MAP;
		if (!used)
			return problem_set(p, ERR_USAGE, "--map", _("等号左边照抄表头里的列名"),
				_("--map：第 %ld 行的表头没有列“%s”"), table_header_row(t), from);
	}
	return ERR_OK;
}

enum err table_open(struct table **out, const struct sheet *sheet, size_t page,
	const struct table_wants *wants, struct problem *p)
{
	struct table *t = calloc(1, sizeof *t);
	enum err err;

	*out = NULL;
	if (!t)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	t->sheet = sheet;
	t->first = page < sheet->n_pages ? sheet->pages[page].first : 0;
	t->end = page < sheet->n_pages ? t->first + sheet->pages[page].n : 0;
	t->wants = *wants;
	err = wants->n_columns > TABLE_COLUMNS_MAX ? ERR_INTERNAL : words_make(t);
	err = err ? problem_set(p, err, NULL, NULL, NULL) : maps_check(t, p);
	if (!err)
		groups_find(t);
	if (!err)
		err = header_find(t, p);
	if (!err)
		err = columns_place(t, p);
	if (!err)
		err = maps_used(t, p);
	if (!err)
		err = required_check(t, p);
	if (err) {
		table_free(t);
		return err;
	}
	ignored_collect(t);
	for (size_t i = 0; i < wants->n_columns; i++)
		t->any_needed |= is_needed(&wants->columns[i]);
	t->wants.maps = NULL; /* not needed any more */
	t->wants.n_maps = 0;
	t->next = t->header + 1;
	*out = t;
	return ERR_OK;
}

void table_free(struct table *t)
{
	free(t);
}

bool table_same_columns(const struct table *a, const struct table *b)
{
	for (size_t i = 0; i < a->wants.n_columns; i++)
		if (table_has(a, i) != table_has(b, i))
			return false;
	return true;
}

void table_title(const struct table *t, void (*fn)(void *data, const char *text), void *data)
{
	for (size_t r = t->first; r < t->header; r++)
		for (size_t c = 0; c < t->sheet->n_columns; c++)
			if (!(sheet_flags(t->sheet, r, c) & (CELL_FROM_LEFT | CELL_FROM_ABOVE)))
				fn(data, sheet_text(t->sheet, r, c));
}

size_t table_header_index(const struct table *t)
{
	return t->header;
}

long table_header_row(const struct table *t)
{
	return (long)t->sheet->rows[t->header].number;
}

bool table_has(const struct table *t, size_t column)
{
	return t->at[column] != NOWHERE;
}

const char *table_heading(const struct table *t, size_t column)
{
	return table_has(t, column) ? heading_at(t, t->header, t->at[column]) : "";
}

size_t table_ignored_count(const struct table *t)
{
	return t->n_ignored;
}

struct table_ignored table_ignored_at(const struct table *t, size_t i)
{
	struct table_ignored x = {.nearest = t->ignored[i].nearest};
	char clean[4 * TABLE_HEADING_MAX];

	if (text_clean_name(clean, sizeof clean, heading_at(t, t->header, t->ignored[i].column)))
		*clean = 0;
	text_printable(x.heading, sizeof x.heading, clean);
	return x;
}

static bool is_blank(const char *s)
{
	int32_t c;
	int step;

	for (; (step = text_next(s, &c)) > 0; s += step)
		if (!text_is_space(c) && c != '\'')
			return false;
	return true;
}

/* A required cell of its own: repetitions of merged cells do not make a row. */
static bool needed_filled(const struct table *t, size_t row, size_t column)
{
	size_t at = t->at[column];

	return at != NOWHERE && (!t->any_needed || is_needed(&t->wants.columns[column])) &&
		!(sheet_flags(t->sheet, row, at) & (CELL_FROM_LEFT | CELL_FROM_ABOVE)) &&
		!is_blank(sheet_text(t->sheet, row, at));
}

/* 合计, or 填表人：张三, in the first cell of a row. */
static bool is_footer(const struct table *t, size_t row)
{
	static const char *const sums[] = {"合计", "总计", "小计", "共计", "总人数", "TOTAL"};
	static const char *const notes[] = {"填表人", "填报人", "制表人", "制表", "经办人", "审核人",
		"复核人", "负责人", "单位负责人", "学校负责人", "校长签字", "校长", "填表日期", "填报日期",
		"日期", "联系电话", "说明", "填表说明", "备注", "注", "单位盖章", "学校盖章", "填报单位",
		"填报时间", "制表时间", "班主任", "年级组长", "教导主任", "分管校长"};
	static const char *const signs[] = {"签字", "签名", "签章", "盖章", "公章"};
	char text[HEADING_MAX], *colon;
	const char *first = "";

	for (size_t c = 0; c < t->sheet->n_columns && is_blank(first); c++)
		first = sheet_text(t->sheet, row, c);
	if (text_name_key(text, sizeof text, first))
		return false;
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		if (strncmp(text, sums[i], strlen(sums[i])) == 0 &&
			(!text[strlen(sums[i])] || strchr(":0123456789", text[strlen(sums[i])])))
			return true;
	if (!(colon = strchr(text, ':')))
		return false;
	*colon = 0;
	decoration_strip(text, true);
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		if (strcmp(text, notes[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		size_t n = strlen(text), m = strlen(signs[i]);
		if (n >= m && strcmp(text + n - m, signs[i]) == 0)
			return true;
	}
	return false;
}

#define HEADER_ROWS 3 /* of the header and what stands right above it */

/* Whether a cell says what stands over it: the header once more, as on every printed page or behind a joined
 * file. */
static bool repeats_header(const struct table *t, size_t row, size_t at)
{
	char text[HEADING_MAX], heading[HEADING_MAX];

	heading_normal(text, sheet_text(t->sheet, row, at), false);
	for (size_t r = t->header, n = 0; n < HEADER_ROWS && r >= t->first; r--, n++) {
		heading_normal(heading, sheet_text(t->sheet, r, at), false);
		if (*text && strcmp(text, heading) == 0)
			return true;
		if (r == t->first)
			break;
	}
	return false;
}

static bool is_header_again(const struct table *t, size_t row)
{
	for (size_t i = 0; i < t->wants.n_columns; i++)
		if (needed_filled(t, row, i) && !repeats_header(t, row, t->at[i]))
			return false;
	return true;
}

static bool is_data(const struct table *t, size_t row)
{
	bool any = false;

	for (size_t i = 0; i < t->wants.n_columns && !any; i++)
		any = needed_filled(t, row, i);
	return any && !is_footer(t, row) && !is_header_again(t, row);
}

bool table_next(struct table *t, struct table_row *row)
{
	for (; t->next < t->end; t->skipped++) {
		size_t index = t->next++;
		if (is_data(t, index)) {
			*row = (struct table_row){
				.number = (long)t->sheet->rows[index].number, .index = index};
			return true;
		}
	}
	return false;
}

void table_rewind(struct table *t)
{
	t->next = t->header + 1;
	t->skipped = 0;
}

size_t table_skipped_count(const struct table *t)
{
	return t->skipped;
}

unsigned table_flags(const struct table *t, const struct table_row *row, size_t column)
{
	return table_has(t, column) ? sheet_flags(t->sheet, row->index, t->at[column]) : 0;
}

/* What a merged cell repeats to the right belongs to its first column only. */
const char *table_text(const struct table *t, const struct table_row *row, size_t column)
{
	if (!table_has(t, column) || table_flags(t, row, column) & CELL_FROM_LEFT)
		return "";
	return sheet_text(t->sheet, row->index, t->at[column]);
}
