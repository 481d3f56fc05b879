/* cli_help.h - what cli_main.c and cli_help.c share: the common options, and help from the tables of
 * commands. One thread. */
#ifndef JG_CLI_HELP_H
#define JG_CLI_HELP_H

#include "cli.h"

extern const struct cli_option cli_common_options[];

/* "FILE" → 文件: what help calls an operand, as people call it. */
const char *cli_operand_words(const char *operands, char *out, size_t size);
void cli_help_program(const struct cli *c);
void cli_help_command(const struct cli_program *program, const struct cli_command *command);
/* The commands whose words begin with these; false when there is none. */
bool cli_help_group(const struct cli *c, const char *prefix);
/* jg.1, jgadmin.1 */
void cli_help_man(const struct cli *c);

#endif
