#include "document_moves.h"

#include <string.h>

#define IN false
#define OUT true

const struct document_move document_moves[] = {
	{IN, "", "register", "registered", NULL},
	{IN, "registered", "accept", "proposing", NULL},
	{IN, "registered", "refuse", "refused", NULL},
	{IN, "proposing", "propose", "instructing", "circulating"},
	{IN, "instructing", "instruct", "handling", "circulating"},
	{IN, "instructing", "pass", "instructing", NULL},
	{IN, "instructing", "return", "proposing", NULL},
	{IN, "handling", "report", "handling", NULL},
	{IN, "handling", "finish", "reviewing", NULL},
	{IN, "handling", "decline", "proposing", NULL},
	{IN, "handling", "transfer", "handling", NULL},
	{IN, "handling", "extend", "handling", NULL},
	{IN, "circulating", "read", "circulating", "done"},
	{IN, "reviewing", "approve", "done", NULL},
	{IN, "reviewing", "return", "handling", NULL},
	{IN, "done", "reopen", "handling", NULL},
	{IN, "done", "archive", "archived", NULL},
	{IN, "registered", "void", "void", NULL},
	{IN, "proposing", "void", "void", NULL},
	{IN, "instructing", "void", "void", NULL},
	{IN, "handling", "void", "void", NULL},
	{IN, "circulating", "void", "void", NULL},
	{IN, "reviewing", "void", "void", NULL},

	{OUT, "", "draft", "draft", NULL},
	{OUT, "draft", "edit", "draft", NULL},
	{OUT, "draft", "submit", "reviewing", NULL},
	{OUT, "reviewing", "approve", "countersigning", "signing"},
	{OUT, "reviewing", "return", "draft", NULL},
	{OUT, "reviewing", "withdraw", "draft", NULL},
	{OUT, "countersigning", "agree", "countersigning", "signing"},
	{OUT, "countersigning", "object", "draft", NULL},
	{OUT, "countersigning", "withdraw", "draft", NULL},
	{OUT, "signing", "sign", "signing", "rechecking"},
	{OUT, "signing", "joint", "signing", "rechecking"},
	{OUT, "signing", "return", "draft", "issued"},
	{OUT, "signing", "withdraw", "draft", NULL},
	{OUT, "rechecking", "recheck", "numbering", "numbered"},
	{OUT, "rechecking", "change", "rechecking", "signing"},
	{OUT, "numbering", "number", "numbered", NULL},
	{OUT, "numbered", "press", "printing", NULL},
	{OUT, "printing", "proof_pass", "proofed", NULL},
	{OUT, "printing", "proof_fail", "numbered", NULL},
	{OUT, "proofed", "seal", "sealed", NULL},
	{OUT, "proofed", "issue", "issued", NULL},
	{OUT, "sealed", "issue", "issued", NULL},
	{OUT, "issued", "close", "closed", NULL},
	{OUT, "issued", "recall", "recalled", NULL},
	{OUT, "issued", "reissue", "signing", NULL},
	{OUT, "closed", "archive", "archived", NULL},
	{OUT, "recalled", "archive", "archived", NULL},
	{OUT, "draft", "void", "void", NULL},
	{OUT, "reviewing", "void", "void", NULL},
	{OUT, "countersigning", "void", "void", NULL},
	{OUT, "signing", "void", "void", NULL},
	{OUT, "rechecking", "void", "void", NULL},
	{OUT, "numbering", "void", "void", NULL},
	{OUT, "numbered", "void", "void", NULL},
	{OUT, "printing", "void", "void", NULL},
	{OUT, "proofed", "void", "void", NULL},
	{OUT, "sealed", "void", "void", NULL},
	{0},
};

bool document_may_move(bool out, const char *from, const char *event, const char *to)
{
	for (const struct document_move *m = document_moves; m->from; m++)
		if (m->out == out && strcmp(m->from, from) == 0 && strcmp(m->event, event) == 0)
			return strcmp(m->to, to) == 0 || (m->or_to && strcmp(m->or_to, to) == 0);
	return false;
}

static const struct {
	const char *from, *event, *to;
} matter_moves[] = {
	{"", "add", "open"},
	{"open", "answer", "answered"},
	{"returned", "answer", "answered"},
	{"answered", "accept", "closed"},
	{"answered", "return", "returned"},
	{"open", "transfer", "open"},
	{"returned", "transfer", "returned"},
	{"open", "extend", "open"},
	{"answered", "extend", "answered"},
	{"returned", "extend", "returned"},
	{"open", "cancel", "cancelled"},
	{"answered", "cancel", "cancelled"},
	{"returned", "cancel", "cancelled"},

	{"", "plan", "planned"},
	{"planned", "approve", "approved"},
	{"approved", "move", "approved"},
	{"noticed", "move", "approved"},
	{"noticed", "hold", "held"},
	{"minuted", "close", "closed"},
	{"planned", "cancel", "cancelled"},
	{"approved", "cancel", "cancelled"},
	{"noticed", "cancel", "cancelled"},
};
/* What somebody else's signature has moved it to. */
static const struct {
	const char *from, *to;
} moved_between[] = {
	{"open", "answered"}, {"returned", "answered"}, {"approved", "noticed"}, {"held", "minuted"}};

static bool matter_moves_to(const char *from, const char *event, const char *to)
{
	for (size_t i = 0; i < sizeof matter_moves / sizeof *matter_moves; i++)
		if (strcmp(matter_moves[i].from, from) == 0 && strcmp(matter_moves[i].event, event) == 0)
			return strcmp(matter_moves[i].to, to) == 0;
	return false;
}

bool matter_may_move(const char *from, const char *event, const char *to)
{
	bool may = matter_moves_to(from, event, to);

	for (size_t i = 0; !may && i < sizeof moved_between / sizeof *moved_between; i++)
		may = strcmp(moved_between[i].from, from) == 0 &&
			matter_moves_to(moved_between[i].to, event, to);
	return may;
}
