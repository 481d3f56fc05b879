/* documents_calls.h - what the files of the 办文办会 service share. One thread: the loop's. */
#ifndef JG_DOCUMENTS_CALLS_H
#define JG_DOCUMENTS_CALLS_H

#include "codes.h"
#include "document_machine.h"
#include "document_signed.h"
#include "meeting_machine.h"
#include "order_machine.h"
#include "service.h"

/* ---- document_world.c: what stands around a document ---- */

/* The world of an event, and how it was before: a task lives by the settings and the calendar as they stood
 * when it opened. */
struct document_surroundings {
	struct document_world world;
	struct workday_change {
		int32_t day;
		int64_t set_at;
		bool working;
	} * changes; /* by day and set_at */
	struct setting_row {
		const char *name, *value;
		int32_t valid_from;
		int64_t set_at;
	} * settings; /* by valid_from and set_at */
	size_t change_count, setting_count, import_count;
	int64_t *imports;                          /* their times, each once */
	const struct workday_calendar **calendars; /* made when they are asked for */
};

/* Adds the statements to the trip, behind whatever locks; and reads them, in the request's arena. False:
 * no memory, and the request has been answered. */
void world_query(struct request *r);
bool world_read(struct request *r, struct document_surroundings *x);
/* As it stood at a moment. NULL: no memory. */
const struct workday_calendar *world_calendar(struct request *r, struct document_surroundings *x, int64_t at);
/* A setting as it stood at a moment, or its default. */
const char *world_setting(const struct document_surroundings *x, const char *name, int64_t at);
struct document_setting {
	const char *name, *value, *text; /* text: what it is, N_() */
};
extern const struct document_setting document_settings[]; /* ended by {0} */
bool document_setting_fits(const char *name, const char *value);

/* ---- Codes ---- */

const char *document_state_code(enum document_state s);
enum document_state document_state_of(const char *kind, const char *code);
const char *document_event_code(enum document_event e);
const char *document_step_code(enum document_step s);
const char *order_state_code(enum order_state s);
const char *meeting_state_code(enum meeting_state s);
int document_code_index(const struct code_list *list, const char *code); /* -1: no such code */
/* What a request did not give is "". */
static inline const char *text_of(const char *text)
{
	return text ? text : "";
}
/* Copies into the request's arena; "" for NULL. */
const char *document_text(struct request *r, const char *text);

/* ---- document_lists.c ---- */

/* A reply of many rows, a page at a time, from rows that all are there. */
struct document_pages {
	size_t count;
	const ProtobufCMessage *(*page)(struct request *r, void *data, size_t from, size_t to);
	void *data;
};
void document_reply_pages(struct request *r, const struct document_pages *x);
/* How many working days before its due a step's lamp is yellow, by the settings of a moment. */
int32_t document_yellow(const struct document_surroundings *x, const char *step, int64_t at);
/* What somebody is called; the user where nobody is. */
const char *document_name_of(const struct document_world *w, const char *user);

/* ---- meeting_event.c: the notice and the minutes of a meeting are drafts of papers ---- */

/* A meeting with what the machine does not look at. */
struct meeting_file {
	struct meeting m;
	uint8_t id[16], secret[MEETING_SECRET], digest[TRACE_HASH]; /* of its plan, as it was typed */
	const char *number;
};
/* Locks it and adds all that an event asks to the trip. start, end: of a move; else 0. */
void meeting_query(struct request *r, const char *of, int64_t start, int64_t end);
/* Whether this draft may be its notice or its minutes. False: refused. */
bool meeting_judge_draft(struct request *r, const struct document_world *w, bool is_minutes);
/* Behind the draft: the paper is the meeting's. */
void meeting_write_draft(struct request *r, const uint8_t paper[16], bool is_minutes);
/* Whatever paper was issued: the notice asks schools, the minutes end it. */
void meeting_paper_issued(struct request *r, const uint8_t paper[16]);

/* ---- document_tails.c ---- */

void documents_tell_tails(struct request *r); /* the job */
void documents_tell_tails_now(struct worker *w);

/* ---- meeting_invites.c ---- */

void meetings_invite(struct request *r); /* the job */
void meetings_invite_now(struct worker *w);

/* ---- Handlers ---- */

void documents_ask(struct request *r);
void documents_list(struct request *r);
void documents_show(struct request *r);
void documents_stuck(struct request *r);
void documents_reminders(struct request *r);
void documents_remind(struct request *r);
void documents_numbers(struct request *r);
void documents_set_desk(struct request *r);
void documents_set_organ(struct request *r);
void documents_add_series(struct request *r);
void documents_set_setting(struct request *r);
void documents_list_setup(struct request *r);
void documents_delegate(struct request *r);
void documents_end_delegation(struct request *r);
void documents_list_delegations(struct request *r);
void documents_import_workdays(struct request *r);
void documents_deliveries(struct request *r);
void documents_decide_feedback(struct request *r);
extern const struct service_job documents_jobs[];
/* What was just committed for schools goes to them at once. */
void documents_deliver_now(struct worker *w);
void documents_order(struct request *r);
void documents_orders(struct request *r);
void documents_meeting(struct request *r);
void documents_meetings(struct request *r);
void documents_show_meeting(struct request *r);
void documents_door_code(struct request *r);
void documents_sign_in(struct request *r);
void documents_search(struct request *r);
void documents_reconcile_archive(struct request *r);
void documents_turnaround(struct request *r);
void documents_month(struct request *r);
void documents_inspect_file(struct request *r);
void documents_get_file(struct request *r);
void documents_cost(struct request *r);
void documents_close_school(struct request *r);
void documents_seals(struct request *r);
void documents_evidence(struct request *r);
void documents_seal(struct request *r);

#endif
