/* SPDX-License-Identifier: Apache-2.0 */
/* What the ways to try a connector share. */
#ifndef CTL_TRY_H
#define CTL_TRY_H

#include "ctl.h"

#include <backbone/trace.h>

/*
 * The connector of a name of the configuration, or of a .yaml file: then it is *ret_own too, and
 * the caller's to free. BB_CTL_OK, or an exit code after printing why.
 */
BB_MUST_CHECK int bb_try_connector(struct bb_ctl *ctl, const char *name,
				   const struct bb_connector **ret_connector,
				   struct bb_connector **ret_own);

/* verb_try_live.c: on the last messages of a topic, for the summary. */
int bb_try_live(struct bb_ctl *ctl);

/* try_explain.c: what was tried, printed before what comes out. */
struct bb_try_explain {
	FILE *out;
	bool json;
	const char *file;   /* of the message */
	struct bb_buf path; /* told last */
};
void bb_try_explain(struct bb_try_explain *self, const struct bb_connector *connector,
		    const struct bb_message *msg, struct bb_arena *arena,
		    struct bb_extraction *ret_extraction);

#endif
