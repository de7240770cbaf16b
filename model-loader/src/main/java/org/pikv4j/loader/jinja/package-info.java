/**
 * The part of the template language Jinja that chat templates are written in, as Python's Jinja 3 renders it with the
 * settings of the transformers library: {@code trim_blocks}, {@code lstrip_blocks}, loop controls, nothing mutable.
 * A template reaches the values it is given and nothing else, and can neither run on nor fill the memory.
 */
@NullMarked
package org.pikv4j.loader.jinja;

import org.jspecify.annotations.NullMarked;
