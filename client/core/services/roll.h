/* roll.h - the roll: the pupils of a school and their guardians. One thread. */
#ifndef JG_ROLL_H
#define JG_ROLL_H

#include "shown.h"

extern const struct shown_list shown_students;

#endif
