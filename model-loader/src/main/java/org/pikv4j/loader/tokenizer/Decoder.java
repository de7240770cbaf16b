package org.pikv4j.loader.tokenizer;

import java.util.List;

/**
 * Turns tokens into text. Each kind opens a stage of a pipeline that passes text on as soon as no later token can
 * change it; decoding a whole text is the same pipeline, so that streamed and whole text are equal by construction.
 */
sealed interface Decoder {

    /**
     * @param next where the decoded tokens go
     * @return what to feed the tokens of one text to
     */
    TokenSink open(TokenSink next);

    /** From the byte-level alphabet to UTF-8 text, as one token. */
    record ByteLevel() implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.Bytes(next);
        }
    }

    /** From SentencePiece's visible character to the blank; the first token loses it. */
    record Metaspace(String replacement, PreTokenizer.PrependScheme prepend) implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            boolean dropFirst = prepend != PreTokenizer.PrependScheme.NEVER;
            return new DecoderStages.Blanks(next, replacement, dropFirst);
        }
    }

    /** From tokens such as {@code <0xE2>} to the text that the bytes of a run of them make. */
    record ByteFallback() implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.ByteRuns(next);
        }
    }

    /** All tokens become one. */
    record Fuse() implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.Fused(next);
        }
    }

    /** Takes a character away at the start and the end of each token, so and so many times at most. */
    record Strip(int content, int start, int stop) implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.Stripped(next, content, start, stop);
        }
    }

    /** Replaces what a pattern matches, token by token. */
    record Replace(Replacement replacement) implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.Replaced(next, replacement);
        }
    }

    /** The suffix that ends words becomes a blank, that of the last token nothing. */
    record Suffix(String suffix) implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.Suffixed(next, suffix);
        }
    }

    /** What happens without a decoder: a blank between the tokens. */
    record Spaced() implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            return new DecoderStages.Separated(next);
        }
    }

    /** One after the other. */
    record Sequence(List<Decoder> decoders) implements Decoder {
        @Override
        public TokenSink open(TokenSink next) {
            TokenSink sink = next;
            for (Decoder decoder : decoders.reversed()) {
                sink = decoder.open(sink);
            }
            return sink;
        }
    }
}
