/**
 * {@code config.json} and {@code generation_config.json}: from the dialects of several families and versions to the
 * engine's own description of a model. What sets a family apart is data, in {@link org.pikv4j.loader.config.Family}.
 */
@NullMarked
package org.pikv4j.loader.config;

import org.jspecify.annotations.NullMarked;
