/* meeting.h - what a meeting is planned as, in a file of lines 名：值, and what is reckoned of it: its
 * times, the code that is typed at the door, who was there. Owns these rules; knows no database and no
 * clock. Text borrows from the arena. Any thread. */
#ifndef JG_MEETING_H
#define JG_MEETING_H

#include <stdbool.h>

#include "draft.h"

#define MEETING_BYTES_MAX (16u << 10)
#define MEETING_AGENDA_MAX 100
#define MEETING_SECRET 32
#define MEETING_CODE_SIZE 9

struct meeting_item {
	const char *topic, *speaker; /* speaker: "" = nobody named */
	int32_t minutes;
};
/* Texts are "" when their line is absent. */
struct meeting_plan {
	const char *subject, *purpose, *host /* 主承办 */, *place, *chair;
	int64_t start, end; /* microseconds, county time */
	struct draft_list attend;
	struct meeting_item *agenda;
	size_t agenda_count;
	int32_t reply_due; /* a day; 0 = none said */
	int32_t quorum;    /* 0 = none said */
};

/* 2026-09-12 09:00. ERR_INVALID. */
enum err meeting_time(int64_t *out, const char *text);
/* The other way. */
#define MEETING_TIME_SIZE 17
void meeting_time_text(char out[MEETING_TIME_SIZE], int64_t at);

/* ERR_INVALID with p->row and field for a line that is not of this form, ERR_MISSING for 主题, 开始, 结束,
 * 地点, 主持 or 参会; ERR_TOO_LARGE; ERR_NOMEM. */
enum err meeting_parse(
	struct meeting_plan *out, const char *bytes, size_t n, struct arena *arena, struct problem *p);

/* What is typed at the door: the first 8 of Crockford's base 32 of HMAC-SHA256(secret, "jg meeting" id day). */
void meeting_code(
	char out[MEETING_CODE_SIZE], const uint8_t secret[MEETING_SECRET], const uint8_t id[16], int32_t day);
/* As it was typed: small letters, O for 0, I and L for 1, blanks and hyphens. Too long: cut, and so wrong. */
void meeting_code_typed(char out[MEETING_CODE_SIZE], const char *text);

enum meeting_reply {
	MEETING_REPLY_NONE,
	MEETING_REPLY_ATTEND,
	MEETING_REPLY_LEAVE,
	MEETING_REPLY_SUBSTITUTE
};
enum meeting_presence {
	MEETING_PRESENT,
	MEETING_LATE,
	MEETING_SUBSTITUTE,
	MEETING_LEAVE,
	MEETING_ABSENT,
	MEETING_PRESENCES
};
/* signed_at: 0 = did not sign in. late: minutes after start that are still in time. */
enum meeting_presence meeting_presence(
	enum meeting_reply reply, int64_t signed_at, int64_t start, int32_t late);
/* Who is not absent and not on leave. */
bool meeting_counts(enum meeting_presence x);
/* Of the persons, with what each loses on the way; hundredths of an hour. */
int64_t meeting_person_hours(size_t persons, int64_t start, int64_t end, int32_t way_minutes);

#endif
