/** The front door: {@link org.pikv4j.PiKV} loads a model and opens an {@link org.pikv4j.session.Engine}. */
@NullMarked
package org.pikv4j;

import org.jspecify.annotations.NullMarked;
