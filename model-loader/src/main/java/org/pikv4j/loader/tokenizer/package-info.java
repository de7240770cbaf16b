/**
 * {@code tokenizer.json} of Hugging Face tokenizers in pure Java: byte-pair encoding, byte-level or in the manner of
 * SentencePiece, with the normalizers, pre-tokenizers, added tokens, templates and decoders that come with it.
 */
@NullMarked
package org.pikv4j.loader.tokenizer;

import org.jspecify.annotations.NullMarked;
