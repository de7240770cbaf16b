/** From tensors by name to the engine's {@link org.pikv4j.model.ModelWeights}, each with the shape it must have. */
@NullMarked
package org.pikv4j.loader.weights;

import org.jspecify.annotations.NullMarked;
