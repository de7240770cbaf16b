/**
 * Bases of low rank, fitted to a model from a text that it reads: the model's keys, queries, values and attention outputs are
 * summed up while it reads, each method of fitting works from the sums, and a file keeps what was found.
 */
@NullMarked
package org.pikv4j.calibration;

import org.jspecify.annotations.NullMarked;
