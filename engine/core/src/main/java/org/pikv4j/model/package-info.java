/**
 * What a model is, as data: its shape ({@link org.pikv4j.model.ModelConfig}) and its weights ({@link
 * org.pikv4j.model.ModelWeights}). Families differ by these declarations alone; there is one decoder for all of them.
 */
@NullMarked
package org.pikv4j.model;

import org.jspecify.annotations.NullMarked;
