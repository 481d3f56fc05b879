/* 办文办会 (A8): what the methods are. One event of one paper is document_event.c; README.md draws the
 * states. */
#include <string.h>

#include "codes.h"
#include "documents_calls.h"

int document_code_index(const struct code_list *list, const char *code)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].code, code) == 0)
			return (int)i;
	return -1;
}

const char *document_state_code(enum document_state s)
{
	return s >= OUT_DRAFT ? codes_out_state.items[s - OUT_DRAFT].code
			      : codes_in_state.items[s - IN_REGISTERED].code;
}

enum document_state document_state_of(const char *kind, const char *code)
{
	bool in = strcmp(kind, "in") == 0;

	return (enum document_state)((in ? IN_REGISTERED : OUT_DRAFT) +
		document_code_index(in ? &codes_in_state : &codes_out_state, code));
}

const char *document_event_code(enum document_event e)
{
	return codes_document_event.items[e].code;
}

const char *order_state_code(enum order_state s)
{
	return codes_order_state.items[s - ORDER_OPEN].code;
}

const char *meeting_state_code(enum meeting_state s)
{
	return codes_meeting_state.items[s - MEETING_PLANNED].code;
}

const char *document_step_code(enum document_step s)
{
	return codes_document_step.items[s].code;
}

static const struct handler handlers[] = {
	{METHOD_DOCUMENTS_ASK, documents_ask},
	{METHOD_DOCUMENTS_LIST, documents_list},
	{METHOD_DOCUMENTS_SHOW, documents_show},
	{METHOD_DOCUMENTS_STUCK, documents_stuck},
	{METHOD_DOCUMENTS_REMINDERS, documents_reminders},
	{METHOD_DOCUMENTS_REMIND, documents_remind},
	{METHOD_DOCUMENTS_NUMBERS, documents_numbers},
	{METHOD_DOCUMENTS_SET_DESK, documents_set_desk},
	{METHOD_DOCUMENTS_SET_ORGAN, documents_set_organ},
	{METHOD_DOCUMENTS_ADD_SERIES, documents_add_series},
	{METHOD_DOCUMENTS_SET_SETTING, documents_set_setting},
	{METHOD_DOCUMENTS_LIST_SETUP, documents_list_setup},
	{METHOD_DOCUMENTS_DELEGATE, documents_delegate},
	{METHOD_DOCUMENTS_END_DELEGATION, documents_end_delegation},
	{METHOD_DOCUMENTS_LIST_DELEGATIONS, documents_list_delegations},
	{METHOD_DOCUMENTS_IMPORT_WORKDAYS, documents_import_workdays},
	{METHOD_DOCUMENTS_DELIVERIES, documents_deliveries},
	{METHOD_DOCUMENTS_DECIDE_FEEDBACK, documents_decide_feedback},
	{METHOD_DOCUMENTS_ORDER, documents_order},
	{METHOD_DOCUMENTS_ORDERS, documents_orders},
	{METHOD_DOCUMENTS_MEETING, documents_meeting},
	{METHOD_DOCUMENTS_MEETINGS, documents_meetings},
	{METHOD_DOCUMENTS_SHOW_MEETING, documents_show_meeting},
	{METHOD_DOCUMENTS_DOOR_CODE, documents_door_code},
	{METHOD_DOCUMENTS_SIGN_IN, documents_sign_in},
	{METHOD_DOCUMENTS_RECONCILE_ARCHIVE, documents_reconcile_archive},
	{METHOD_DOCUMENTS_TURNAROUND, documents_turnaround},
	{METHOD_DOCUMENTS_SEARCH, documents_search},
	{METHOD_DOCUMENTS_MONTH, documents_month},
	{METHOD_DOCUMENTS_INSPECT_FILE, documents_inspect_file},
	{METHOD_DOCUMENTS_GET_FILE, documents_get_file},
	{METHOD_DOCUMENTS_COST, documents_cost},
	{METHOD_DOCUMENTS_CLOSE_SCHOOL, documents_close_school},
	{METHOD_DOCUMENTS_SEALS, documents_seals},
	{METHOD_DOCUMENTS_EVIDENCE, documents_evidence},
	{METHOD_DOCUMENTS_SEAL, documents_seal},
	{0, NULL},
};

const struct service documents_service = {"documents", handlers, documents_jobs};
