/** The chat template of a model: which file has it, and what it is given to render. */
@NullMarked
package org.pikv4j.loader.chat;

import org.jspecify.annotations.NullMarked;
