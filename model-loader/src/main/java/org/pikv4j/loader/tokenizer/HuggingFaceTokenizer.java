package org.pikv4j.loader.tokenizer;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.text.TokenStream;
import org.pikv4j.text.Tokenizer;

/**
 * The tokenizer that a {@code tokenizer.json} of the Hugging Face tokenizers library describes, with the same ids and
 * the same text as that library. Models other than byte-pair encoding are refused by name.
 *
 * <p>A string with unpaired surrogates is no text; each of them is taken as U+FFFD, as a lossy conversion to UTF-8
 * would have it. Truncation and padding, which a file may also ask for, concern batches for training and are not
 * applied.
 *
 * <p>Instances are safe for use by many threads.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
    private final Path file;
    private final AddedVocabulary added;
    private final Optional<PreTokenizer> preTokenizer;
    private final BytePairModel model;
    private final PostProcessor postProcessor;
    private final Decoder decoder;

    HuggingFaceTokenizer(
            Path file,
            AddedVocabulary added,
            Optional<PreTokenizer> preTokenizer,
            BytePairModel model,
            PostProcessor postProcessor,
            Decoder decoder) {
        this.file = file;
        this.added = added;
        this.preTokenizer = preTokenizer;
        this.model = model;
        this.postProcessor = postProcessor;
        this.decoder = decoder;
    }

    /**
     * @param tokenizerJson a tokenizer.json
     * @return the tokenizer
     * @throws ModelFormatException if the file is missing, damaged, or asks for what is not supported
     */
    public static HuggingFaceTokenizer load(Path tokenizerJson) {
        return TokenizerFile.read(tokenizerJson);
    }

    /**
     * {@inheritDoc}
     *
     * @throws ModelFormatException if the file has a pattern that takes too many steps on this text, or names an
     *     unknown token that it does not have and this text needs it
     */
    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        IntList ids = new IntList();
        try {
            for (Part part : added.extract(Utf8.wellFormed(text))) {
                switch (part) {
                    case Part.Added token -> ids.add(token.id());
                    case Part.Piece piece -> encode(piece, ids);
                }
            }
        } catch (TokenizerDefectException e) {
            throw defect(e);
        }
        return postProcessor.apply(ids.from(0), addSpecialTokens);
    }

    private void encode(Part.Piece piece, IntList ids) {
        List<Part.Piece> words = preTokenizer.map(p -> p.apply(piece)).orElse(List.of(piece));
        for (Part.Piece word : words) {
            model.encode(word.text(), ids);
        }
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        Stream stream = new Stream(skipSpecialTokens);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.accept(id));
        }
        return text.append(stream.finish()).toString();
    }

    @Override
    public TokenStream stream(boolean skipSpecialTokens) {
        return new Stream(skipSpecialTokens);
    }

    @Override
    public int vocabularySize() {
        return added.largestId() + 1;
    }

    @Override
    public OptionalInt id(String token) {
        int id = added.id(token).orElse(model.vocabulary().id(token));
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public boolean isSpecial(int id) {
        return token(id).filter(added::isSpecial).isPresent();
    }

    private Optional<String> token(int id) {
        return added.token(id).or(() -> model.vocabulary().token(id));
    }

    private ModelFormatException defect(TokenizerDefectException e) {
        return new ModelFormatException(file, String.valueOf(e.getMessage()), e);
    }

    private final class Stream implements TokenStream {
        private final boolean skipSpecialTokens;
        private final StringBuilder certain = new StringBuilder();
        private final TokenSink decoders = decoder.open(new DecoderStages.Text(certain));

        Stream(boolean skipSpecialTokens) {
            this.skipSpecialTokens = skipSpecialTokens;
        }

        @Override
        public String accept(int id) {
            Optional<String> token = token(id).filter(t -> !skipSpecialTokens || !added.isSpecial(t));
            return token.isEmpty()
                    ? ""
                    : textAfter(() -> {
                        decoders.chunk(token.get());
                        decoders.endToken();
                    });
        }

        @Override
        public String finish() {
            return textAfter(decoders::finish);
        }

        private String textAfter(Runnable step) {
            try {
                step.run();
            } catch (TokenizerDefectException e) {
                throw defect(e);
            }
            String text = certain.toString();
            certain.setLength(0);
            return text;
        }
    }
}
