/** Tensors as the model files hold them: a type, a shape and bytes, read in place. */
@NullMarked
package org.pikv4j.tensor;

import org.jspecify.annotations.NullMarked;
