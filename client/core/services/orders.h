/* orders.h - 重点交办 that this school was given: what stands, and its answer. Reads a view that holds
 * orders_kinds; writes through outbox.h. One thread. */
#ifndef JG_ORDERS_H
#define JG_ORDERS_H

#include "shown.h"
#include "todo.h"
#include "view.h"

extern const uint32_t orders_kinds[];
extern const struct shown_list shown_orders;

/* Code of codes_order_state: what stands in it, this school's own answer included. */
const char *order_state(const struct record *d);
/* Code of codes_lamp at a moment; of what was answered, as it was then. */
const char *order_lamp(const struct record *d, int64_t now_us);
/* The order that an id, its number or a row of the last list names; NULL: there is none. */
struct item *orders_find(struct view *v, const char *text);
/* Queues this school's answer, within a transaction. ERR_NOT_NOW when it was answered and not judged, or has
 * ended. */
enum err orders_answer(
	struct view *v, struct item *item, const char *answer, int64_t now_us, struct problem *p);
void orders_todo(struct todo_list *l);

#endif
