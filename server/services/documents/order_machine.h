/* order_machine.h - 重点交办: what may be done to an order in which state, as a table; README.md draws it
 * from the same rows. Pure: an order as it stands, what is asked and who asks, in; the order as it will
 * stand and what becomes of its task, or a refusal, out. Text borrows from the request's arena. One
 * thread: the loop's. */
#ifndef JG_ORDER_MACHINE_H
#define JG_ORDER_MACHINE_H

#include "matter_machine.h"

/* The codes stand in documents.proto's lists order_state and order_event, in this order. */
enum order_state {
	ORDER_NONE,
	ORDER_OPEN,
	ORDER_ANSWERED,
	ORDER_RETURNED,
	ORDER_CLOSED,
	ORDER_CANCELLED,
	ORDER_STATES
};
enum order_event {
	ORDER_ADD,
	ORDER_ANSWER,
	ORDER_ACCEPT,
	ORDER_RETURN,
	ORDER_TRANSFER,
	ORDER_EXTEND,
	ORDER_CANCEL,
	ORDER_EVENTS
};

struct order {
	enum order_state state;
	const char *title, *to, *adder;
	bool is_school; /* `to` is one */
	int64_t due;    /* of its addressee */
	const char *answer;
	int64_t answered_at; /* 0: never was */
};

struct order_ask {
	enum order_event event;
	const char *user;
	uint32_t roles;
	const char *title, *to, *text, *reason;
	int32_t due;
	bool to_school;    /* `to` is a live school */
	bool paper_takes;  /* of add: the paper is in a state that orders are given on */
	const char *paper; /* what it is called */
};

struct order_done {
	const char *for_whom;   /* NULL: for oneself */
	bool task_ends;         /* the open one does */
	bool opens_order;       /* a task of its addressee, due at order->due */
	bool opens_judge;       /* one of who gave it */
	const char *moved_from; /* the task goes to `to`; NULL: it stays */
	int64_t extended_from;  /* the due until now; 0: it stays */
};

extern const struct matter_machine order_machine;

/* In the order role, state, person, rule; *o is undefined after a refusal. ERR_PERMISSION, ERR_NOT_NOW,
 * ERR_SAME_PERSON, ERR_RULE with the lowest number as p->field. */
enum err order_step(const struct document_world *w, struct order *o, const struct order_ask *ask,
	struct order_done *done, struct arena *arena, struct problem *p);
/* The MATTER_NEEDS_ bits that it gives; DOC is the caller's. */
unsigned order_given(const struct order_ask *ask);
/* Whether an order may be given on a paper in this state. */
bool order_paper_takes(enum document_state state);

#endif
