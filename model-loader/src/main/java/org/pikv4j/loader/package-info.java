/**
 * Opens models as Hugging Face publishes them: a directory with {@code config.json}, safetensors and
 * {@code tokenizer.json}. {@link org.pikv4j.loader.HuggingFaceLoader} is the way in.
 */
@NullMarked
package org.pikv4j.loader;

import org.jspecify.annotations.NullMarked;
