/**
 * The safetensors format: eight bytes with the header's length, a JSON header that names each tensor's type, shape and
 * place, then the bytes. Files are mapped and every claim of a header is checked before a tensor is handed out.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
@NullMarked
package org.pikv4j.loader.safetensors;

import org.jspecify.annotations.NullMarked;
