/* jg.h - the commands of jg, one function a row of the table in main.c. */
#ifndef JG_JG_H
#define JG_JG_H

#include "cli.h"

int cmd_login(struct cli *c);

#endif
