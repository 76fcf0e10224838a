/* SPDX-License-Identifier: Apache-2.0 */
/* Work on the whole store, as the daemon's status tells of it. */
#ifndef CTL_MAINTENANCE_H
#define CTL_MAINTENANCE_H

#include <jansson.h>
#include <stdio.h>

/* verb_rebuild.c: what is under way and how far it is, without a line feed. */
void bb_ctl_print_maintenance(const json_t *at, FILE *out);

/* verb_status.c: as 2 d 3 h, 5 min 7 s. */
void bb_ctl_print_seconds(long long s, FILE *out);

#endif
