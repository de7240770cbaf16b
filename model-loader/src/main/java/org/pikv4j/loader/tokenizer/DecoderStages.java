package org.pikv4j.loader.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The stages that decoders open: each holds back what a later token may still change, and nothing more. */
final class DecoderStages {
    private static final String REPLACEMENT_CHARACTER = "\uFFFD";

    private DecoderStages() {}

    /** The end of the pipeline: the text that has become certain. */
    record Text(StringBuilder text) implements TokenSink {
        @Override
        public void chunk(String chunk) {
            text.append(chunk);
        }

        @Override
        public void endToken() {}

        @Override
        public void finish() {}
    }

    /** A stage that needs tokens whole. */
    abstract static class WholeTokens implements TokenSink {
        final TokenSink next;
        private final StringBuilder token = new StringBuilder();

        WholeTokens(TokenSink next) {
            this.next = next;
        }

        abstract void token(String text);

        void emit(String text) {
            next.chunk(text);
            next.endToken();
        }

        @Override
        public final void chunk(String text) {
            token.append(text);
        }

        @Override
        public final void endToken() {
            String text = token.toString();
            token.setLength(0);
            token(text);
        }

        @Override
        public void finish() {
            next.finish();
        }
    }

    /** See {@link Decoder.ByteLevel}; holds back the bytes of a character that is not complete. */
    static final class Bytes extends WholeTokens {
        private byte[] pending = {};

        Bytes(TokenSink next) {
            super(next);
        }

        @Override
        void token(String text) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes(pending);
            bytes.writeBytes(ByteAlphabet.decode(text));
            pending = bytes.toByteArray();
            pass(false);
        }

        @Override
        public void finish() {
            pass(true);
            next.endToken();
            next.finish();
        }

        private void pass(boolean last) {
            StringBuilder text = new StringBuilder(pending.length);
            int decoded = Utf8.decode(pending, last, text);
            pending = Arrays.copyOfRange(pending, decoded, pending.length);
            next.chunk(text.toString());
        }
    }

    /** See {@link Decoder.Metaspace}; holds back nothing. */
    static final class Blanks implements TokenSink {
        private final TokenSink next;
        private final String replacement;
        private boolean drop;

        Blanks(TokenSink next, String replacement, boolean dropFirst) {
            this.next = next;
            this.replacement = replacement;
            this.drop = dropFirst;
        }

        @Override
        public void chunk(String text) {
            next.chunk(text.replace(replacement, drop ? "" : " "));
        }

        @Override
        public void endToken() {
            drop = false;
            next.endToken();
        }

        @Override
        public void finish() {
            next.finish();
        }
    }

    /**
     * See {@link Decoder.ByteFallback}; holds back a whole run of byte tokens, because one wrong byte makes each of
     * them U+FFFD.
     */
    static final class ByteRuns extends WholeTokens {
        private final ByteArrayOutputStream run = new ByteArrayOutputStream();

        ByteRuns(TokenSink next) {
            super(next);
        }

        @Override
        void token(String text) {
            int value = byteOf(text);
            if (value >= 0) {
                run.write(value);
            } else {
                flush();
                emit(text);
            }
        }

        @Override
        public void finish() {
            flush();
            next.finish();
        }

        private void flush() {
            if (run.size() == 0) {
                return;
            }
            Optional<String> text = strictly(run.toByteArray());
            if (text.isPresent()) {
                emit(text.get());
            } else {
                for (int i = 0; i < run.size(); i++) {
                    emit(REPLACEMENT_CHARACTER);
                }
            }
            run.reset();
        }

        private static int byteOf(String token) {
            boolean looksLikeByte = token.length() == 6 && token.startsWith("<0x") && token.endsWith(">");
            if (!looksLikeByte) {
                return -1;
            }
            int high = Character.digit(token.charAt(3), 16);
            int low = Character.digit(token.charAt(4), 16);
            // Rust's parser of numbers, which decides this in the Hugging Face library, takes a plus sign.
            return low < 0 ? -1 : token.charAt(3) == '+' ? low : high < 0 ? -1 : 16 * high + low;
        }

        private static Optional<String> strictly(byte[] utf8) {
            try {
                return Optional.of(StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(utf8))
                        .toString());
            } catch (CharacterCodingException e) {
                return Optional.empty();
            }
        }
    }

    /** See {@link Decoder.Fuse}; holds back nothing. */
    static final class Fused implements TokenSink {
        private final TokenSink next;

        Fused(TokenSink next) {
            this.next = next;
        }

        @Override
        public void chunk(String text) {
            next.chunk(text);
        }

        @Override
        public void endToken() {}

        @Override
        public void finish() {
            next.endToken();
            next.finish();
        }
    }

    /** See {@link Decoder.Strip}; holds back characters that may turn out to be the last. */
    static final class Stripped implements TokenSink {
        private final TokenSink next;
        private final int content;
        private final int start;
        private final int stop;
        private boolean leading = true;
        private int cut;
        private int held;

        Stripped(TokenSink next, int content, int start, int stop) {
            this.next = next;
            this.content = content;
            this.start = start;
            this.stop = stop;
        }

        @Override
        public void chunk(String text) {
            StringBuilder certain = new StringBuilder(text.length());
            text.codePoints().forEach(c -> {
                if (c != content) {
                    release(certain);
                    certain.appendCodePoint(c);
                    leading = false;
                } else if (leading && cut < start) {
                    cut++;
                } else if (held < stop) {
                    held++;
                } else {
                    certain.appendCodePoint(c);
                }
            });
            next.chunk(certain.toString());
        }

        private void release(StringBuilder out) {
            for (; held > 0; held--) {
                out.appendCodePoint(content);
            }
        }

        @Override
        public void endToken() {
            leading = true;
            cut = 0;
            held = 0;
            next.endToken();
        }

        @Override
        public void finish() {
            next.finish();
        }
    }

    /** See {@link Decoder.Replace}; holds back a token until it is whole. */
    static final class Replaced extends WholeTokens {
        private final Replacement replacement;

        Replaced(TokenSink next, Replacement replacement) {
            super(next);
            this.replacement = replacement;
        }

        @Override
        void token(String text) {
            emit(replacement.apply(text));
        }
    }

    /** See {@link Decoder.Suffix}; holds back a token until another one follows. */
    static final class Suffixed extends WholeTokens {
        private final String suffix;
        private @Nullable String held;

        Suffixed(TokenSink next, String suffix) {
            super(next);
            this.suffix = suffix;
        }

        @Override
        void token(String text) {
            if (held != null) {
                emit(held.replace(suffix, " "));
            }
            held = text;
        }

        @Override
        public void finish() {
            if (held != null) {
                emit(held.replace(suffix, ""));
            }
            next.finish();
        }
    }

    /** See {@link Decoder.Spaced}; holds back nothing. */
    static final class Separated extends WholeTokens {
        private boolean first = true;

        Separated(TokenSink next) {
            super(next);
        }

        @Override
        void token(String text) {
            emit(first ? text : " " + text);
            first = false;
        }
    }
}
