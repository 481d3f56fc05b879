/* cmd_documents.h - what the files of the 办文 commands share. */
#ifndef JG_CMD_DOCUMENTS_H
#define JG_CMD_DOCUMENTS_H

#include "cli.h"

extern const struct cli_part admin_documents_setup, admin_documents_paper, admin_documents_delivery,
	admin_documents_reads;
/* What a paper is called: its number, its id before it has one. */
const char *documents_called(const char *number, const char *id);
/* `documents report` without a paper: a month of them. */
int documents_month_report(struct cli *c);
const struct code_list *documents_states(const char *kind);

#endif
