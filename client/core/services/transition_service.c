/* 小升初: what the core asks of it. */
#include "import_transition.h"
#include "services.h"
#include "transition.h"

const struct client_service client_transition = {
	.name = "transition",
	.imports = (const struct import_rules *const[]){&import_destinations, &import_enrolled,
		&import_verify, NULL},
	.word = transition_word,
};
