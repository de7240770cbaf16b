package org.pikv4j.app;

import com.fasterxml.jackson.annotation.JsonUnwrapped;

/**
 * What {@code run --json --explain} prints: what it prints anyway, and the explanation.
 *
 * @param report of the run
 * @param explanation of what became of the cache
 */
record ExplainedReport(@JsonUnwrapped GenerationReport report, Explanation explanation) {}
