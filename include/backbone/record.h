/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a file, as a connector has them: lines, and of csv records that may go over several
 * lines, because a field in quotes may hold a line feed. The first record of a file of csv or tsv
 * may name the columns. What a record means is for bb_connector_run.
 */
#ifndef BACKBONE_RECORD_H
#define BACKBONE_RECORD_H

#include <backbone/connector.h>

/* Whether its messages are records of fields, tsv or csv. */
bool bb_connector_has_records(const struct bb_connector *connector);

/* Whether the first record of a file is no message, but the `heading` of those that follow. */
bool bb_connector_has_heading(const struct bb_connector *connector);

/* Bytes of the first record of `text`, without its line feed. False: it does not end in `text`. */
bool bb_connector_record(const struct bb_connector *connector, struct bb_text text,
			 size_t *ret_bytes);

#endif
