/** Text and token ids: what the engine needs of a tokenizer and of a chat template, without saying how they are read; and words for people. */
@NullMarked
package org.pikv4j.text;

import org.jspecify.annotations.NullMarked;
